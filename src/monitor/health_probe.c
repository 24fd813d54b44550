/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/health_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/utf8.h"
#include "runtime/container.h"
#include "sys/process.h"
#include "sys/process_tree.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define EXIT_UNKNOWN (-1)
#define KILL_TIMEOUT_MS 10000

/* What crosses the socket, followed by the output. */
struct probe_answer {
	int64_t start_ns, end_ns;
	int32_t exit_code;
};

#define OUTPUT_ROOM (HEALTH_OUTPUT_MAX + 256) /* "…", and words of ours around it */
#define ANSWER_MAX (sizeof(struct probe_answer) + OUTPUT_ROOM)

/* ---- in the process of the probe ---- */

struct probe {
	const struct health_probe_request *request;
	int root_fd, container_fd, answer_fd;
	struct strbuf output;
	bool is_truncated;
};

/* Takes what is there; false at the end of file. */
static bool take_output(struct probe *probe, int fd)
{
	char buffer[4096];
	ssize_t n = read(fd, buffer, sizeof(buffer));
	size_t room = HEALTH_OUTPUT_MAX - probe->output.len;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	if ((size_t)n > room) {
		probe->is_truncated = true;
		n = (ssize_t)room;
	}
	strbuf_add(&probe->output, buffer, (size_t)n);
	return true;
}

/*
 * Until the command has ended; its children may hold the pipe open, which does not matter. False
 * when it took too long.
 */
static bool watch(struct probe *probe, const struct exec_process *process, int output_fd)
{
	struct pollfd set[] = {
		{.fd = process->pidfd, .events = POLLIN},
		{.fd = output_fd, .events = POLLIN},
	};
	int64_t deadline_ns = clock_monotonic_ns() + probe->request->check->timeout_ns;

	for (;;) {
		int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / NS_PER_MS;

		if (left_ms <= 0)
			return false;
		if (poll(set, 2, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) <= 0)
			continue;
		if (set[1].revents && !take_output(probe, output_fd))
			set[1].fd = -1;
		if (set[0].revents)
			return true;
	}
}

/* What the pipe still holds; a child that goes on writing is not waited for. */
static void drain(struct probe *probe, int fd)
{
	struct pollfd set = {.fd = fd, .events = POLLIN};

	for (size_t i = 0; i < 1024 && poll(&set, 1, 0) > 0; i++)
		if (!take_output(probe, fd))
			break;
}

/* As Go prints a duration: "1m30s", "1.5s", "500ms". */
static void add_duration(struct strbuf *out, int64_t ns)
{
	int64_t minutes = ns / (60 * NS_PER_SECOND), rest = ns % (60 * NS_PER_SECOND);
	int64_t unit = ns < NS_PER_SECOND ? NS_PER_MS : NS_PER_SECOND;
	char fraction[16];
	size_t len = 0;

	if (minutes >= 60)
		strbuf_addf(out, "%lldh", (long long)(minutes / 60));
	if (minutes > 0)
		strbuf_addf(out, "%lldm", (long long)(minutes % 60));
	strbuf_addf(out, "%lld", (long long)(rest / unit));
	for (int64_t part = rest % unit; part > 0; part = part * 10 % unit)
		fraction[len++] = (char)('0' + part * 10 / unit);
	if (len > 0) {
		strbuf_addc(out, '.');
		strbuf_add(out, fraction, len);
	}
	strbuf_adds(out, unit == NS_PER_MS ? "ms" : "s");
}

static void add_timeout_words(struct probe *probe)
{
	struct strbuf words = {0};

	strbuf_adds(&words, "Health check exceeded timeout (");
	add_duration(&words, probe->request->check->timeout_ns);
	strbuf_adds(&words, probe->output.len > 0 ? "): " : ")");
	strbuf_add(&words, probe->output.data, probe->output.len);
	strbuf_release(&probe->output);
	probe->output = words;
}

static int run_command(struct probe *probe, const struct launch *launch, int output[2],
		       struct error *err)
{
	const struct exec_request request = {
		.state = probe->request->state,
		.bundle_fd = probe->container_fd,
		.root_fd = probe->root_fd,
		.launch = launch,
		.args = &probe->request->check->test,
		.enter = EXEC_ENTER_NAMESPACES,
		.stdio = {NO_FD, output[1], output[1]},
	};
	struct exec_process process;
	bool in_time;
	int r;

