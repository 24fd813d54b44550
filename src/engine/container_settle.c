/* SPDX-License-Identifier: Apache-2.0 */
/* container_settle.c - waiting for a monitor that starts, restarts or ends */
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "engine/container_internal.h"

#define MONITOR_TIMEOUT_MS 30000

/* Something about the lock has changed: it was closed, or removed with its directory. */
static int wait_for_change(int inotify_fd, int64_t deadline_ns)
{
	struct pollfd poll_fd = {.fd = inotify_fd, .events = POLLIN};
	char events[4096];
	int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
	int r;

	if (left_ms <= 0)
		return -ETIMEDOUT;
	r = poll(&poll_fd, 1, (int)left_ms);
	if (r < 0 && errno != EINTR)
		return -errno;
	if (r > 0)
		(void)!read(inotify_fd, events, sizeof(events));
	return 0;
}

static bool has_started(int state_fd)
{
	return faccessat(state_fd, STATE_FILE_NAME, F_OK, 0) == 0;
}

/* Another process than `before`, which is over. */
static bool runs_again(int state_fd, const struct process_id *before)
{
	auto_(container_state_release) struct container_state state = {0};

	return container_state_load(state_fd, &state) == 0 && state.init.pid > 0 &&
	       (state.init.pid != before->pid || state.init.start_time != before->start_time);
}

struct awaited {
	bool start;                      /* that state.json is there */
	const struct process_id *before; /* that something else than this runs; NULL: not */
};

/* Until nobody holds the lock, or what is awaited has come. */
static int wait_lock(int state_fd, const struct awaited *awaited)
{
	int64_t deadline_ns = clock_monotonic_ns() + MONITOR_TIMEOUT_MS * INT64_C(1000000);
	auto_close int inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	if (inotify_fd < 0 ||
	    inotify_add_watch(inotify_fd, fd_path(state_fd).text,
			      IN_CLOSE_WRITE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_TO) < 0)
		return -errno;
	do {
		if (lock_is_held(state_fd, STATE_LOCK_NAME) != 1)
			return 0;
		if (awaited->start && has_started(state_fd))
			return 0;
		if (awaited->before && runs_again(state_fd, awaited->before))
			return 0;
		r = wait_for_change(inotify_fd, deadline_ns);
	} while (r == 0);
	return r;
}

static int wait_monitor(const struct container *c, const struct awaited *awaited, struct error *err)
{
	int r = c->state_fd < 0 ? 0 : wait_lock(c->state_fd, awaited);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "wait for the monitor of container %s",
			       c->record.name);
	return 0;
}

int container_wait_gone(const struct container *c, struct error *err)
{
	const struct awaited nothing = {0};

	return wait_monitor(c, &nothing, err);
}

int container_wait_gone_or_again(const struct container *c, const struct process_id *before,
				 struct error *err)
{
	const struct awaited again = {.before = before};

	return wait_monitor(c, &again, err);
}

int container_look_settled(const struct container *c, struct container_view *ret_view,
			   struct error *err)
{
	for (;;) {
		auto_(container_view_release) struct container_view view = {0};
		const struct awaited started = {.start = true};
		int r;

		r = container_look(c, &view, err);
		if (r < 0)
			return r;
		if (container_view_is_alive(&view) || view.status == CONTAINER_RESTARTING ||
		    !view.monitor_alive) {
			*ret_view = view;
			view = (struct container_view){0};
			return 0;
		}
		r = wait_monitor(c, &started, err);
		if (r < 0)
			return r;
	}
}
