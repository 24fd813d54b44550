/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "monitor/monitor_internal.h"
#include "sys/residency.h"
#include "sys/self_exe.h"

/* Memory is given back when nothing has happened for so long. */
#define CALM_MS 1000

/* What a remote log has not taken is offered again so often, with mode=non-blocking. */
#define LOG_RETRY_MS 100

/* ---- what happens ---- */

static void handle_output(void *context, enum json_log_stream stream, size_t len)
{
	struct monitor *m = context;

	client_list_send_output(&m->clients, stream, len);
	json_log_add(&m->log, stream, (const char *)m->buffer + 1, len, clock_now_ns());
	json_log_flush(&m->log);
}

static void handle_room(void *context)
{
	struct monitor *m = context;

	client_list_give_input(&m->clients);
}

void monitor_reap(struct monitor *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (json_log_reaped(&m->log, pid) || pid != m->process.pid)
			continue;
		m->has_ended = true;
		m->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static void handle_children(struct event_source *source, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(source->fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGHUP)
		monitor_network_reload(((struct monitor *)source->owner)->network);
	monitor_reap(source->owner);
}

/* ---- serving ---- */

static int start_serving(struct monitor *m)
{
	sigset_t children;
	int r;

	r = event_loop_open(&m->loop);
	if (r < 0)
		return r;
	(void)sigemptyset(&children);
	(void)sigaddset(&children, SIGCHLD);
	(void)sigaddset(&children, SIGHUP); /* its networks have changed */
	m->children = (struct event_source){.handle = handle_children, .owner = m};
	m->children.fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->children.fd < 0)
		return -errno;
	r = event_want(&m->loop, &m->children, EPOLLIN);
	if (r == 0)
		r = container_io_start(&m->io, &m->loop);
	if (r == 0)
		r = client_list_start(&m->clients, &m->loop);
	monitor_network_serve(m->network, &m->loop);
	/* Who ended while SIGCHLD was not blocked yet made no event. */
	monitor_reap(m);
	return r;
}

static void release_memory(struct monitor *m)
{
	json_log_trim(&m->log);
	client_list_trim(&m->clients);
	(void)madvise(m->buffer, MONITOR_MESSAGE_MAX, MADV_DONTNEED);
	(void)malloc_trim(0);
	m->is_calm = true;
	m->calm_at_once = false;
}

/* The end of a calm is only noticed here; the event itself is handled by the loop as any other. */
static void wait_calmly(struct monitor *m)
{
	release_memory(m);
	if (json_log_compress_at(&m->log) == 0)
		(void)residency_wait_readable(m->loop.epoll_fd);
}

static void handle_restart_policy(void *context, const struct restart_policy *policy)
{
	struct monitor *m = context;

	m->policy = *policy;
}

static void handle_health_run(void *context)
{
	struct monitor *m = context;

	if (m->health.health.status == HEALTH_NONE)
		client_list_send_health(&m->clients, HEALTH_NONE, -1);
	else
		monitor_health_run(m);
}

static int next_timeout_ms(const struct monitor *m)
{
	int64_t compress_at_ns = json_log_compress_at(&m->log);
	int timeout_ms = m->is_calm ? -1 : m->calm_at_once ? 0 : CALM_MS;
	int64_t left_ms;

	if (log_remote_is_behind(m->log_remote))
		return LOG_RETRY_MS;
	if (compress_at_ns == 0)
		return timeout_ms;
	left_ms = (compress_at_ns - clock_monotonic_ns()) / 1000000 + 1;
	if (left_ms < 0)
		left_ms = 0;
	return timeout_ms < 0 || left_ms < timeout_ms ? (int)left_ms : timeout_ms;
}

void monitor_serve_once(struct monitor *m)
{
	int64_t compress_at_ns;
	int r;

	r = event_loop_step(&m->loop, next_timeout_ms(m));
	if (r < 0)
		abort(); /* only a mistake of ours makes epoll_wait(2) fail */
	client_list_sweep(&m->clients);
	container_io_pause(&m->io, client_list_holds_output(&m->clients));

	compress_at_ns = json_log_compress_at(&m->log);
	if (compress_at_ns != 0 && clock_monotonic_ns() >= compress_at_ns)
		json_log_compress(&m->log);
	if (log_remote_is_behind(m->log_remote))
		log_remote_flush(m->log_remote);
	if (r > 0)
		m->is_calm = false;
	else if (!log_remote_is_behind(m->log_remote) && (!m->has_ended || m->is_between_runs))
		wait_calmly(m);
}

