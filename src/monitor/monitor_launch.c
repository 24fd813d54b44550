/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "monitor/monitor_internal.h"

/* A directory that is removed under us this often in a row is being fought over. */
#define LOCK_TRIES 16

int monitor_receive(struct monitor *m, int control_sock, struct error *err)
{
	int *const kept[] = {&m->root_fd, &m->container_fd, &m->state_fd, &m->start_lock_fd};
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	ssize_t n;
	int r;

	n = fd_recv(control_sock, m->buffer, MONITOR_MESSAGE_MAX, fds, FD_PASS_MAX, &nfds);
	if (n == 0)
		return 0;
	if (n < 0)
		return err_set(err, ERR_INTERNAL, (int)-n, "receive what to launch: %s",
			       errno_text((int)-n));
	for (size_t i = 0; i < nfds; i++) {
		if (i < ARRAY_SIZE(kept))
			*kept[i] = fds[i];
		else
			(void)close(fds[i]);
	}
	m->request = xmalloc(sizeof(*m->request));
	r = monitor_launch_parse(m->buffer, (size_t)n, m->request);
	if (r < 0 || nfds != ARRAY_SIZE(kept))
		return err_set(err, ERR_INTERNAL, EBADMSG, "what to launch is not a valid message");

	memcpy(m->id, m->request->id, sizeof(m->id));
	m->tty_rows = m->request->tty_rows;
	m->tty_cols = m->request->tty_cols;
	m->root = xstrdup(m->request->root);
	m->state = xstrdup(m->request->state);
	return 1;
}

/* See monitor_internal.h. -EWOULDBLOCK: held by another; -ESTALE: the file or its directory went.
 */
static int try_lock(int state_fd, int *ret_lock_fd)
{
	auto_close int fd = NO_FD;
	struct stat st;

	fd = lock_file(state_fd, STATE_LOCK_NAME, /* wait= */ false);
	if (fd == -ENOENT)
		return -ESTALE;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0)
		return -ESTALE;
	*ret_lock_fd = TAKE_FD(fd);
	return 0;
}

/* The directory we were given was removed by the end of an earlier run: makes it again. */
static int reopen_state(struct monitor *m)
{
	auto_free char *path = xasprintf("%s/containers/%s", m->state, m->id);

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	cleanup_close_fd(&m->state_fd);
	m->state_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return m->state_fd < 0 ? -errno : 0;
}

static int take_lock(struct monitor *m, struct error *err)
{
	int r = -ESTALE;

	for (int i = 0; i < LOCK_TRIES && r == -ESTALE; i++) {
		r = i > 0 ? reopen_state(m) : 0;
		if (r == 0)
			r = try_lock(m->state_fd, &m->lock_fd);
	}
	if (r == -EWOULDBLOCK)
		return err_set(err, ERR_CONFLICT, 0, "container is already running");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock container");
	cleanup_close_fd(&m->start_lock_fd);
	return 0;
}

static int begin_log(struct monitor *m, struct launch *launch, struct error *err)
{
	auto_free char *attributes = log_attributes_text(&launch->log_context.attributes);
	struct json_log_options options = {
		.max_bytes = launch->log_max_bytes,
		.max_files = launch->log_max_files,
		.compress = launch->log_compress,
		.attributes = attributes,
		.is_local = launch->log_driver == LOG_DRIVER_LOCAL,
	};
	int r;

	/* One that is started again goes on with its log. */
	if (launch->log_driver == LOG_DRIVER_NONE || m->log.dir_fd >= 0)
		return 0;
	if (launch->log_driver == LOG_DRIVER_JOURNALD || launch->log_driver == LOG_DRIVER_SYSLOG) {
		r = log_remote_open(launch->log_driver, &launch->log_context, &m->log_remote, err);
		if (r < 0)
			return r;
		options.send = log_remote_send;
		options.context = m->log_remote;
	}
	json_log_init(&m->log, m->container_fd, &options);
	return 0;
}

/*
 * stage_create() - the container's process, up to the exec of its command
 *
 * Where:    monitor.
 * Needs:    the lock.
 * Must not: block signals before the container's process is made: it would inherit that.
 * Leaves:   m->process; our ends of the container's streams in m->io.
 */
static int stage_create(struct monitor *m, const struct launch *launch, struct error *err)
{
	auto_(container_ends_close) struct container_ends ends = CONTAINER_ENDS_EMPTY;
	const struct monitor_network_place place = {m->id, m->state, m->container_fd};
	struct runtime_request request = {
		.id = m->id,
		.root_fd = m->root_fd,
		.bundle_fd = m->container_fd,
		.launch = launch,
		.tty_rows = m->tty_rows,
		.tty_cols = m->tty_cols,
	};
	int r;

	r = monitor_network_begin(launch->network, &place, &m->network, err);
	if (r < 0)
		return r;
	if (m->network) {
		request.make_network = monitor_network_make;
		request.network_context = m->network;
	}
	if (!launch->tty)
		r = container_io_open_pipes(&m->io, launch->open_stdin, &ends);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make pipes");
	memcpy(request.stdio, ends.fd, sizeof(request.stdio));

	r = runtime_create(&request, &m->process, err);
	if (r < 0)
		return r;
	if (!launch->tty)
		return 0;
	r = container_io_take_console(&m->io, TAKE_FD(m->process.console_fd), launch->open_stdin);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "take the container's terminal") : 0;
}

