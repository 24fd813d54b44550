/* SPDX-License-Identifier: Apache-2.0 */
/*
 * theory: From one run to the next.
 *
 *	the run ends     its last output is delivered, exit.json is written, state.json says
 *	                 "restarting", the clients hear EXIT, and nothing of it is left
 *	waiting          for the time that restart.h says
 *	preparing        a helper (MONITOR_PREPARE_ARGV0) writes the configuration anew, as a command
 *	                 would: what the host has changed meanwhile is seen, and namespaces of other
 *	                 containers are found again
 *	launching        as the first time
 *
 * All the while the lock is held and attach.sock answers. Whoever ends the container by hand leaves
 * the stop mark in the state directory, which is watched: then we go on to the end. The mark is looked
 * at once more right before the launch; who writes it later finds a container that runs, and ends that.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "monitor/monitor_internal.h"
#include "sys/process.h"
#include "sys/self_exe.h"
#include "sys/timer.h"

enum phase {
	WAITING,
	PREPARING,
	PREPARED,
	CANCELLED,
	FAILED,
};

struct restart_work {
	struct monitor *m;
	enum phase phase;
	struct timer timer;
	struct event_source watch;  /* inotify of the state directory; descriptor owned */
	struct event_source helper; /* its socket; descriptor owned */
	struct error err;           /* of FAILED */
};

static void close_source(struct restart_work *work, struct event_source *source)
{
	if (source->fd >= 0)
		(void)event_want(&work->m->loop, source, 0);
	cleanup_close_fd(&source->fd);
}

static void restart_work_release(struct restart_work *work)
{
	timer_disarm(&work->timer);
	close_source(work, &work->watch);
	close_source(work, &work->helper); /* the helper ends by itself */
	error_release(&work->err);
}

DEFINE_CLEANUP_VALUE(struct restart_work, restart_work_release);

/* ---- whether ---- */

static bool is_wanted(struct monitor *m)
{
	struct restart_end end = {
		.exit_code = m->exit_code,
		.ran_ns = clock_monotonic_ns() - m->started_monotonic_ns,
	};

	m->stop = stop_mark_load(m->state_fd);
	if (m->stop.keeps) {
		m->auto_remove = false;
		m->clients.kept = true;
	}
	if (m->health.wants_stop)
		m->stop.cancels = m->stop.by_hand = true;
	if (m->health.wants_restart && !m->stop.cancels && !m->auto_remove) {
		m->history.count++;
		m->history.delay_ns = RESTART_DELAY_MIN_NS;
		return true;
	}
	end.is_cancelled = m->stop.cancels;
	end.stopped_by_hand = m->stop.by_hand;
	return restart_decide(&m->history, &m->policy, &end);
}

/* ---- the end of a run ---- */

static int save_restarting(struct monitor *m)
{
	struct container_state state = {
		.started_ns = m->started_ns,
		.restarting = true,
		.restart_count = m->history.count,
		.cgroup_path = m->process.cgroup_path,
	};
	int r = process_id_of(getpid(), &state.monitor);

	return r < 0 ? r : container_state_save(m->state_fd, &state);
}

static void end_run(struct monitor *m)
{
	auto_(error_release) struct error ignored = {0};
	int r;

	monitor_finish_run(m);
	json_log_flush(&m->log);
	monitor_note_exit(m);
	r = save_restarting(m);
	if (r < 0)
		log_debug("monitor", "ignoring: write '%s': %s", STATE_FILE_NAME, errno_text(-r));
	m->is_between_runs = true;
	client_list_send_run_exit(&m->clients, m->exit_code);
	monitor_network_end(m->network);
	monitor_network_free(TAKE_PTR(m->network));
	if (runtime_cleanup(&m->process, &ignored) < 0)
		log_debug("monitor", "ignoring: %s", err_message(&ignored));
	m->clients.container_pidfd = NO_FD;
	runtime_process_release(&m->process);
	container_io_release(&m->io);
	monitor_init_io(m);
}

/* ---- waiting and preparing ---- */

static void fail(struct restart_work *work)
{
	work->phase = FAILED;
}

static bool look_for_stop(struct restart_work *work)
{
	struct stop_mark mark = stop_mark_load(work->m->state_fd);

	if (mark.is_set)
		work->m->stop = mark;
	if (mark.cancels)
		work->phase = CANCELLED;
	return mark.cancels;
}

static void handle_watch(struct event_source *source, uint32_t events)
{
	char buffer[4096];

	(void)events;
	(void)!read(source->fd, buffer, sizeof(buffer));
	(void)look_for_stop(source->owner);
}

