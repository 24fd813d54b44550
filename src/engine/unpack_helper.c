/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/unpack_helper.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "unpack/protocol.h"

#define PROGRAM_NAME "skiff-unpack"

/* Answers are JSON of at most UNPACK_RESULT_MAX bytes; progress lines are dropped as they come. */
#define PENDING_MAX (UNPACK_RESULT_MAX + ((size_t)64 << 10))

/* Where the child's descriptors wait before they get their numbers. */
#define PARKING_FD 10

void unpack_helper_release(struct unpack_helper *helper)
{
	if (helper->pid > 0) {
		(void)kill(helper->pid, SIGKILL);
		while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
			;
		cleanup_close_fd(&helper->result_fd);
	}
	strbuf_release(&helper->answer);
	*helper = (struct unpack_helper){.result_fd = NO_FD};
}

static char *program_path(void)
{
	const char *directory = getenv("SKIFF_LIBEXEC_DIR");

	if (directory && directory[0] == '/')
		return xasprintf("%s/" PROGRAM_NAME, directory);
	return xstrdup(UNPACK_PROGRAM);
}

/* In the child: descriptors get their numbers. Sources are parked above all targets first. */
static int place_fds(const struct unpack_start *start, int result_fd)
{
	const struct {
		int from, to;
	} moves[] = {
		{result_fd, UNPACK_RESULT_FD},
		{start->input_fd, UNPACK_INPUT_FD},
		{start->output_fd, UNPACK_OUTPUT_FD},
		{start->extra_fd, UNPACK_EXTRA_FD},
		{start->wake_fd > 0 ? start->wake_fd : NO_FD, UNPACK_WAKE_FD},
	};
	int parked[ARRAY_SIZE(moves)];
	int null_fd;

	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		parked[i] = NO_FD;
		if (moves[i].from < 0)
			continue;
		parked[i] = fcntl(moves[i].from, F_DUPFD_CLOEXEC, PARKING_FD);
		if (parked[i] < 0)
			return -errno;
	}
	/* Only now: the input may have been our standard input. */
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (parked[i] >= 0 && dup2(parked[i], moves[i].to) < 0)
			return -errno;
	return 0;
}

/* In the child. Only async-signal-safe calls would matter with threads, and there are none. */
static void run_child(const struct unpack_start *start, const char *program, char *const *argv,
		      int result_fd, pid_t parent)
{
	char *const environment[] = {
		getenv("SKIFF_DEBUG") ? xasprintf("SKIFF_DEBUG=%s", getenv("SKIFF_DEBUG")) : NULL,
		NULL,
	};
	auto_free char *answer = NULL;
	sigset_t none;
	int r;

	/* Ctrl-C is for us: the helper ends when we say so, or with us. */
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	r = place_fds(start, result_fd);
	if (r >= 0) {
		(void)execve(program, argv, environment);
		r = -errno;
		result_fd = UNPACK_RESULT_FD;
	}
	answer = xasprintf("{\"error\":{\"kind\":\"unavailable\",\"errno\":%d,"
			   "\"message\":\"start the helper " PROGRAM_NAME ": %s\"}}",
			   -r, errno_text(-r));
	(void)fd_write_all(result_fd, answer, strlen(answer));
	_exit(1);
}

int unpack_helper_start(const struct unpack_start *start, struct unpack_helper *ret_helper,
			struct error *err)
{
	auto_close int read_fd = NO_FD, write_fd = NO_FD;
	auto_free char *program = program_path();
	auto_(strv_release) struct strv argv = {0};
	pid_t pid, parent = getpid();
	int fds[2];
	int r;

	strv_add(&argv, PROGRAM_NAME);
	strv_add_all(&argv, start->args);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	r = fd_set_nonblock(read_fd, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a pipe");
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "start the helper " PROGRAM_NAME);
	if (pid == 0)
		run_child(start, program, argv.items, write_fd, parent);
	*ret_helper = (struct unpack_helper){.pid = pid, .result_fd = TAKE_FD(read_fd)};
	return 0;
}

