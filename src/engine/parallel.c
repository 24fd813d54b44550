/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/parallel.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/process.h"

#define TEXT_MAX 4096

/* What a worker says at its end: how it went, and the error's text behind it. */
struct worker_result {
	int32_t kind; /* enum error_kind; ERR_NONE: it went well */
	int32_t errnum;
	char text[TEXT_MAX];
};

struct worker {
	int sock; /* NO_FD: not started, or done */
	int pidfd;
};

static void send_result(int sock, const struct error *err)
{
	struct worker_result result = {.kind = err->kind, .errnum = err->errnum};
	size_t len = 0;

	if (err->kind != ERR_NONE) {
		len = strlen(err_message(err));
		if (len > TEXT_MAX)
			len = TEXT_MAX;
		memcpy(result.text, err_message(err), len);
	}
	(void)fd_send(sock, &result, offsetof(struct worker_result, text) + len, NULL, 0);
}

static _Noreturn void run_worker(const struct engine_paths *paths, size_t index,
				 const struct parallel_job *job, int sock)
{
	auto_(error_release) struct error err = {0};
	struct engine *engine = NULL;

	/* Ctrl-C ends all of us, and so does the end of whoever waits for us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (engine_open(paths, &engine, &err) >= 0)
		(void)job->act(engine, index, job->context, &err);
	if (engine)
		engine_close(engine);
	send_result(sock, &err);
	_exit(0);
}

static int start_worker(struct worker *worker, const struct engine_paths *paths, size_t index,
			const struct parallel_job *job, struct error *err)
{
	int socks[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a socket pair");
	pid = process_clone(0, NO_FD, &worker->pidfd);
	if (pid == 0)
		run_worker(paths, index, job, socks[1]);
	(void)close(socks[1]);
	if (pid < 0) {
		(void)close(socks[0]);
		return err_set(err, ERR_SYSTEM, -pid, "start a process");
	}
	worker->sock = socks[0];
	return 0;
}

/* Waits for its word and its end. */
static void finish_worker(struct worker *worker, struct error *result_err)
{
	struct worker_result result;
	const ssize_t header = (ssize_t)offsetof(struct worker_result, text);
	ssize_t n = fd_recv(worker->sock, &result, sizeof(result), NULL, 0, NULL);

	if (n < header || result.kind < ERR_NONE || result.kind >= ERROR_KIND_COUNT) {
		(void)err_set(result_err, ERR_INTERNAL, 0,
			      "a process of ours ended without a word");
	} else if (result.kind != ERR_NONE) {
		/* The text of the errno is in the message already. */
		(void)err_set(result_err, ERR_INTERNAL, 0, "%.*s", (int)(n - header), result.text);
		result_err->kind = (enum error_kind)result.kind;
		result_err->errnum = result.errnum;
	}
	(void)process_reap(worker->pidfd);
	cleanup_close_fd(&worker->sock);
	cleanup_close_fd(&worker->pidfd);
}

static void run_here(struct engine *engine, const struct parallel_job *job)
{
	auto_(error_release) struct error err = {0};

	(void)job->act(engine, 0, job->context, &err);
	job->report(0, &err, job->context);
}

int engine_parallel(struct engine *engine, size_t count, const struct parallel_job *job,
		    struct error *err)
{
	const struct engine_paths paths = {
		.root = engine_root_path(engine),
		.state = engine_state_path(engine),
	};
	auto_free struct worker *workers = NULL;
	size_t started = 0;
	int r = 0;

	if (count == 1) {
		run_here(engine, job);
		return 0;
	}
	workers = xcalloc(count, sizeof(*workers));
	for (size_t i = 0; i < count; i++)
		workers[i] = (struct worker){.sock = NO_FD, .pidfd = NO_FD};
	for (size_t i = 0; i < count; i++) {
		auto_(error_release) struct error result = {0};

		while (r == 0 && started < count && started < i + PARALLEL_MAX) {
			r = start_worker(&workers[started], &paths, started, job, err);
			started += r == 0;
		}
		if (i >= started)
			return r;
		finish_worker(&workers[i], &result);
		job->report(i, &result, job->context);
	}
	return r;
}