	r = runtime_exec(&request, &process, err);
	if (r < 0)
		return r;
	cleanup_close_fd(&output[1]);
	in_time = watch(probe, &process, output[0]);
	if (!in_time) {
		process_tree_kill(process.pid);
		(void)process_wait_end(process.pidfd, KILL_TIMEOUT_MS);
	}
	drain(probe, output[0]);
	if (probe->is_truncated)
		strbuf_adds(&probe->output, "...");
	if (!in_time)
		add_timeout_words(probe);
	return in_time ? exec_wait(&process) : EXIT_UNKNOWN;
}

static int check(struct probe *probe, struct error *err)
{
	auto_(launch_release) struct launch launch = {0};
	int output[2], r;

	r = launch_load(probe->container_fd, &launch, err);
	if (r < 0)
		return r;
	if (pipe2(output, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	if (fd_set_nonblock(output[0], true) < 0)
		return err_set(err, ERR_SYSTEM, EBADF, "make a pipe");
	return run_command(probe, &launch, output, err);
}

static void send_answer(const struct probe *probe, const struct probe_answer *answer)
{
	struct strbuf message = {0};

	strbuf_add(&message, answer, sizeof(*answer));
	strbuf_add(&message, probe->output.data,
		   probe->output.len < OUTPUT_ROOM ? probe->output.len : OUTPUT_ROOM);
	(void)fd_send(probe->answer_fd, message.data, message.len, NULL, 0);
	strbuf_release(&message);
}

static _Noreturn void run_probe(struct probe *probe)
{
	struct probe_answer answer = {.start_ns = clock_now_ns()};
	auto_(error_release) struct error err = {0};
	int r;

	r = check(probe, &err);
	if (r < 0 && err.kind != ERR_NONE) {
		strbuf_clear(&probe->output);
		strbuf_adds(&probe->output, err_message(&err));
	}
	answer.exit_code = r < 0 ? EXIT_UNKNOWN : r;
	answer.end_ns = clock_now_ns();
	send_answer(probe, &answer);
	_exit(0);
}

/* The lock, the clients, the terminal: nothing of the monitor's may live on in another process. */
static int keep_only(int fds[3])
{
	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 100);
		if (fds[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++) {
		if (dup3(fds[i], 3 + i, O_CLOEXEC) < 0)
			return -errno;
		fds[i] = 3 + i;
	}
	return syscall(SYS_close_range, 6U, ~0U, 0U) < 0 ? -errno : 0;
}

static _Noreturn void become_probe(const struct health_probe_request *request, int root_fd,
				   int answer_fd)
{
	int fds[3] = {root_fd, request->container_fd, answer_fd};
	struct probe probe = {.request = request};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "skiff-health", 0, 0, 0);
	process_reset_signals();
	if (keep_only(fds) < 0)
		_exit(1);
	probe.root_fd = fds[0];
	probe.container_fd = fds[1];
	probe.answer_fd = fds[2];
	run_probe(&probe);
}

/* ---- in the monitor ---- */

pid_t health_probe_start(const struct health_probe_request *request, int *ret_fd)
{
	auto_close int root_fd = open(request->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int ours = NO_FD;
	auto_close int theirs = NO_FD;
	int socks[2];
	pid_t pid;

	if (root_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return -errno;
	ours = socks[0];
	theirs = socks[1];
	pid = fork();
	if (pid == 0)
		become_probe(request, root_fd, theirs);
	if (pid < 0)
		return -errno;
	*ret_fd = TAKE_FD(ours);
	return pid;
}

int health_probe_finish(int fd, struct health_result *ret_result)
{
	auto_(strbuf_release) struct strbuf output = {0};
	char buffer[ANSWER_MAX];
	struct probe_answer answer;
	ssize_t n;

	n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n < (ssize_t)sizeof(answer))
		return -ENODATA;
	memcpy(&answer, buffer, sizeof(answer));
	utf8_add_valid(&output, buffer + sizeof(answer), (size_t)n - sizeof(answer));
	*ret_result = (struct health_result){
		.start_ns = answer.start_ns,
		.end_ns = answer.end_ns,
		.exit_code = answer.exit_code,
		.output = xstrdup(strbuf_text(&output)),
	};
	return 0;
}