/* ---- life ---- */

void monitor_init_io(struct monitor *m)
{
	container_io_init(&m->io);
	m->io.buffer = m->buffer;
	m->io.buffer_size = MONITOR_MESSAGE_MAX;
	m->io.on_output = handle_output;
	m->io.on_room = handle_room;
	m->io.context = m;
}

static void monitor_init(struct monitor *m)
{
	*m = (struct monitor){.root_fd = NO_FD,
			      .container_fd = NO_FD,
			      .state_fd = NO_FD,
			      .lock_fd = NO_FD,
			      .start_lock_fd = NO_FD,
			      .log = JSON_LOG_EMPTY,
			      .health = MONITOR_HEALTH_EMPTY,
			      .loop = EVENT_LOOP_EMPTY};
	m->process =
		(struct runtime_process){.pidfd = NO_FD, .console_fd = NO_FD, .start_sock = NO_FD};
	m->children.fd = NO_FD;
	m->buffer = mmap(NULL, MONITOR_MESSAGE_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->buffer == MAP_FAILED)
		abort();
	monitor_init_io(m);
	client_list_init(&m->clients);
	m->clients.buffer = m->buffer;
	m->clients.io = &m->io;
	m->clients.on_restart_policy = handle_restart_policy;
	m->clients.on_health_run = handle_health_run;
	m->clients.context = m;
}

static void send_failed(int sock, const struct error *err)
{
	struct monitor_failed message = {
		.type = MONITOR_FAILED, .kind = (uint8_t)err->kind, .errnum = err->errnum};
	auto_(strbuf_release) struct strbuf text = {0};
	size_t len = strlen(err_message(err));

	if (len > MONITOR_MESSAGE_MAX - sizeof(message))
		len = MONITOR_MESSAGE_MAX - sizeof(message);
	strbuf_add(&text, &message, sizeof(message));
	strbuf_add(&text, err_message(err), len);
	(void)fd_send(sock, text.data, text.len, NULL, 0);
}

void monitor_announce_run(struct monitor *m)
{
	m->clients.container_pid = m->process.pid;
	m->clients.container_pidfd = m->process.pidfd;
	m->clients.is_between_runs = false;
}

/* The container runs: what only the start needed is closed and freed. */
static void settle(struct monitor *m, int control_sock)
{
	uint16_t flags = m->request->attach_flags;

	monitor_announce_run(m);
	client_list_add_launcher(&m->clients, control_sock, flags);
	if (flags == 0)
		m->clients.items[0]->is_dead = true;
	client_list_sweep(&m->clients);
	cleanup_close_fd(&m->root_fd);
	free(TAKE_PTR(m->request));
	(void)close(SELF_EXE_FD);
}

int monitor_main(void)
{
	auto_(error_release) struct error err = {0};
	static struct monitor monitor; /* for the life of the process */
	struct monitor *m = &monitor;
	int r;

	(void)prctl(PR_SET_NAME, MONITOR_ARGV0, 0, 0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)chdir("/");
	log_set_stage("monitor");
	monitor_init(m);
	(void)fcntl(MONITOR_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(SELF_EXE_FD, F_SETFD, FD_CLOEXEC);

	runtime_warm_up();
	r = monitor_receive(m, MONITOR_CONTROL_FD, &err);
	if (r == 0)
		return 0;
	if (r > 0)
		r = monitor_launch(m, &err);
	if (r < 0) {
		send_failed(MONITOR_CONTROL_FD, &err);
		return 1;
	}
	settle(m, MONITOR_CONTROL_FD);
	if (start_serving(m) < 0)
		abort();
	monitor_health_begin(m);
	do
		while (!m->has_ended)
			monitor_serve_once(m);
	while (monitor_restart(m));
	monitor_end(m);
	return 0;
}
