/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "engine/container_internal.h"

static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};

static_assert(ARRAY_SIZE(names) == CONTAINER_NS_COUNT, "a name for each namespace");

void container_namespaces_look(int state_fd, struct container_summary *s)
{
	auto_(container_state_release) struct container_state state = {0};
	uint64_t inodes[CONTAINER_NS_COUNT] = {0};

	if (container_state_load(state_fd, &state) < 0)
		return;
	for (size_t i = 0; i < CONTAINER_NS_COUNT; i++) {
		char path[48];
		struct stat st;

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)state.init.pid, names[i]);
		if (stat(path, &st) == 0)
			inodes[i] = st.st_ino;
	}
	/* Asked last: a number that is given to another process belongs to a dead one before. */
	if (!process_id_is_alive(&state.init))
		return;
	s->pid = state.init.pid;
	for (size_t i = 0; i < CONTAINER_NS_COUNT; i++)
		s->namespaces[i] = inodes[i];
}
