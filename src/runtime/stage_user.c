/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "runtime/userns.h"
#include "sys/user_namespace.h"

/*
 * stage_user() - be root in the user namespace
 *
 * Where:    child, just cloned into it; nothing but what was inherited is there.
 * Needs:    SYNC_IDMAP.
 * Must:     come before anything is made: without a number inside we can make no file.
 * Leaves:   uid 0, gid 0 and all capabilities, inside only.
 */
int stage_user(struct start *start, struct error *err)
{
	int r;

	if (!userns_is_used(&start->spec))
		return 0;
	r = sync_expect(start->sync_child, SYNC_IDMAP, NULL, err);
	if (r < 0)
		return r;
	r = user_namespace_become_root();
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "become root of the user namespace");
	/* Cleared with the change of ids; if the parent died meanwhile, the next stage hears of it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static bool needs_the_hosts(const struct start *start, size_t index)
{
	const struct spec_mount *mount = &start->spec.mounts[index];

	return !mount->bind && start->sources[index].mount_fd < 0 &&
	       (strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0);
}

/*
 * stage_visible() - procfs and sysfs, while those of the host are to be seen
 *
 * Where:    child, in all namespaces that they show, before the host's tree is gone.
 * Leaves:   mounts that stage_mounts() attaches.
 */
int stage_visible(struct start *start, struct error *err)
{
	if (!userns_is_used(&start->spec))
		return 0;
	for (size_t i = 0; i < start->spec.mount_count; i++) {
		int fd;

		if (!needs_the_hosts(start, i))
			continue;
		fd = mount_filesystem(&start->spec.mounts[i],
				      (unsigned int)start->spec.mounts[i].attr_set, err);
		if (fd < 0)
			return fd;
		start->sources[i].mount_fd = fd;
		start->sources[i].is_dir = true;
	}
	return 0;
}
