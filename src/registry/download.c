/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and blobs from a registry; see protocol.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sha256.h"
#include "image/manifest.h"
#include "registry/call.h"
#include "registry/job.h"
#include "registry/protocol.h"

#define DOCUMENT_TIMEOUT_S 300L
#define MAX_FOREIGN_URLS 8

/* ---- whom to ask ---- */

/* One endpoint when the request names it, else all in order, until `ask` has an answer. */
struct question {
	struct job *job;
	int (*ask)(struct question *question, struct endpoint *endpoint, bool last,
		   struct error *err);
	json_t *done; /* the answer */
};

static int ask_around(struct question *question, struct error *err)
{
	struct session *session = question->job->session;
	int64_t wanted = json_get_int(question->job->object, "endpoint", -1);
	int r = 0;

	if (wanted >= (int64_t)session->endpoint_count)
		return err_set(err, ERR_INTERNAL, 0, "there is no endpoint %d", (int)wanted);
	for (size_t i = 0; i < session->endpoint_count; i++) {
		bool last = wanted >= 0 || i + 1 == session->endpoint_count;

		if (wanted >= 0 && (size_t)wanted != i)
			continue;
		r = question->ask(question, &session->endpoints[i], last, err);
		if (r >= 0 || last) {
			if (r >= 0)
				(void)json_object_set_new(question->done, "endpoint",
							  json_integer((json_int_t)i));
			return r;
		}
		log_debug("registry", "%s: %s", session->endpoints[i].host, err_message(err));
		error_release(err);
	}
	return r;
}

/* ---- documents ---- */

static int write_out(void *context, const char *data, size_t len, struct error *err)
{
	const int *fd = context;
	int r = fd_write_all(*fd, data, len);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write what was fetched") : 0;
}

static void accept_manifests(struct strv *headers)
{
	static const char *const types[] = {
		MEDIA_OCI_INDEX,
		MEDIA_OCI_MANIFEST,
		MEDIA_DOCKER_LIST,
		MEDIA_DOCKER_MANIFEST,
	};
	auto_(strv_release) struct strv list = {0};
	auto_free char *joined = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		strv_add(&list, types[i]);
	joined = strv_join(&list, ", ");
	strv_addf(headers, "Accept: %s, */*;q=0.1", joined);
}

/* "type; charset=…" is "type". */
static char *bare_media_type(const char *content_type)
{
	return content_type ? xstrndup(content_type, strcspn(content_type, "; \t")) : NULL;
}

static int ask_document(struct question *question, struct endpoint *endpoint, const char *path,
			bool last, struct error *err)
{
	struct job *job = question->job;
	auto_(http_response_release) struct http_response response = {0};
	auto_(call_release) struct call call = CALL_EMPTY;
	auto_free char *media_type = NULL;
	int r;

	call.session = job->session;
	call.endpoint = endpoint;
	call.method = "GET";
	call.path = path;
	call.timeout_s = DOCUMENT_TIMEOUT_S;
	call.once = !last;
	call.on_body = write_out;
	call.context = &job->fds[0];
	call.size = REGISTRY_DOCUMENT_MAX;
	accept_manifests(&call.headers);
	r = call_run(&call, &response, err);
	if (r < 0) {
		/* Another endpoint writes from the beginning. */
		if (call.offset > 0 && !last)
			return err_set(err, ERR_UNAVAILABLE, 0, "the answer broke off");
		return r;
	}
	media_type = bare_media_type(response.content_type);
	question->done = json_pack("{s:s*, s:s*, s:I}", "mediaType", media_type, "digest",
				   response.content_digest, "size", (json_int_t)call.offset);
	return 0;
}

static int ask_manifest(struct question *question, struct endpoint *endpoint, bool last,
			struct error *err)
{
	const char *reference = job_text(question->job, "reference", err);
	auto_free char *path = NULL;

	if (!reference)
		return err_result(err);
	path = repository_path(endpoint, "manifests/%s", reference);
	return ask_document(question, endpoint, path, last, err);
}

static int ask_referrers(struct question *question, struct endpoint *endpoint, bool last,
			 struct error *err)
{
	const char *digest = job_text(question->job, "digest", err);
	auto_free char *path = NULL;

	if (!digest)
		return err_result(err);
	path = repository_path(endpoint, "referrers/%s", digest);
	return ask_document(question, endpoint, path, last, err);
}

