/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs and manifests to a registry; see protocol.h.
 *
 * A blob is not sent when the registry has it, or can mount it from another repository. A small one
 * goes with one PUT, a large one with a PATCH: when that breaks off, the registry is asked how much it
 * has, and the rest follows.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sha256.h"
#include "registry/call.h"
#include "registry/header_value.h"
#include "registry/job.h"
#include "registry/origin.h"
#include "registry/protocol.h"

#define MONOLITHIC_MAX ((uint64_t)1 << 20)
#define UPLOAD_TIMEOUT_S 300L

struct upload {
	struct job *job;
	struct endpoint *endpoint;
	const char *digest;
	uint64_t size;
	char *location; /* absolute URL of the upload, where the last answer said it goes on */
	uint64_t sent;  /* what the registry has */
};

static void say_sent(void *context, uint64_t position)
{
	job_progress(context, position);
}

static void begin_call(const struct upload *upload, const char *method, const char *path,
		       struct call *call)
{
	*call = CALL_EMPTY;
	call->session = upload->job->session;
	call->endpoint = upload->endpoint;
	call->method = method;
	call->path = path;
	call->timeout_s = UPLOAD_TIMEOUT_S;
	call->size = REGISTRY_DOCUMENT_MAX;
	call->on_sent = say_sent;
	call->context = upload->job;
}

/* ---- what is there already ---- */

/* 1, 0, or an error. */
static int exists(struct upload *upload, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_free char *path = repository_path(upload->endpoint, "blobs/%s", upload->digest);
	auto_(call_release) struct call call;
	int r;

	begin_call(upload, "HEAD", path, &call);
	r = call_run(&call, &response, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	return r < 0 ? r : 1;
}

static int take_location(struct upload *upload, const char *base, const char *location,
			 struct error *err)
{
	auto_free char *url = NULL;
	int r;

	if (!location)
		return err_set(err, ERR_INVALID, 0, "the registry does not say where to upload to");
	r = url_resolve(base, location, &url, err);
	if (r < 0)
		return r;
	free(upload->location);
	upload->location = TAKE_PTR(url);
	return 0;
}

/* A new upload, or the blob mounted from another repository: 1 when it is there now. */
static int begin_upload(struct upload *upload, const char *mount_from, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_free char *path = NULL, *base = NULL;
	auto_(call_release) struct call call;
	int r;

	if (mount_from)
		path = repository_path(upload->endpoint, "blobs/uploads/?mount=%s&from=%s",
				       upload->digest, mount_from);
	else
		path = repository_path(upload->endpoint, "blobs/uploads/");
	begin_call(upload, "POST", path, &call);
	strv_add(&call.headers, "Content-Type:"); /* or it would be said to be a form */
	r = call_run(&call, &response, err);
	if (r < 0)
		return r;
	if (mount_from && response.status == 201)
		return 1;
	base = endpoint_url(upload->endpoint, path);
	r = take_location(upload, base, response.location, err);
	return r < 0 ? r : 0;
}

/* ---- bytes ---- */

static void add_digest(const struct upload *upload, struct strbuf *url)
{
	strbuf_adds(url, upload->location);
	strbuf_addf(url, "%cdigest=%s", strchr(upload->location, '?') ? '&' : '?', upload->digest);
}

/* The last word: with the whole blob, or with nothing after it was sent. */
static int finish_upload(struct upload *upload, bool with_body, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(strbuf_release) struct strbuf url = {0};
	auto_(call_release) struct call call;

	add_digest(upload, &url);
	begin_call(upload, "PUT", strbuf_text(&url), &call);
	strv_add(&call.headers, "Content-Type: application/octet-stream");
	if (with_body) {
		call.body_fd = upload->job->fds[0];
		call.body_size = upload->size;
	}
	return call_run(&call, &response, err);
}

/* Sends what the registry has not. */
static int send_rest(struct upload *upload, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(call_release) struct call call;
	uint64_t has;
	int r;

	begin_call(upload, "PATCH", upload->location, &call);
	call.timeout_s = 0;
	call.once = true;
	call.body_fd = upload->job->fds[0];
	call.body_offset = upload->sent;
	call.body_size = upload->size - upload->sent;
	strv_add(&call.headers, "Content-Type: application/octet-stream");
	strv_addf(&call.headers, "Content-Range: %" PRIu64 "-%" PRIu64, upload->sent,
		  upload->size - 1);
	r = call_run(&call, &response, err);
	if (r < 0)
		return r;
	if (response.range && header_upload_range(response.range, &has) >= 0 && has != upload->size)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "the registry has %" PRIu64 " of %" PRIu64 " bytes", has,
			       upload->size);
	upload->sent = upload->size;
	return take_location(upload, upload->location, response.location, err);
}

/* How much of it the registry has; 0 when the upload is gone and a new one was begun. */
static int ask_status(struct upload *upload, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(call_release) struct call call;
	int r;

	begin_call(upload, "GET", upload->location, &call);
	r = call_run(&call, &response, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		upload->sent = 0;
		return begin_upload(upload, NULL, err);
	}
	if (r < 0)
		return r;
	upload->sent = 0;
	if (response.range && header_upload_range(response.range, &upload->sent) < 0)
		upload->sent = 0;
	if (upload->sent > upload->size) {
		upload->sent = 0;
		return begin_upload(upload, NULL, err);
	}
	if (response.location)
		return take_location(upload, upload->location, response.location, err);
	return 0;
}

