/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/fd.h"
#include "engine/container_internal.h"
#include "engine/monitor_link.h"
#include "sys/process.h"

/* Nobody will write down how an orphan ends: we see it ourselves, where the kernel tells. */
static int wait_orphan(struct container *c, const struct container_view *view, int *ret_exit_code,
		       struct error *err)
{
	auto_close int pidfd = process_id_open(&view->state.init);
	auto_close int lock_fd = NO_FD;
	int exit_code = -1, r;

	if (pidfd >= 0) {
		r = process_wait_end(pidfd, -1);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "wait for container %s",
				       c->record.name);
		exit_code = process_exit_code(pidfd);
	}
	lock_fd = container_lock(c, err);
	if (lock_fd < 0)
		return lock_fd;
	r = container_bury(c, exit_code, err);
	if (r >= 0)
		*ret_exit_code = exit_code >= 0 ? exit_code : 137;
	return r;
}

static int wait_by_link(const struct container *c, int *ret_exit_code, struct error *err)
{
	const struct monitor_link_options options = {.attach_flags = MONITOR_WANT_EXIT};
	const struct stream_request request = {
		.stdin_fd = NO_FD,
		.stdout_fd = NO_FD,
		.stderr_fd = NO_FD,
		.detach_keys = "",
	};
	auto_(monitor_link_release) struct monitor_link link = {.sock = NO_FD, .pidfd = NO_FD};
	struct stream_result result;
	int r;

	r = monitor_link_attach(c->state_fd, &options, &link, err);
	if (r < 0)
		return r;
	r = monitor_link_stream(&link, &request, &result, err);
	if (r >= 0)
		*ret_exit_code = result.exit_code;
	return r;
}

int container_wait(struct engine *engine, const char *selector, int *ret_exit_code,
		   struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	if (view.status == CONTAINER_ORPHANED)
		return wait_orphan(&c, &view, ret_exit_code, err);
	if (container_view_is_alive(&view)) {
		r = wait_by_link(&c, ret_exit_code, err);
		if (r >= 0 || err->kind != ERR_CONFLICT)
			return r;
		/* It ended before we were connected: exit.json knows. */
		error_release(err);
		r = container_wait_gone(&c, err);
		if (r < 0)
			return r;
	}
	container_view_release(&view);
	r = container_look_settled(&c, &view, err);
	if (r >= 0)
		*ret_exit_code = view.has_exit                   ? view.exit.exit_code
				 : view.status == CONTAINER_DEAD ? 137
								 : 0;
	return r;
}