static int answer_document(struct job *job,
			   int (*ask)(struct question *question, struct endpoint *endpoint,
				      bool last, struct error *err),
			   json_t **ret_done, struct error *err)
{
	struct question question = {.job = job, .ask = ask};
	int r;

	if (job->fd_count < 1)
		return err_set(err, ERR_INTERNAL, 0, "nowhere to write to");
	r = ask_around(&question, err);
	if (r >= 0)
		*ret_done = question.done;
	return r;
}

int job_manifest(struct job *job, json_t **ret_done, struct error *err)
{
	return answer_document(job, ask_manifest, ret_done, err);
}

int job_referrers(struct job *job, json_t **ret_done, struct error *err)
{
	return answer_document(job, ask_referrers, ret_done, err);
}

/* ---- blobs ---- */

struct blob {
	struct job *job;
	uint64_t offset, size; /* offset moves */
};

/* Whoever reads behind us is woken; a pipe that is full is reason enough to be awake. */
static void wake_reader(const struct job *job)
{
	if (job->fd_count > 1)
		(void)!write(job->fds[1], "", 1);
}

static int take_blob(void *context, const char *data, size_t len, struct error *err)
{
	struct blob *blob = context;
	int r = fd_write_all(blob->job->fds[0], data, len);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write a layer");
	blob->offset += len;
	wake_reader(blob->job);
	job_progress(blob->job, blob->offset);
	return 0;
}

/* `endpoint` NULL: `path` is somebody else's URL. */
static int fetch_blob(struct blob *blob, struct endpoint *endpoint, const char *path,
		      struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(call_release) struct call call = CALL_EMPTY;

	call.session = blob->job->session;
	call.endpoint = endpoint;
	call.method = "GET";
	call.path = path;
	call.on_body = take_blob;
	call.context = blob;
	call.offset = blob->offset;
	call.size = blob->size;
	call.exact = true;
	return call_run(&call, &response, err);
}

static int ask_blob_at(struct blob *blob, struct endpoint *endpoint, const char *digest,
		       struct error *err)
{
	auto_free char *path = repository_path(endpoint, "blobs/%s", digest);

	return fetch_blob(blob, endpoint, path, err);
}

/* The endpoint that had the manifest first, then the others. */
static int ask_all_for_blob(struct blob *blob, const char *digest, struct error *err)
{
	struct session *session = blob->job->session;
	int64_t first = json_get_int(blob->job->object, "endpoint", 0);
	int r;

	if (first < 0 || first >= (int64_t)session->endpoint_count)
		first = 0;
	r = ask_blob_at(blob, &session->endpoints[first], digest, err);
	for (size_t i = 0; r < 0 && i < session->endpoint_count; i++) {
		auto_(error_release) struct error other = {0};

		if (i == (size_t)first || err->kind == ERR_SYSTEM)
			continue;
		/* The first one's reason is the one that counts. */
		if (ask_blob_at(blob, &session->endpoints[i], digest, &other) >= 0) {
			error_release(err);
			r = 0;
		}
	}
	return r;
}

static int ask_elsewhere(struct blob *blob, struct error *err)
{
	const json_t *urls = json_object_get(blob->job->object, "urls");
	int r = err_result(err);

	for (size_t i = 0; r < 0 && i < json_array_size(urls) && i < MAX_FOREIGN_URLS; i++) {
		const char *url = json_string_value(json_array_get(urls, i));

		/* Only what is encrypted; a URL without a scheme would be looked up at the registry. */
		if (!url || strncmp(url, "https://", strlen("https://")) != 0)
			continue;
		error_release(err);
		r = fetch_blob(blob, NULL, url, err);
	}
	return r;
}

int job_blob(struct job *job, json_t **ret_done, struct error *err)
{
	const char *digest = job_text(job, "digest", err);
	struct blob blob = {.job = job};
	int r;

	if (!digest)
		return err_result(err);
	r = job_number(job, "size", &blob.size, err);
	if (r >= 0)
		r = job_number(job, "offset", &blob.offset, err);
	if (r < 0)
		return r;
	if (job->fd_count < 1 || !digest_is_valid(digest) || blob.offset > blob.size)
		return err_set(err, ERR_INTERNAL, 0, "a request for a blob makes no sense");
	r = blob.offset == blob.size ? 0 : ask_all_for_blob(&blob, digest, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND)
		r = ask_elsewhere(&blob, err);
	if (r < 0)
		return r;
	*ret_done = json_object();
	return 0;
}
