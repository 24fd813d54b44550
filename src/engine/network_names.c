/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "engine/container_internal.h"
#include "engine/network_internal.h"
#include "network/names.h"
#include "sys/process.h"

void container_network_tell(const struct container *container)
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
	container_network_tell(container);
	return 0;
}

int container_names_follow(struct container *container, struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	auto_(endpoint_set_release) struct endpoint_set endpoints = {0};
	auto_(network_plan_release) struct network_plan before = {0};
	auto_(network_plan_release) struct network_plan after = {0};
	int r;

	r = container_reopen_state(container, err);
	if (r >= 0)
		r = container_look(container, &view, err);
	if (r < 0 || !container_view_is_alive(&view))
		return r;
	r = endpoint_set_load(container->engine, container->record.id, &endpoints, err);
	if (r < 0 || endpoints.count == 0)
		return r;
	r = network_plan_replace(container, &endpoints, &before, &after, err);
	return r < 0 ? r : container_names_change(container, &before, &after, err);
}
