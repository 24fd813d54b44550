/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor and the engine's end of its connection, together: a real process, real sockets, a
 * "container" that is a shell script (fake_runtime.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "engine/monitor_link.h"
#include "monitor/monitor.h"
#include "monitor/protocol.h"
#include "runtime/launch.h"
#include "runtime/state.h"
#include "sys/process.h"
#include "sys/tty.h"

#define ALL_OUTPUT (MONITOR_WANT_STDOUT | MONITOR_WANT_STDERR)
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	char directory[64];
	char *root, *state;
	int root_fd, container_fd, state_fd;
	struct launch launch;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_free char *path = NULL;

	memcpy(f->directory, "/tmp/skiff-test-monitor-XXXXXX", 31);
	if (!mkdtemp(f->directory))
		return -1;
	f->root = xasprintf("%s/root", f->directory);
	f->state = xasprintf("%s/state", f->directory);
	path = xasprintf("%s/containers/%s", f->root, ID);
	(void)path_mkdir_parents(path, 0700);
	f->container_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->root_fd = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	path = xasprintf("%s/containers/%s", f->state, ID);
	(void)path_mkdir_parents(path, 0700);
	f->state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->launch.log_max_files = 1;
	*state = f;
	return f->state_fd < 0 || f->container_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	(void)close(f->root_fd);
	(void)close(f->container_fd);
	(void)close(f->state_fd);
	r = path_remove_tree(AT_FDCWD, f->directory);
	free(f->root);
	free(f->state);
	error_release(&f->err);
	free(f);
	return r;
}

/* ---- helpers ---- */

static void spawn(struct monitor_link *link)
{
	int socks[2];

	*link = MONITOR_LINK_EMPTY;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks), 0);
	link->pid = process_clone(0, NO_FD, &link->pidfd);
	if (link->pid == 0) {
		int sock = fcntl(socks[1], F_DUPFD_CLOEXEC, 20);

		(void)dup2(sock, MONITOR_CONTROL_FD);
		(void)close_range(4, ~0U, 0);
		_exit(monitor_main());
	}
	(void)close(socks[1]);
	link->sock = socks[0];
}

