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
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/signal_name.h"
#include "engine/container_internal.h"
#include "engine/emit.h"
#include "engine/monitor_link.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#define KILL_TIMEOUT_MS 10000

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

static int mark_paused(const struct container *c, bool on)
{
	struct stat st;

	if (fstatat(c->state_fd, STATE_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	st.st_mode &= 07777;
	st.st_mode = on ? st.st_mode | STATE_MODE_PAUSED : st.st_mode & ~STATE_MODE_PAUSED;
	return fchmodat(c->state_fd, STATE_FILE_NAME, st.st_mode, 0) < 0 ? -errno : 0;
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
	if (on && mark_paused(c, true) < 0)
		return err_set(err, ERR_SYSTEM, errno, "mark container %s as paused",
			       c->record.name);
	r = cgroup_freeze(group, on);
	if (!on || r < 0)
		(void)mark_paused(c, false);
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
	r = freeze(&c, &view, pause, err);
	if (r >= 0)
		emit_container(&c, pause ? "pause" : "unpause", NULL);
	return r;
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

static void emit_kill(const struct container *c, int signal)
{
	char number[16];
	const struct event_attribute more[] = {{"signal", number}, {0}};

	(void)snprintf(number, sizeof(number), "%d", signal);
	emit_container(c, "kill", more);
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
	emit_kill(c, signal);
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

/* Said before anything is done: whoever sees the end knows whether it was meant. */
static int announce_end(const struct container *c, const struct end_request *request,
			struct error *err)
{
	const struct stop_mark *mark = &request->mark;
	int r;

	if (c->state_fd < 0 || (c->config.auto_remove && !mark->keeps))
		return 0;
	r = stop_mark_save(c->state_fd, mark);
	if (r < 0 && r != -ENOENT) /* its monitor has just taken the directory away */
		return err_set(err, ERR_SYSTEM, -r, "announce the end of container %s",
			       c->record.name);
	return 0;
}

/* Ends what runs now. 1 when another run may have begun meanwhile: the mark came too late. */
static int end_run(struct container *c, const struct end_request *request, int *ret_exit_code,
		   struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_look_settled(c, &view, err);
	if (r < 0)
		return r;
	if (!container_view_is_alive(&view) && view.status != CONTAINER_RESTARTING)
		return 0;
	r = announce_end(c, request, err);
	if (r >= 0 && view.status != CONTAINER_RESTARTING)
		r = end_init(c, &view, request->signal, request->timeout_s, ret_exit_code, err);
	if (r < 0)
		return r;
	if (!view.monitor_alive)
		return 0;
	/*
	 * Its lock goes before its process, which may still give the last bytes to somebody who reads
	 * slowly: that is not ours to wait for.
	 */
	r = container_wait_gone_or_again(c, &view.state.init, err);
	return r < 0 ? r : 1;
}

int container_end(struct container *c, const struct end_request *request, int *ret_exit_code,
		  struct error *err)
{
	int r;

	*ret_exit_code = -1;
	do
		r = end_run(c, request, ret_exit_code, err);
	while (r == 1);
	return r;
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

int container_end_and_bury(struct container *c, const struct end_request *request,
			   struct error *err)
{
	auto_close int lock_fd = NO_FD;
	int exit_code, r;

	r = wait_for_starter(c, err);
	if (r < 0)
		return r;
	if (c->state_fd < 0)
		return 0;
	r = container_end(c, request, &exit_code, err);
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
	if (r >= 0 && c->config.auto_remove && !request->mark.keeps)
		r = container_erase(c, /* volumes= */ true, err);
	return r;
}

static int64_t stop_timeout(const struct container_config *config, int64_t timeout_s)
{
	if (timeout_s != -1)
		return timeout_s;
	return config->stop_timeout_set ? config->stop_timeout_s : CONTAINER_STOP_TIMEOUT_S;
}

static int end_by_request(struct container *c, const char *signal, int64_t timeout_s,
			  const struct stop_mark *mark, struct error *err)
{
	struct end_request request = {
		.timeout_s = stop_timeout(&c->config, timeout_s),
		.mark = *mark,
	};
	bool ran;
	int r;

	if (!signal || !*signal)
		signal = c->config.stop_signal ? c->config.stop_signal : "SIGTERM";
	request.signal = signal_name_parse(signal, err);
	if (request.signal < 0)
		return request.signal;
	ran = c->state_fd >= 0;
	r = container_end_and_bury(c, &request, err);
	if (r >= 0 && ran)
		emit_container(c, "stop", NULL);
	return r;
}

int container_stop(struct engine *engine, const char *selector, const char *signal,
		   int64_t timeout_s, struct error *err)
{
	const struct stop_mark mark = {.cancels = true, .by_hand = true};
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	int r;

	r = container_open(engine, selector, &c, err);
	return r < 0 ? r : end_by_request(&c, signal, timeout_s, &mark, err);
}

int container_shut_down(struct engine *engine, const char *selector, int64_t timeout_s,
			struct error *err)
{
	const struct stop_mark mark = {.cancels = true};
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	int r;

	r = container_open(engine, selector, &c, err);
	return r < 0 ? r : end_by_request(&c, NULL, timeout_s, &mark, err);
}

/*
 * The upper directory of a --rm container was mounted without syncing; the kernel leaves a mark in
 * `work` that keeps it from being mounted again. It was ended in order, so what it wrote is there.
 */
static int renew_work(const struct container *c, struct error *err)
{
	int r = path_remove_tree(c->dir_fd, "work");

	if (r == 0 && mkdirat(c->dir_fd, "work", 0700) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "renew the work directory of container %s",
			       c->record.name);
	return 0;
}

int container_restart(struct engine *engine, const char *selector, const char *signal,
		      int64_t timeout_s, struct monitor_link *link, struct error *err)
{
	const struct stop_mark mark = {.cancels = true, .keeps = true};
	const struct monitor_link_options options = {0};
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = end_by_request(&c, signal, timeout_s, &mark, err);
	if (r >= 0 && c.config.auto_remove && c.dir_fd >= 0)
		r = renew_work(&c, err);
	if (r < 0)
		return r;
	r = container_start(engine, c.record.id, link, &options, err);
	if (r >= 0)
		emit_container(&c, "restart", NULL);
	return r;
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
	emit_kill(c, number);
	return 0;
}

/* docker's rule for which signal ends a container for good: SIGKILL, its stop signal, or, when it
 * was made without one, any. */
static bool cancels_restarts(const struct container *c, int number)
{
	auto_(error_release) struct error ignored = {0};

	return number == SIGKILL || !c->config.stop_signal ||
	       signal_name_parse(c->config.stop_signal, &ignored) == number;
}

static int kill_alive(struct container *c, const struct container_view *view, int number,
		      struct error *err)
{
	struct end_request request = {
		.signal = number,
		.timeout_s = KILL_TIMEOUT_MS / 1000,
		.mark = {.cancels = cancels_restarts(c, number), .by_hand = true},
	};
	int r;

	if (number == SIGKILL || (view->status == CONTAINER_RESTARTING && request.mark.cancels))
		return container_end_and_bury(c, &request, err);
	r = announce_end(c, &request, err);
	if (r >= 0 && view->status != CONTAINER_RESTARTING)
		r = send_signal(c, view, number, err);
	if (r < 0)
		return r;
	/* As docker: a signal that may end it also wakes it. */
	if (view->status == CONTAINER_PAUSED && (number == SIGTERM || number == SIGINT))
		return freeze(c, view, false, err);
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
	if (view.status != CONTAINER_RESTARTING)
		r = container_require_alive(&c, &view, err);
	if (r >= 0)
		r = kill_alive(&c, &view, number, err);
	return r < 0 ? err_wrap(err, r, "cannot kill container: %s", selector) : 0;
}
