/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/serve.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "registry/answer.h"
#include "registry/job.h"
#include "registry/protocol.h"

#define STACK_SIZE ((size_t)512 << 10)

static const struct {
	const char *name;
	int (*run)(struct job *job, json_t **ret_done, struct error *err);
	bool needs_fd;
} operations[] = {
	{"manifest", job_manifest, true},
	{"blob", job_blob, true},
	{"tags", job_tags, true},
	{"referrers", job_referrers, true},
	{"search", job_search, true},
	{"have-blob", job_have_blob, false},
	{"put-blob", job_put_blob, true},
	{"put-manifest", job_put_manifest, true},
	{"delete-manifest", job_delete_manifest, false},
	{"login", job_login, false},
};

static void job_free(struct job *job)
{
	for (size_t i = 0; i < job->fd_count; i++)
		cleanup_close_fd(&job->fds[i]);
	json_decref(job->object);
	free(job);
}

DEFINE_CLEANUP(struct job *, job_free);

static int run_job(struct job *job, json_t **ret_done, struct error *err)
{
	const char *name = job_text(job, "op", err);

	if (!name)
		return err_result(err);
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (strcmp(operations[i].name, name) != 0)
			continue;
		if (operations[i].needs_fd && job->fd_count == 0)
			return err_set(err, ERR_INTERNAL, 0, "'%s' needs a descriptor", name);
		return operations[i].run(job, ret_done, err);
	}
	return err_set(err, ERR_INTERNAL, 0, "no such operation '%s'", name);
}

/* The answer comes before the end of what was handed over: whoever sees that end can know why. */
static void *run_thread(void *context)
{
	struct job *job = context;
	auto_(error_release) struct error err = {0};
	json_t *done = NULL;
	int r = run_job(job, &done, &err);

	if (r < 0)
		answer_error(job->id, &err);
	else
		answer_done(job->id, done);
	job_free(job);
	return NULL;
}

static int start_job(struct job *job, struct error *err)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attributes, run_thread, job);
	(void)pthread_attr_destroy(&attributes);
	return r ? err_set(err, ERR_SYSTEM, r, "start a thread") : 0;
}

static int take_request(struct session *session, const char *text, size_t len, struct job **ret_job,
			struct error *err)
{
	auto_(job_free) struct job *job = *ret_job;
	int r;

	*ret_job = NULL;
	r = json_parse(text, len, "request", &job->object, err);
	if (r < 0)
		return r;
	job->session = session;
	job->id = json_get_int(job->object, "id", 0);
	*ret_job = TAKE_PTR(job);
	return 0;
}

/* 1 after a request, 0 at the end. */
static int serve_one(struct session *session, char *buffer, struct error *err)
{
	auto_(job_free) struct job *job = xcalloc(1, sizeof(*job));
	auto_(error_release) struct error failure = {0};
	ssize_t n;

	n = fd_recv(REGISTRY_SOCKET_FD, buffer, REGISTRY_MESSAGE_MAX, job->fds, JOB_MAX_FDS,
		    &job->fd_count);
	if (n == 0)
		return 0;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "receive a request");
	if (take_request(session, buffer, (size_t)n, &job, err) < 0)
		return err_result(err);
	if (start_job(job, &failure) < 0)
		answer_error(job->id, &failure);
	else
		job = NULL; /* the thread's now */
	return 1;
}

int serve(struct session *session, struct error *err)
{
	auto_free char *buffer = xmalloc(REGISTRY_MESSAGE_MAX);
	int r;

	session->quit_fd = NO_FD;
	do
		r = serve_one(session, buffer, err);
	while (r > 0);
	return r;
}