static void note_progress(struct unpack_helper *helper, const char *line, size_t len)
{
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *object = NULL;
	int64_t bytes;

	if (json_parse(line, len, "progress", &object, &ignored) < 0)
		return;
	bytes = json_get_int(json_object_get(object, "progress"), "bytes", 0);
	if (bytes > 0)
		helper->done_bytes = (uint64_t)bytes;
}

/* All lines but the last are progress: the last complete one of them counts. */
static void drop_progress(struct unpack_helper *helper)
{
	struct strbuf *b = &helper->answer;
	static const char prefix[] = "{\"progress\"";
	char *end;

	while (b->len > strlen(prefix) && strncmp(b->data, prefix, strlen(prefix)) == 0 &&
	       (end = memchr(b->data, '\n', b->len))) {
		size_t used = (size_t)(end - b->data) + 1;

		note_progress(helper, b->data, used);
		memmove(b->data, b->data + used, b->len - used + 1);
		b->len -= used;
	}
}

int unpack_helper_read(struct unpack_helper *helper, struct error *err)
{
	char buffer[64 << 10];
	ssize_t n;

	for (;;) {
		n = read(helper->result_fd, buffer, sizeof(buffer));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n < 0)
			return err_set(err, ERR_SYSTEM, errno, "read from the helper");
		strbuf_add(&helper->answer, buffer, (size_t)n);
		drop_progress(helper);
		if (helper->answer.len > PENDING_MAX)
			return err_set(err, ERR_INTERNAL, EMSGSIZE,
				       "the answer of " PROGRAM_NAME " is too long");
	}
}

#define WAIT_MAX 2

int unpack_helper_wait(struct unpack_helper *const helpers[], size_t count, int signal_fd,
		       struct error *err)
{
	struct pollfd fds[WAIT_MAX + 1];
	size_t left = count;
	int r;

	assert(count <= WAIT_MAX);
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = helpers[i]->result_fd, .events = POLLIN};
	fds[count] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
	while (left > 0) {
		if (poll(fds, count + 1, -1) < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, errno, "wait for the helper");
		if (fds[count].revents)
			return err_set(err, ERR_CANCELLED, EINTR, "interrupted");
		for (size_t i = 0; i < count; i++) {
			if (fds[i].fd < 0)
				continue;
			r = unpack_helper_read(helpers[i], err);
			if (r < 0)
				return r;
			if (r > 0)
				continue;
			fds[i].fd = -1;
			left--;
		}
	}
	return 0;
}

static int take_error(const json_t *object, struct error *err)
{
	const char *kind = json_get_string(object, "kind", "internal");
	const char *message = json_get_string(object, "message", PROGRAM_NAME " failed");
	int64_t number = json_get_int(object, "errno", 0);

	error_release(err);
	err->kind = ERR_INTERNAL;
	for (int i = ERR_NONE + 1; i < ERROR_KIND_COUNT; i++)
		if (strcmp(error_kind_name((enum error_kind)i), kind) == 0)
			err->kind = (enum error_kind)i;
	err->errnum = number > 0 && number < 4096 ? (int)number : EIO;
	/* The text of the errno is in the message already. */
	err->message = xstrdup(message);
	return -err->errnum;
}

static int reap(struct unpack_helper *helper, int *ret_status, struct error *err)
{
	pid_t pid;

	do
		pid = waitpid(helper->pid, ret_status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "wait for the helper");
	helper->pid = 0;
	cleanup_close_fd(&helper->result_fd);
	return 0;
}

int unpack_helper_finish(struct unpack_helper *helper, const char *what, json_t **ret_answer,
			 struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	const json_t *failure;
	json_t *answer;
	int r, status;

	r = reap(helper, &status, err);
	if (r < 0)
		return r;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_INTERNAL, 0,
			       "the helper " PROGRAM_NAME " was killed by signal %d (%s)",
			       WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
	r = json_parse(strbuf_text(&helper->answer), helper->answer.len, "answer of the helper",
		       &object, err);
	if (r < 0)
		return r;
	failure = json_object_get(object, "error");
	if (failure)
		return take_error(failure, err);
	answer = json_object_get(object, what);
	if (!answer || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_INTERNAL, 0,
			       "the helper " PROGRAM_NAME " ended without an answer (status %d)",
			       WEXITSTATUS(status));
	*ret_answer = json_incref(answer);
	return 0;
}
