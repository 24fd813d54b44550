/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "monitor/monitor_internal.h"
#include "runtime/state.h"
#include "sys/cgroup.h"
#include "sys/process.h"
#include "sys/self_exe.h"

/* A client that takes nothing for so long is not waited for, but for the one that launched us. */
#define LINGER_MS 10000

void monitor_finish_run(struct monitor *m)
{
	if (m->is_finished)
		return;
	monitor_health_end(m);
	container_io_drain(&m->io);
	json_log_finish(&m->log, clock_now_ns());
	m->oom_killed = m->process.cgroup && cgroup_oom_kills(m->process.cgroup) > 0;
	m->finished_ns = clock_now_ns();
	m->is_finished = true;
	monitor_emit_end(m);
}

void monitor_note_exit(struct monitor *m)
{
	struct container_exit record = {
		.exit_code = m->exit_code,
		.oom_killed = m->oom_killed,
		.started_ns = m->started_ns,
		.finished_ns = m->finished_ns,
		.error = m->failure,
		.restart_count = m->history.count,
		.stopped_by_hand = m->stop.by_hand,
	};
	int r = container_exit_save(m->container_fd, &record);

	if (r < 0)
		log_debug("monitor", "ignoring: write '%s': %s", EXIT_FILE_NAME, errno_text(-r));
}

static void remove_name(int dir_fd, const char *name, int flags)
{
	if (unlinkat(dir_fd, name, flags) < 0 && errno != ENOENT)
		log_debug("monitor", "ignoring: remove '%s': %s", name, errno_text(errno));
}

/*
 * Latency: a person waits for this. So the clients hear of the end as soon as it is true for them,
 * and read their last bytes while we are still removing things.
 *
 * "As soon as it is true": whoever looks at the container after that must see that it has ended, so
 * exit.json is there and state.json is gone by then. Nobody looks at one that removes itself.
 */
static void deliver(struct monitor *m)
{
	monitor_finish_run(m);
	json_log_close(&m->log);
	if (m->log_remote)
		log_remote_free(TAKE_PTR(m->log_remote));
	if (!m->auto_remove) {
		monitor_note_exit(m);
		remove_name(m->state_fd, STATE_FILE_NAME, 0);
	}
	client_list_send_exit(&m->clients, m->exit_code);
}

/*
 * The lock goes while we hold it. Somebody who wanted it already may have made a new one in the
 * directory, which then is not empty and stays: it is theirs.
 */
void monitor_forget_state(struct monitor *m)
{
	auto_close int parent_fd = NO_FD;

	if (m->lock_fd < 0)
		return;
	remove_name(m->state_fd, STATE_SOCKET_NAME, 0);
	remove_name(m->state_fd, STATE_FILE_NAME, 0);
	parent_fd = openat(m->state_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->stop.is_set)
		remove_name(m->state_fd, STATE_STOP_NAME, 0);
	remove_name(m->state_fd, STATE_LOCK_NAME, 0);
	if (parent_fd >= 0)
		remove_name(parent_fd, m->id, AT_REMOVEDIR);
	cleanup_close_fd(&m->lock_fd);
}

/*
 * Sends what the clients have not taken yet. The one that launched us may take hours (`run … |
 * less`) and loses nothing; by now we hold neither the lock nor anything of the container.
 */
static void linger(struct monitor *m)
{
	while (client_list_is_busy(&m->clients)) {
		int timeout_ms = client_list_is_behind(&m->clients) ? -1 : LINGER_MS;

		if (event_loop_step(&m->loop, timeout_ms) <= 0)
			return;
		client_list_sweep(&m->clients);
	}
}

/*
 * --rm, and the command that would have removed the container is gone or never was there: we
 * become that command. Returns only when that fails.
 */
static void become_remover(const struct monitor *m)
{
	const char *const argv[] = {"skiff", "--root", m->root, "--state", m->state,
				    "rm",    "-v",     m->id,   NULL};
	int exe_fd = self_exe_open();

	if (exe_fd < 0)
		return;
	process_reset_signals();
	(void)syscall(SYS_execveat, exe_fd, "", argv, environ, AT_EMPTY_PATH);
	log_debug("monitor", "ignoring: start 'skiff rm': %s", errno_text(errno));
}

void monitor_end(struct monitor *m)
{
	auto_(error_release) struct error err = {0};

	deliver(m);
	if (m->auto_remove)
		monitor_note_exit(m);
	monitor_network_end(m->network);
	if (runtime_cleanup(&m->process, &err) < 0)
		log_debug("monitor", "ignoring: %s", err_message(&err));
	monitor_forget_state(m);
	linger(m);
	if (m->auto_remove && !client_list_has_remover(&m->clients))
		become_remover(m);
}
