/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/ask_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "sys/process.h"

/* One that runs. */
struct conversation {
	const struct question *question;
	pid_t pid;
	int in_fd, out_fd;
};

static void conversation_end(struct conversation *conversation)
{
	cleanup_close_fd(&conversation->in_fd);
	cleanup_close_fd(&conversation->out_fd);
	if (conversation->pid <= 0)
		return;
	(void)kill(conversation->pid, SIGKILL);
	while (waitpid(conversation->pid, NULL, 0) < 0 && errno == EINTR)
		;
	conversation->pid = 0;
}

DEFINE_CLEANUP_VALUE(struct conversation, conversation_end);

static void run_child(const struct question *question, int in_fd, int out_fd, pid_t parent)
{
	char *const argv[] = {(char *)question->program, (char *)question->argument, NULL};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (dup2(in_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0)
		_exit(1);
	process_reset_signals();
	(void)execve(question->program, argv, question->environment);
	_exit(1);
}

static int start(struct conversation *conversation, struct error *err)
{
	const struct question *question = conversation->question;
	auto_close int child_in = NO_FD, child_out = NO_FD;
	pid_t parent = getpid();
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	child_in = to[0];
	conversation->in_fd = to[1];
	if (pipe2(from, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	conversation->out_fd = from[0];
	child_out = from[1];
	(void)fd_set_nonblock(conversation->in_fd, true);
	(void)fd_set_nonblock(conversation->out_fd, true);
	conversation->pid = fork();
	if (conversation->pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "start '%s'", question->name);
	if (conversation->pid == 0)
		run_child(question, child_in, child_out, parent);
	return 0;
}

/* Writes what fits; closes the pipe after the last byte. One that does not read has its reasons. */
static void feed(struct conversation *conversation, const char **input, size_t *left)
{
	ssize_t n = write(conversation->in_fd, *input, *left);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		*input += n;
		*left -= (size_t)n;
	}
	if (n < 0 || *left == 0)
		cleanup_close_fd(&conversation->in_fd);
}

/* 1 more may come, 0 end of the answer. */
static int drain(struct conversation *conversation, struct strbuf *answer, struct error *err)
{
	const struct question *question = conversation->question;
	char buffer[4096];
	ssize_t n = read(conversation->out_fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, errno, "read from '%s'", question->name);
	strbuf_add(answer, buffer, (size_t)n);
	explicit_bzero(buffer, sizeof(buffer));
	if (answer->len > question->max_answer_bytes)
		return err_set(err, ERR_INVALID, EMSGSIZE,
			       "the answer of '%s' is longer than %zu bytes", question->name,
			       question->max_answer_bytes);
	return n > 0;
}

static int converse(struct conversation *conversation, struct strbuf *answer, struct error *err)
{
	const struct question *question = conversation->question;
	int64_t deadline = clock_monotonic_ns() + INT64_C(1000000) * question->timeout_ms;
	const char *input = question->input;
	size_t left = question->input_len;
	int r = 1;

	while (r > 0) {
		struct pollfd fds[] = {
			{.fd = conversation->out_fd, .events = POLLIN},
			{.fd = conversation->in_fd, .events = POLLOUT}, /* negative: skipped */
		};
		int64_t remaining_ms = (deadline - clock_monotonic_ns()) / 1000000;

		if (remaining_ms <= 0)
			return err_set(err, ERR_UNAVAILABLE, ETIMEDOUT,
				       "'%s' did not answer within %d seconds", question->name,
				       question->timeout_ms / 1000);
		if (poll(fds, 2, (int)remaining_ms) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(err, ERR_SYSTEM, errno, "wait for '%s'", question->name);
		}
		if (conversation->in_fd >= 0 && fds[1].revents)
			feed(conversation, &input, &left);
		if (fds[0].revents)
			r = drain(conversation, answer, err);
	}
	return r;
}

static int finish(struct conversation *conversation, struct error *err)
{
	int status;
	pid_t pid;

	cleanup_close_fd(&conversation->in_fd);
	cleanup_close_fd(&conversation->out_fd);
	do
		pid = waitpid(conversation->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	conversation->pid = 0;
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "wait for '%s'",
			       conversation->question->name);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int ask_program(const struct question *question, struct strbuf *ret_answer, struct error *err)
{
	auto_(conversation_end) struct conversation conversation = {
		.question = question,
		.in_fd = NO_FD,
		.out_fd = NO_FD,
	};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int r;

	r = start(&conversation, err);
	if (r < 0)
		return r;
	/* It may end without reading all that we have to say. */
	(void)sigaction(SIGPIPE, &ignore, &before);
	r = converse(&conversation, ret_answer, err);
	(void)sigaction(SIGPIPE, &before, NULL);
	return r < 0 ? r : finish(&conversation, err);
}