static int launch(struct fixture *f, struct monitor_link *link, const char *script, uint16_t flags)
{
	struct monitor_link_launch request = {
		.id = ID,
		.root = f->root,
		.state = f->state,
		.root_fd = f->root_fd,
		.container_fd = f->container_fd,
		.state_fd = f->state_fd,
		.options = {.attach_flags = flags, .tty_rows = 33, .tty_cols = 77},
	};
	auto_close int fd =
		openat(f->container_fd, "script", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(fd_write_all(fd, script, strlen(script)), 0);
	assert_int_equal(launch_save(f->container_fd, &f->launch, &f->err), 0);
	spawn(link);
	return monitor_link_launch(link, &request, &f->err);
}

static int text_file(const char *text, size_t len)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_int_equal(fd_write_all(fd, text, len), 0);
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

static char *text_of(int fd)
{
	char *text;

	(void)lseek(fd, 0, SEEK_SET);
	assert_int_equal(fd_read_text(fd, 256 << 20, &text, NULL), 0);
	return text;
}

struct outcome {
	int stdin_fd, stdout_fd, stderr_fd;
	struct stream_result result;
	char *out, *err;
};

static void stream(struct fixture *f, struct monitor_link *link, struct outcome *o)
{
	struct stream_request request = {.stdin_fd = o->stdin_fd};
	auto_close int out_fd = text_file("", 0);
	auto_close int err_fd = text_file("", 0);
	int r;

	request.stdout_fd = out_fd;
	request.stderr_fd = err_fd;
	r = monitor_link_stream(link, &request, &o->result, &f->err);
	if (r < 0)
		print_error("stream: %s\n", err_message(&f->err));
	assert_int_equal(r, 0);
	o->out = text_of(out_fd);
	o->err = text_of(err_fd);
}

static void outcome_release(struct outcome *o)
{
	free(o->out);
	free(o->err);
	cleanup_close_fd(&o->stdin_fd);
}

DEFINE_CLEANUP_VALUE(struct outcome, outcome_release);

static void wait_gone(struct fixture *f, struct monitor_link *link)
{
	assert_int_equal(process_wait_end(link->pidfd, 20000), 1);
	assert_int_equal(monitor_link_wait_gone(link, &f->err), 0);
	monitor_link_release(link);
}

static void assert_state_is_gone(const struct fixture *f)
{
	auto_free char *path = xasprintf("%s/containers/%s", f->state, ID);

	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static void assert_exit_record(const struct fixture *f, int exit_code)
{
	auto_(container_exit_release) struct container_exit record = {0};

	assert_int_equal(container_exit_load(f->container_fd, &record), 0);
	assert_int_equal(record.exit_code, exit_code);
	assert_true(record.finished_ns > 0);
}

/* ---- tests ---- */

static void test_output_and_exit_code(void **state)
{
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	auto_free char *log = NULL;
	struct monitor_link link;

	assert_int_equal(launch(f, &link, "echo to-out; echo to-err >&2; printf rest; exit 7",
				ALL_OUTPUT),
			 0);
	assert_false(link.tty);
	assert_true(link.container_pid > 0);
	stream(f, &link, &o);
	assert_int_equal(o.result.exit_code, 7);
	assert_string_equal(o.out, "to-out\nrest");
	assert_string_equal(o.err, "to-err\n");
	wait_gone(f, &link);
	assert_state_is_gone(f);
	assert_exit_record(f, 7);
	assert_int_equal(fd_read_file_at(f->container_fd, LOG_FILE_NAME, 65536, &log, NULL), 0);
	assert_non_null(strstr(log, "{\"log\":\"to-out\\n\",\"stream\":\"stdout\",\"time\":\"2"));
	assert_non_null(strstr(log, "{\"log\":\"to-err\\n\",\"stream\":\"stderr\",\"time\":\"2"));
	assert_non_null(strstr(log, "{\"log\":\"rest\",\"stream\":\"stdout\""));
}

static void test_killed_by_signal(void **state)
{
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	struct monitor_link link;

	assert_int_equal(launch(f, &link, "kill -TERM $$", ALL_OUTPUT), 0);
	stream(f, &link, &o);
	assert_int_equal(o.result.exit_code, 128 + SIGTERM);
	wait_gone(f, &link);
}

static void test_input_of_many_windows(void **state)
{
	enum { SIZE = 3 << 20 };
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	auto_free char *text = xmalloc(SIZE + 1);
	struct monitor_link link;

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)('a' + i % 23);
	text[SIZE] = '\0';
	o.stdin_fd = text_file(text, SIZE);
	f->launch.open_stdin = f->launch.stdin_once = true;
	f->launch.log_driver = LOG_DRIVER_NONE;
	assert_int_equal(launch(f, &link, "cat", ALL_OUTPUT | MONITOR_WANT_STDIN), 0);
	stream(f, &link, &o);
	assert_int_equal(o.result.exit_code, 0);
	assert_int_equal(strlen(o.out), SIZE);
	assert_memory_equal(o.out, text, SIZE);
	wait_gone(f, &link);
	assert_int_equal(faccessat(f->container_fd, LOG_FILE_NAME, F_OK, 0), -1);
}

static void test_no_stdin_is_end_of_file(void **state)
{
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	struct monitor_link link;

	assert_int_equal(launch(f, &link, "cat; echo end", ALL_OUTPUT), 0);
	stream(f, &link, &o);
	assert_string_equal(o.out, "end\n");
	wait_gone(f, &link);
}

/* The window is closed, and a signal still arrives. */
static void test_signal_to_one_who_does_not_read(void **state)
{
	enum { SIZE = 1 << 20 };
	struct fixture *f = *state;
	auto_free char *text = xcalloc(1, SIZE);
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	struct monitor_signal message = {.type = MONITOR_SIGNAL, .signal = SIGTERM};
	struct monitor_link link;
	pid_t helper;

	o.stdin_fd = text_file(text, SIZE);
	f->launch.open_stdin = f->launch.stdin_once = true;
	assert_int_equal(launch(f, &link,
				"trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep "
				"0.02; done",
				ALL_OUTPUT | MONITOR_WANT_STDIN),
			 0);
	/* The signal is sent on the same connection, behind all the input that fits. */
	helper = fork();
	if (helper == 0) {
		(void)poll(NULL, 0, 200);
		(void)fd_send(link.sock, &message, sizeof(message), NULL, 0);
		_exit(0);
	}
	stream(f, &link, &o);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	assert_int_equal(o.result.exit_code, 9);
	assert_string_equal(o.out, "ready\ncaught\n");
	wait_gone(f, &link);
}

/* 16 MB through a reader that is always late. */
static void test_back_pressure(void **state)
{
	struct fixture *f = *state;
	struct stream_request request = {.stdin_fd = NO_FD, .stderr_fd = NO_FD};
	struct stream_result result;
	struct monitor_link link;
	size_t total = 0;
	int fds[2];
	pid_t reader;
	int status;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	f->launch.log_driver = LOG_DRIVER_NONE;
	assert_int_equal(launch(f, &link, "head -c 16777216 /dev/zero; printf end", ALL_OUTPUT), 0);
	reader = fork();
	if (reader == 0) {
		static char buffer[1 << 16];
		bool good = false;
		ssize_t n;

		(void)close(fds[1]);
		(void)poll(NULL, 0, 100);
		while ((n = read(fds[0], buffer, sizeof(buffer))) > 0) {
			total += (size_t)n;
			good = buffer[n - 1] == 'd';
		}
		_exit(total == 16777216 + 3 && good ? 0 : 1);
	}
	request.stdout_fd = fds[1];
	assert_int_equal(monitor_link_stream(&link, &request, &result, &f->err), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	wait_gone(f, &link);
}

static void test_several_clients(void **state)
{
	struct fixture *f = *state;
	const struct monitor_link_options options = {.attach_flags = ALL_OUTPUT |
								     MONITOR_WANT_STDIN};
	const struct monitor_link_options only_exit = {.attach_flags = MONITOR_WANT_EXIT};
	auto_(outcome_release) struct outcome a = {.stdin_fd = text_file("hello\n", 6)};
	auto_(outcome_release) struct outcome b = {.stdin_fd = NO_FD};
	auto_(outcome_release) struct outcome c = {.stdin_fd = NO_FD};
	struct monitor_link link, first, second, third;

	f->launch.open_stdin = true; /* detached: docker leaves the input open */
	assert_int_equal(launch(f, &link, "read a; echo got $a; exit 3", 0), 0);
	assert_int_equal(lock_is_held(f->state_fd, STATE_LOCK_NAME), 1);
	assert_int_equal(monitor_link_attach(f->state_fd, &options, &first, &f->err), 0);
	assert_int_equal(monitor_link_attach(f->state_fd, &options, &second, &f->err), 0);
	assert_int_equal(monitor_link_attach(f->state_fd, &only_exit, &third, &f->err), 0);
	stream(f, &first, &a);
	stream(f, &second, &b);
	stream(f, &third, &c);
	assert_string_equal(a.out, "got hello\n");
	assert_string_equal(b.out, "got hello\n");
	assert_string_equal(c.out, "");
	assert_int_equal(a.result.exit_code, 3);
	assert_int_equal(c.result.exit_code, 3);
	monitor_link_release(&first);
	monitor_link_release(&second);
	monitor_link_release(&third);
	wait_gone(f, &link);
}

static void test_slow_extra_client_is_dropped(void **state)
{
	struct fixture *f = *state;
	const struct monitor_link_options options = {.attach_flags = ALL_OUTPUT |
								     MONITOR_WANT_STDIN};
	struct stream_request request = {.stdin_fd = NO_FD, .stdout_fd = NO_FD, .stderr_fd = NO_FD};
	struct stream_result result;
	struct monitor_link link, slow;

	f->launch.open_stdin = true;
	f->launch.log_driver = LOG_DRIVER_NONE;
	assert_int_equal(launch(f, &link, "read x; head -c 4000000 /dev/zero; exec sleep 60", 0),
			 0);
	assert_int_equal(monitor_link_attach(f->state_fd, &options, &slow, &f->err), 0);
	assert_int_equal(fd_send(slow.sock, "\x05go\n", 4, NULL, 0), 4);
	/* It hangs up once more than its queue and the socket hold has come. */
	while (poll(&(struct pollfd){.fd = slow.sock, .events = POLLRDHUP}, 1, 10000) == 0)
		fail_msg("not dropped");
	assert_true(monitor_link_stream(&slow, &request, &result, &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(err_message(&f->err), "not read in time"));
	monitor_link_release(&slow);
	(void)kill(link.container_pid, SIGKILL);
	wait_gone(f, &link);
	assert_exit_record(f, 128 + SIGKILL);
}

static void test_start_that_fails(void **state)
{
	struct fixture *f = *state;
	struct monitor_link link;

	(void)setenv("FAKE_RUNTIME_MISSING", "1", 1);
	assert_true(launch(f, &link, "true", ALL_OUTPUT) < 0);
	(void)unsetenv("FAKE_RUNTIME_MISSING");
	assert_int_equal(f->err.kind, ERR_COMMAND_MISSING);
	assert_string_equal(err_message(&f->err), "exec: \"nothing\": not found");
	assert_int_equal(link.pid, 0); /* reaped */
	monitor_link_release(&link);
	assert_state_is_gone(f);
	assert_exit_record(f, 127);
}

static void test_second_start_is_refused(void **state)
{
	struct fixture *f = *state;
	struct monitor_link link, other;

	assert_int_equal(launch(f, &link, "sleep 60", 0), 0);
	assert_true(launch(f, &other, "sleep 60", 0) < 0);
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_string_equal(err_message(&f->err), "container is already running");
	monitor_link_release(&other);
	(void)kill(link.container_pid, SIGKILL);
	wait_gone(f, &link);
}

/* The directory we have open is removed by the end of a run; a new run makes it again. */
static void test_state_directory_that_went(void **state)
{
	struct fixture *f = *state;
	struct monitor_link link;

	assert_int_equal(launch(f, &link, "true", 0), 0);
	wait_gone(f, &link);
	assert_state_is_gone(f);
	assert_int_equal(launch(f, &link, "exit 4", 0), 0);
	wait_gone(f, &link);
	assert_state_is_gone(f);
	assert_exit_record(f, 4);
}

static void test_never_launched(void **state)
{
	struct fixture *f = *state;
	struct monitor_link link;

	spawn(&link);
	cleanup_close_fd(&link.sock);
	wait_gone(f, &link);
}

static void test_monitor_is_killed(void **state)
{
	struct fixture *f = *state;
	struct stream_request request = {.stdin_fd = NO_FD, .stdout_fd = NO_FD, .stderr_fd = NO_FD};
	struct stream_result result;
	struct monitor_link link;

	assert_int_equal(launch(f, &link, "sleep 60", ALL_OUTPUT), 0);
	(void)kill(link.pid, SIGKILL);
	assert_true(monitor_link_stream(&link, &request, &result, &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_UNAVAILABLE);
	(void)kill(link.container_pid, SIGKILL);
	wait_gone(f, &link);
	assert_int_equal(lock_is_held(f->state_fd, STATE_LOCK_NAME), 0);
	/* What is left of it is in nobody's way. */
	assert_int_equal(launch(f, &link, "exit 5", 0), 0);
	wait_gone(f, &link);
	assert_state_is_gone(f);
	assert_exit_record(f, 5);
}

static void test_ignores_signals(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE};
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = text_file("x\n", 2)};
	struct monitor_link link;

	f->launch.open_stdin = true;
	assert_int_equal(launch(f, &link, "read x; echo alive", ALL_OUTPUT | MONITOR_WANT_STDIN),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		assert_int_equal(kill(link.pid, signals[i]), 0);
	stream(f, &link, &o);
	assert_string_equal(o.out, "alive\n");
	wait_gone(f, &link);
}

static void test_terminal(void **state)
{
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = text_file("stop\n", 5)};
	struct monitor_link link;

	f->launch.tty = f->launch.open_stdin = true;
	assert_int_equal(launch(f, &link, "stty size; test -t 2 && echo tty; read x; echo $x",
				ALL_OUTPUT | MONITOR_WANT_STDIN),
			 0);
	assert_true(link.tty);
	stream(f, &link, &o);
	assert_string_equal(o.err, "");
	assert_non_null(strstr(o.out, "33 77\r\n"));
	assert_non_null(strstr(o.out, "tty\r\n"));
	/* Its echo, wherever that came, and the answer. */
	assert_non_null(strstr(o.out, "stop\r\n"));
	assert_non_null(strstr(strstr(o.out, "stop\r\n") + 1, "stop\r\n"));
	wait_gone(f, &link);
}

/* Closing every end of the terminal is not the end of the container. */
static void test_terminal_closed_and_opened_again(void **state)
{
	struct fixture *f = *state;
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	struct monitor_link link;

	f->launch.tty = true;
	assert_int_equal(launch(f, &link,
				"t=$(tty); echo one; exec <&- >&- 2>&-; sleep 0.1; exec >$t; echo "
				"two; exec >&-; exit 6",
				ALL_OUTPUT),
			 0);
	stream(f, &link, &o);
	assert_string_equal(o.out, "one\r\ntwo\r\n");
	assert_int_equal(o.result.exit_code, 6);
	wait_gone(f, &link);
}

static void test_attach_changes_size(void **state)
{
	struct fixture *f = *state;
	const struct monitor_link_options options = {
		.attach_flags = ALL_OUTPUT, .tty_rows = 50, .tty_cols = 120};
	auto_(outcome_release) struct outcome o = {.stdin_fd = NO_FD};
	struct monitor_link link, attached;

	f->launch.tty = true;
	assert_int_equal(launch(f, &link,
				"trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; "
				"done",
				0),
			 0);
	/* Ready when it has said so in its log. */
	for (int i = 0; i < 500; i++) {
		auto_free char *log = NULL;

		if (fd_read_file_at(f->container_fd, LOG_FILE_NAME, 65536, &log, NULL) == 0 &&
		    strstr(log, "ready"))
			break;
		(void)poll(NULL, 0, 10);
	}
	assert_int_equal(monitor_link_attach(f->state_fd, &options, &attached, &f->err), 0);
	stream(f, &attached, &o);
	assert_string_equal(o.out, "50 120\r\n");
	monitor_link_release(&attached);
	wait_gone(f, &link);
}

static void test_attach_to_nothing(void **state)
{
	struct fixture *f = *state;
	const struct monitor_link_options options = {.attach_flags = ALL_OUTPUT};
	struct monitor_link link = MONITOR_LINK_EMPTY;

	assert_true(monitor_link_attach(f->state_fd, &options, &link, &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_CONFLICT);
}

int main(void)
{
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(test_output_and_exit_code),
		WITH_FIXTURE(test_killed_by_signal),
		WITH_FIXTURE(test_input_of_many_windows),
		WITH_FIXTURE(test_no_stdin_is_end_of_file),
		WITH_FIXTURE(test_signal_to_one_who_does_not_read),
		WITH_FIXTURE(test_back_pressure),
		WITH_FIXTURE(test_several_clients),
		WITH_FIXTURE(test_slow_extra_client_is_dropped),
		WITH_FIXTURE(test_start_that_fails),
		WITH_FIXTURE(test_second_start_is_refused),
		WITH_FIXTURE(test_state_directory_that_went),
		WITH_FIXTURE(test_never_launched),
		WITH_FIXTURE(test_monitor_is_killed),
		WITH_FIXTURE(test_ignores_signals),
		WITH_FIXTURE(test_terminal),
		WITH_FIXTURE(test_terminal_closed_and_opened_again),
		WITH_FIXTURE(test_attach_changes_size),
		WITH_FIXTURE(test_attach_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
