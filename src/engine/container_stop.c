/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: ending a container.
 *
 * PID 1 is held by a pidfd that was checked against its start time, so no signal ever reaches a
 * process that merely has its number. When PID 1 ends, the kernel kills the rest of its pid namespace;
 * what shares the host's is in the cgroup, which whoever cleans up (the monitor, or container_bury()
 * for an orphan) empties. Every wait is for a descriptor and has a deadline. Any of these may happen
 * at any moment and is a normal end: the process dies by itself, somebody else stops or kills it too,
 * the monitor is killed.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "engine/container_internal.h"
#include "engine/monitor_link.h"
#include "engine/signal_name.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#define KILL_TIMEOUT_MS 10000
#define MONITOR_TIMEOUT_MS 30000

/* ---- waiting for the monitor ---- */

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

/* Until nobody holds the lock or, with `or_started`, until whoever holds it has said what runs. */
static int wait_lock(int state_fd, bool or_started)
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
		if (or_started && has_started(state_fd))
			return 0;
		r = wait_for_change(inotify_fd, deadline_ns);
	} while (r == 0);
	return r;
}

static int wait_monitor(const struct container *c, bool or_started, struct error *err)
{
	int r = c->state_fd < 0 ? 0 : wait_lock(c->state_fd, or_started);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "wait for the monitor of container %s",
			       c->record.name);
	return 0;
}

int container_look_settled(const struct container *c, struct container_view *ret_view,
			   struct error *err)
{
	for (;;) {
		auto_(container_view_release) struct container_view view = {0};
		int r;

		r = container_look(c, &view, err);
		if (r < 0)
			return r;
		if (container_view_is_alive(&view) || !view.monitor_alive) {
			*ret_view = view;
			view = (struct container_view){0};
			return 0;
		}
		r = wait_monitor(c, /* or_started= */ true, err);
		if (r < 0)
			return r;
	}
}

/* ---- paused containers ---- */

static int open_cgroup_of(const struct container *c, const struct container_view *view,
			  struct cgroup_host **ret_host, struct cgroup **ret_group,
			  struct error *err)
{
	int r = -ENOENT;

	if (view->state.cgroup_path && *view->state.cgroup_path) {
		r = cgroup_host_open(ret_host);
		if (r == 0)
			r = cgroup_open(*ret_host, view->state.cgroup_path, ret_group);
	}
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open the cgroup of container %s",
			       c->record.name);
	return 0;
}

static int freeze(const struct container *c, const struct container_view *view, bool on,
		  struct error *err)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r;

	r = open_cgroup_of(c, view, &host, &group, err);
	if (r < 0)
		return r;
	/* The mark comes first and goes last: who sees none need not ask the kernel. */
	if (on && fchmodat(c->state_fd, STATE_FILE_NAME, STATE_MODE_PAUSED, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "mark container %s as paused",
			       c->record.name);
	r = cgroup_freeze(group, on);
	if (!on || r < 0)
		(void)fchmodat(c->state_fd, STATE_FILE_NAME, STATE_MODE_USUAL, 0);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "%s container %s", on ? "pause" : "unpause",
			       c->record.name);
	return 0;
}

int container_pause(struct engine *engine, const char *selector, bool pause, struct error *err)
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
	r = container_require_alive(&c, &view, err);
	if (r < 0)
		return r;
	if (pause && view.status == CONTAINER_PAUSED)
		return err_set(err, ERR_CONFLICT, 0, "Container %s is already paused", c.record.id);
	if (!pause && view.status != CONTAINER_PAUSED)
		return err_set(err, ERR_CONFLICT, 0, "Container %s is not paused", c.record.id);
	return freeze(&c, &view, pause, err);
}

/* ---- ending ---- */

/* 1 when the process has ended, 0 when it still lives. */
static int wait_end(int pidfd, int64_t timeout_ms)
{
	int64_t deadline_ns, left_ms;
	int r;

	if (timeout_ms < 0)
		return process_wait_end(pidfd, -1);
	deadline_ns = clock_monotonic_ns() + timeout_ms * 1000000;
	/* A timeout of months does not fit into poll(2)'s number. */
	do {
		left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
		if (left_ms < 0)
			left_ms = 0;
		r = process_wait_end(pidfd, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	} while (r == 0 && left_ms > INT_MAX);
	return r;
}

static int signal_and_wait(const struct container *c, const struct container_view *view, int pidfd,
			   int signal, int64_t timeout_ms, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	int r;

	r = process_signal(pidfd, signal);
	if (r < 0 && r != -ESRCH)
		return err_set(err, ERR_SYSTEM, -r, "send signal %d to container %s", signal,
			       c->record.name);
	/* A frozen process hears of its signal when it is thawed. */
	if (view->status == CONTAINER_PAUSED && freeze(c, view, false, &ignored) < 0)
		log_debug("engine", "ignoring: %s", err_message(&ignored));
	r = wait_end(pidfd, timeout_ms);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "wait for container %s", c->record.name);
	return r;
}