/*
 * stage_publish() - others may see the container
 *
 * Where:    monitor.
 * Needs:    the container's process, still waiting.
 * Leaves:   state.json and attach.sock; a client that connects is served after the start.
 */
static int stage_publish(struct monitor *m, struct error *err)
{
	struct container_state state = {
		.started_ns = m->started_ns,
		.restart_count = m->history.count,
		.has_health = m->health.check.test.count > 0,
	};
	int r;

	r = process_id_of(m->process.pid, &state.init);
	if (r == 0)
		r = process_id_of(getpid(), &state.monitor);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look up the container's process");
	state.cgroup_path = m->process.cgroup_path ? m->process.cgroup_path : (char *)"";
	monitor_health_announce(m);
	r = container_state_save(m->state_fd, &state);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write '%s'", STATE_FILE_NAME);
	/* One that is started again has kept it. */
	r = m->clients.listener.fd < 0 ? client_list_open(&m->clients, m->state_fd) : 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make '%s'", STATE_SOCKET_NAME);
	return 0;
}

static int run_stages(struct monitor *m, struct error *err)
{
	auto_(launch_release) struct launch launch = {0};
	sigset_t all;
	int r;

	r = launch_load(m->container_fd, &launch, err);
	if (r < 0)
		return r;
	m->auto_remove = launch.auto_remove;
	m->clients.stdin_once = launch.stdin_once;
	m->policy = launch.restart;
	free(m->event_attributes);
	m->event_attributes = TAKE_PTR(launch.event_attributes);
	health_check_release(&m->health.check);
	m->health.check = launch.health;
	launch.health = (struct health_check){0};
	r = begin_log(m, &launch, err);
	if (r < 0)
		return r;
	r = stage_create(m, &launch, err);
	if (r < 0)
		return r;
	launch_mounts_release(&m->mounts);
	m->mounts = launch.mounts;
	launch.mounts = (struct launch_mounts){0};

	/* From here on nothing but SIGKILL ends us; SIGCHLD is read from a descriptor. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	m->started_ns = clock_now_ns();
	m->started_monotonic_ns = clock_monotonic_ns();
	r = stage_publish(m, err);
	if (r < 0)
		return r;
	r = runtime_start(&m->process, err);
	if (r < 0)
		return r;
	monitor_emit_mounts(m);
	monitor_emit(m, "start", NULL);
	return 0;
}

int monitor_failure_code(const struct error *err)
{
	if (err->kind == ERR_COMMAND_MISSING)
		return 127;
	return err->kind == ERR_NOT_EXECUTABLE ? 126 : 128;
}

/* The container was never started; why, is worth keeping. */
static void note_failure(struct monitor *m, const struct error *err)
{
	struct container_exit record = {
		.exit_code = monitor_failure_code(err),
		.finished_ns = clock_now_ns(),
		.error = (char *)err_message(err),
	};
	int r = container_exit_save(m->container_fd, &record);

	if (r < 0)
		log_debug("monitor", "ignoring: write '%s': %s", EXIT_FILE_NAME, errno_text(-r));
}

static void take_back_process(struct monitor *m)
{
	auto_(error_release) struct error ignored = {0};

	if (m->process.pid > 0) {
		(void)kill(m->process.pid, SIGKILL);
		(void)waitpid(m->process.pid, NULL, __WALL);
		if (runtime_cleanup(&m->process, &ignored) < 0)
			log_debug("monitor", "ignoring: %s", err_message(&ignored));
		m->process.pid = 0;
	}
	monitor_network_end(m->network);
	container_io_release(&m->io);
	monitor_health_end(m);
}

/* Nothing of a container that was made and not started stays: process, cgroup, names in /run. */
static void take_back(struct monitor *m, const struct error *err)
{
	take_back_process(m);
	json_log_close(&m->log);
	if (m->log_remote)
		log_remote_free(TAKE_PTR(m->log_remote));
	note_failure(m, err);
	client_list_release(&m->clients);
	monitor_forget_state(m);
}

int monitor_launch(struct monitor *m, struct error *err)
{
	int r;

	r = take_lock(m, err);
	if (r < 0)
		return r;
	r = run_stages(m, err);
	if (r < 0)
		take_back(m, err);
	return r;
}

int monitor_launch_again(struct monitor *m, struct error *err)
{
	int64_t started_ns = m->started_ns;
	int r;

	m->root_fd = open(m->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->root_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", m->root);
	r = run_stages(m, err);
	cleanup_close_fd(&m->root_fd);
	if (r == 0) {
		r = container_io_start(&m->io, &m->loop);
		if (r < 0)
			err_set(err, ERR_SYSTEM, -r, "listen to the container");
	}
	if (r < 0) {
		take_back_process(m);
		m->started_ns = started_ns;
	}
	return r;
}