static bool is_worth_another_try(const struct error *err)
{
	return err->kind == ERR_UNAVAILABLE;
}

static int send_all(struct upload *upload, struct error *err)
{
	const struct session *session = upload->job->session;
	unsigned int attempt = 0;
	int r;

	while ((r = send_rest(upload, err)) < 0) {
		uint64_t before = upload->sent;

		if (!is_worth_another_try(err) || attempt >= session->retries)
			return r;
		log_debug("registry", "upload broke off: %s", err_message(err));
		if (call_back_off(session, attempt, 0) < 0)
			return r;
		error_release(err);
		r = ask_status(upload, err);
		if (r < 0)
			return r;
		if (upload->sent == upload->size)
			return 0;
		attempt = upload->sent > before ? 0 : attempt + 1;
		job_progress(upload->job, upload->sent);
	}
	return 0;
}

/* Of a registry that would have had it sent. That it is kept until the registry clears up is no harm. */
static void give_up_upload(struct upload *upload)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(error_release) struct error ignored = {0};
	auto_(call_release) struct call call;

	begin_call(upload, "DELETE", upload->location, &call);
	call.once = true;
	(void)call_run(&call, &response, &ignored);
}

int job_have_blob(struct job *job, json_t **ret_done, struct error *err)
{
	const char *mount_from = json_get_string(job->object, "mountFrom", NULL);
	struct upload upload = {
		.job = job,
		.endpoint = &job->session->endpoints[0],
		.digest = job_text(job, "digest", err),
	};
	const char *how = "exists";
	int r;

	if (!upload.digest)
		return err_result(err);
	r = exists(&upload, err);
	if (r == 0 && mount_from) {
		how = "mounted";
		r = begin_upload(&upload, mount_from, err);
		if (r == 0)
			give_up_upload(&upload);
	}
	free(upload.location);
	if (r < 0)
		return r;
	*ret_done = json_pack("{s:s}", "how", r > 0 ? how : "missing");
	return 0;
}

static int upload_blob(struct upload *upload, const char *mount_from, const char **ret_how,
		       struct error *err)
{
	int r;

	r = exists(upload, err);
	if (r != 0) {
		*ret_how = "exists";
		return r < 0 ? r : 0;
	}
	r = begin_upload(upload, mount_from, err);
	if (r != 0) {
		*ret_how = "mounted";
		return r < 0 ? r : 0;
	}
	*ret_how = "uploaded";
	if (upload->size <= MONOLITHIC_MAX)
		return finish_upload(upload, /* with_body= */ true, err);
	r = send_all(upload, err);
	return r < 0 ? r : finish_upload(upload, /* with_body= */ false, err);
}

int job_put_blob(struct job *job, json_t **ret_done, struct error *err)
{
	struct upload upload = {
		.job = job,
		.endpoint = &job->session->endpoints[0],
		.digest = job_text(job, "digest", err),
	};
	const char *how = "";
	int r;

	if (!upload.digest)
		return err_result(err);
	r = job_number(job, "size", &upload.size, err);
	if (r < 0)
		return r;
	if (job->fd_count < 1 || !digest_is_valid(upload.digest))
		return err_set(err, ERR_INTERNAL, 0, "a request to upload makes no sense");
	r = upload_blob(&upload, json_get_string(job->object, "mountFrom", NULL), &how, err);
	free(upload.location);
	if (r < 0)
		return r;
	*ret_done = json_pack("{s:s}", "how", how);
	return 0;
}

/* ---- manifests ---- */

int job_put_manifest(struct job *job, json_t **ret_done, struct error *err)
{
	struct upload upload = {.job = job, .endpoint = &job->session->endpoints[0]};
	const char *reference = job_text(job, "reference", err);
	const char *media_type = reference ? job_text(job, "mediaType", err) : NULL;
	auto_(http_response_release) struct http_response response = {0};
	auto_free char *path = NULL, *text = NULL;
	auto_(call_release) struct call call = CALL_EMPTY;
	size_t len = 0;
	int r;

	if (!media_type)
		return err_result(err);
	if (job->fd_count < 1)
		return err_set(err, ERR_INTERNAL, 0, "a manifest without a file");
	r = fd_read_text(job->fds[0], REGISTRY_DOCUMENT_MAX, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the manifest");
	path = repository_path(upload.endpoint, "manifests/%s", reference);
	begin_call(&upload, "PUT", path, &call);
	call.body = text;
	call.body_len = len;
	strv_addf(&call.headers, "Content-Type: %s", media_type);
	r = call_run(&call, &response, err);
	if (r < 0)
		return r;
	*ret_done = json_pack("{s:s*}", "digest", response.content_digest);
	return 0;
}

int job_delete_manifest(struct job *job, json_t **ret_done, struct error *err)
{
	struct upload upload = {.job = job, .endpoint = &job->session->endpoints[0]};
	const char *reference = job_text(job, "reference", err);
	auto_(http_response_release) struct http_response response = {0};
	auto_(call_release) struct call call = CALL_EMPTY;
	auto_free char *path = NULL;
	int r;

	if (!reference)
		return err_result(err);
	path = repository_path(upload.endpoint, "manifests/%s", reference);
	begin_call(&upload, "DELETE", path, &call);
	r = call_run(&call, &response, err);
	if (r < 0)
		return r;
	*ret_done = json_object();
	return 0;
}
