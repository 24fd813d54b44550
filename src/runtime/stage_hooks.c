/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "runtime/hooks.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "sys/mount.h"

bool start_pivots_late(const struct start *start)
{
	const struct spec_hooks *hooks = start->spec.hooks;

	return hooks[SPEC_HOOK_PRESTART].count > 0 || hooks[SPEC_HOOK_CREATE_RUNTIME].count > 0 ||
	       hooks[SPEC_HOOK_CREATE_CONTAINER].count > 0;
}

json_t *start_hook_state(const struct start *start, const char *status)
{
	const struct hook_subject subject = {
		.id = start->request->id,
		.bundle = start->request->foreign ? start->request->foreign->bundle : "",
		.annotations = start->spec.annotations,
	};

	return hooks_state(&subject, status, getpid());
}

static int see_the_host_again(const struct start *start, struct error *err)
{
	if (fchdir(start->host_root_fd) < 0 || chroot(".") < 0)
		return err_set(err, ERR_SYSTEM, errno, "return to the old root");
	return 0;
}

/*
 * stage_hooks() - what shall happen when the container's namespaces and files are there and the host's are
 * not gone yet
 *
 * Where:    child, in all of the container's namespaces and its cgroup; the container's root is mounted in
 *           the copy of the host's tree, and only a chroot makes it ours (stage_root).
 * Must:     have the parent run its hooks first, then run ours, with the root as working directory;
 *           pivot.
 * Must not: do anything where no hook of these points is listed: the pivot has happened then.
 * Leaves:   what stage_root leaves otherwise.
 */
int stage_hooks(struct start *start, struct error *err)
{
	auto_(json_decref) json_t *state = NULL;
	int r;

	if (!start_pivots_late(start))
		return 0;
	r = see_the_host_again(start, err);
	if (r < 0)
		return r;
	r = sync_send(start->sync_child, SYNC_HOOKS, NO_FD);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "ask for hooks");
	r = sync_expect(start->sync_child, SYNC_HOOKED, NULL, err);
	if (r < 0)
		return r;
	if (fchdir(start->root_fd) < 0)
		return err_set(err, ERR_SYSTEM, errno, "change to the container's root");
	state = start_hook_state(start, "creating");
	r = hooks_run(&start->spec, SPEC_HOOK_CREATE_CONTAINER, state, NULL, err);
	if (r < 0)
		return r;
	r = mount_pivot(start->root_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "pivot into the root");
	cleanup_close_fd(&start->host_root_fd);
	return 0;
}
