/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "engine/container_internal.h"
#include "engine/network_internal.h"
#include "network/names.h"
#include "sys/process.h"

/* The monitor reads the plan anew; an orphan's is gone, and with it its resolver. */
static void tell_monitor(const struct container *container)
{
	auto_(container_state_release) struct container_state state = {0};
	auto_close int pidfd = NO_FD;

	if (container->state_fd < 0 || container_state_load(container->state_fd, &state) < 0)
		return;
	pidfd = process_id_open(&state.monitor);
	if (pidfd >= 0)
		(void)process_signal(pidfd, SIGHUP);
}

int container_names_change(const struct container *container, const struct network_plan *before,
			   const struct network_plan *after, struct error *err)
{
	const char *id = container->record.id;
	int state_fd = engine_state_fd(container->engine, err);
	int r = 0;

	if (state_fd < 0)
		return state_fd;
	for (size_t i = 0; i < before->interface_count; i++)
		names_remove(state_fd, id, &before->interfaces[i]);
	for (size_t i = 0; i < after->interface_count && r == 0; i++)
		r = names_add(state_fd, id, &after->interfaces[i]);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the container's names known");
	tell_monitor(container);
	return 0;
}