static int end_init(const struct container *c, const struct container_view *view, int signal,
		    int64_t timeout_s, int *ret_exit_code, struct error *err)
{
	bool forever = timeout_s < 0 || timeout_s > INT64_MAX / 1000000000;
	int64_t timeout_ms = forever ? -1 : timeout_s * 1000;
	auto_close int pidfd = process_id_open(&view->state.init);
	int r;

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return err_set(err, ERR_SYSTEM, -pidfd, "hold the process of container %s",
			       c->record.name);
	r = signal_and_wait(c, view, pidfd, signal, timeout_ms, err);
	if (r == 0)
		r = signal_and_wait(c, view, pidfd, SIGKILL, KILL_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_SYSTEM, ETIMEDOUT, "container %s does not die",
			       c->record.name);
	*ret_exit_code = process_exit_code(pidfd);
	return 0;
}

int container_end(struct container *c, int signal, int64_t timeout_s, int *ret_exit_code,
		  struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r;

	*ret_exit_code = -1;
	r = container_look_settled(c, &view, err);
	if (r < 0)
		return r;
	if (!container_view_is_alive(&view))
		return 0;
	r = end_init(c, &view, signal, timeout_s, ret_exit_code, err);
	if (r < 0)
		return r;
	/*
	 * Its lock goes before its process, which may still give the last bytes to somebody who reads
	 * slowly: that is not ours to wait for.
	 */
	return view.monitor_alive ? wait_monitor(c, /* or_started= */ false, err) : 0;
}

/* A container that is being started has no state yet: its starter holds the lock until it has. */
static int wait_for_starter(struct container *c, struct error *err)
{
	auto_close int lock_fd = NO_FD;

	if (c->dir_fd < 0)
		return 0;
	lock_fd = container_lock(c, err);
	if (lock_fd < 0)
		return lock_fd;
	return container_reopen_state(c, err);
}

int container_end_and_bury(struct container *c, int signal, int64_t timeout_s, struct error *err)
{
	auto_close int lock_fd = NO_FD;
	int exit_code, r;

	r = wait_for_starter(c, err);
	if (r < 0)
		return r;
	if (c->state_fd < 0)
		return 0;
	r = container_end(c, signal, timeout_s, &exit_code, err);
	if (r < 0)
		return r;
	if (c->dir_fd < 0)
		return container_bury(c, exit_code, err);
	lock_fd = container_lock(c, err);
	if (lock_fd == -ENOENT && err->kind == ERR_NOT_FOUND) {
		error_release(err); /* --rm: somebody has removed it */
		return 0;
	}
	if (lock_fd < 0)
		return lock_fd;
	r = container_reopen_state(c, err);
	if (r >= 0)
		r = container_bury(c, exit_code, err);
	/* With --rm somebody else is about to do this too; who asks us to end it need not wait twice. */
	if (r >= 0 && c->config.auto_remove)
		r = container_erase(c, /* volumes= */ true, err);
	return r;
}

static int64_t stop_timeout(const struct container_config *config, int64_t timeout_s)
{
	if (timeout_s != -1)
		return timeout_s;
	return config->stop_timeout_set ? config->stop_timeout_s : CONTAINER_STOP_TIMEOUT_S;
}

int container_stop(struct engine *engine, const char *selector, const char *signal,
		   int64_t timeout_s, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	int number, r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	if (!signal || !*signal)
		signal = c.config.stop_signal ? c.config.stop_signal : "SIGTERM";
	number = signal_name_parse(signal, err);
	if (number < 0)
		return number;
	return container_end_and_bury(&c, number, stop_timeout(&c.config, timeout_s), err);
}

/* ---- kill ---- */

static int send_signal(struct container *c, const struct container_view *view, int number,
		       struct error *err)
{
	auto_close int pidfd = process_id_open(&view->state.init);
	int r = pidfd < 0 ? pidfd : process_signal(pidfd, number);

	if (r == -ESRCH)
		return err_set(err, ERR_CONFLICT, 0, "container %s is not running", c->record.id);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "send signal %d", number);
	return 0;
}

int container_kill(struct engine *engine, const char *selector, const char *signal,
		   struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	int number, r;

	number = signal_name_parse(signal && *signal ? signal : "SIGKILL", err);
	if (number < 0)
		return number;
	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	r = container_require_alive(&c, &view, err);
	if (r < 0)
		return err_wrap(err, r, "cannot kill container: %s", selector);
	if (number == SIGKILL)
		return container_end_and_bury(&c, SIGKILL, KILL_TIMEOUT_MS / 1000, err);
	r = send_signal(&c, &view, number, err);
	if (r < 0)
		return err_wrap(err, r, "cannot kill container: %s", selector);
	/* As docker: a signal that may end it also wakes it. */
	if (view.status == CONTAINER_PAUSED && (number == SIGTERM || number == SIGINT))
		return freeze(&c, &view, false, err);
	return 0;
}

/* ---- wait ---- */

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
		r = wait_monitor(&c, /* or_started= */ false, err);
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