static int watch_state(struct restart_work *work)
{
	work->watch.handle = handle_watch;
	work->watch.owner = work;
	work->watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (work->watch.fd < 0 ||
	    inotify_add_watch(work->watch.fd, fd_path(work->m->state_fd).text, IN_MOVED_TO) < 0)
		return -errno;
	return event_want(&work->m->loop, &work->watch, EPOLLIN);
}

/* The helper's answer: STARTED, FAILED, or its end. */
static void handle_helper(struct event_source *source, uint32_t events)
{
	struct restart_work *work = source->owner;
	uint8_t *buffer = work->m->buffer;
	struct monitor_packet packet;
	ssize_t n = recv(source->fd, buffer, MONITOR_MESSAGE_MAX, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	(void)event_want(&work->m->loop, source,
			 0); /* the descriptor stays, and so does the helper */
	if (n <= 0 || monitor_packet_parse(buffer, (size_t)n, &packet) < 0) {
		(void)err_set(&work->err, ERR_INTERNAL, 0,
			      "what prepares a restart ended unexpectedly");
		fail(work);
	} else if (packet.type == MONITOR_FAILED) {
		work->err = (struct error){
			.kind = (enum error_kind)packet.failed.kind,
			.errnum = packet.failed.errnum,
			.message = xstrndup((const char *)packet.data, packet.len),
		};
		fail(work);
	} else {
		work->phase = PREPARED;
	}
}

static int start_helper(struct restart_work *work)
{
	struct monitor *m = work->m;
	const char *const argv[] = {MONITOR_PREPARE_ARGV0, m->root, m->state, m->id, NULL};
	struct self_exe_spawn spawn = {.argv = argv, .stdio = {NO_FD, NO_FD, NO_FD}};
	auto_close int pidfd = NO_FD;
	auto_close int theirs = NO_FD;
	int socks[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return -errno;
	work->helper =
		(struct event_source){.fd = socks[0], .handle = handle_helper, .owner = work};
	theirs = socks[1];
	spawn.sock = theirs;
	pid = self_exe_spawn(&spawn, &pidfd);
	return pid < 0 ? pid : event_want(&m->loop, &work->helper, EPOLLIN);
}

static void handle_timer(void *context)
{
	struct restart_work *work = context;
	int r;

	work->phase = PREPARING;
	r = start_helper(work);
	if (r < 0) {
		(void)err_set(&work->err, ERR_SYSTEM, -r, "prepare a restart");
		fail(work);
	}
}

static void wait_for_next_run(struct restart_work *work)
{
	int r;

	work->timer.fire = handle_timer;
	work->timer.context = work;
	r = watch_state(work);
	if (r == 0)
		r = timer_arm(&work->timer, &work->m->loop, work->m->history.delay_ns);
	if (r < 0) {
		(void)err_set(&work->err, ERR_SYSTEM, -r, "wait for the next start");
		fail(work);
		return;
	}
	if (look_for_stop(work)) /* written before we watched */
		return;
	while (work->phase == WAITING || work->phase == PREPARING)
		monitor_serve_once(work->m);
}

/* ---- the next run ---- */

static int launch(struct restart_work *work)
{
	struct monitor *m = work->m;
	int r;

	if (m->stop.is_set) { /* a signal by hand that was not the last word */
		(void)unlinkat(m->state_fd, STATE_STOP_NAME, 0);
		m->stop = (struct stop_mark){0};
	}
	m->has_ended = m->is_finished = false;
	r = monitor_launch_again(m, &work->err);
	if (r < 0) {
		m->has_ended = m->is_finished = true;
		return r;
	}
	m->is_between_runs = false;
	monitor_announce_run(m);
	monitor_health_begin(m);
	monitor_network_serve(m->network, &m->loop);
	monitor_reap(m);
	return 0;
}

static void note_failure(struct restart_work *work)
{
	struct monitor *m = work->m;

	log_debug("monitor", "restart: %s", err_message(&work->err));
	m->exit_code = monitor_failure_code(&work->err);
	m->failure = xstrdup(err_message(&work->err));
	m->finished_ns = clock_now_ns();
}

bool monitor_restart(struct monitor *m)
{
	auto_(restart_work_release) struct restart_work work = {
		.m = m,
		.timer = TIMER_EMPTY,
		.watch = {.fd = NO_FD},
		.helper = {.fd = NO_FD},
	};

	if (!is_wanted(m))
		return false;
	end_run(m);
	wait_for_next_run(&work);
	if (work.phase == PREPARED && !look_for_stop(&work) && launch(&work) == 0)
		return true;
	if (work.phase != CANCELLED)
		note_failure(&work);
	return false;
}
