/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry has, and whether it knows us; see protocol.h. */
#include <curl/curl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "registry/call.h"
#include "registry/header_value.h"
#include "registry/job.h"
#include "registry/origin.h"
#include "registry/protocol.h"
#include "registry/tag_list.h"

#define LISTING_TIMEOUT_S 120L
#define MAX_PAGES 1000
#define MAX_TAGS 100000

static int collect(void *context, const char *data, size_t len, struct error *err)
{
	struct strbuf *text = context;

	(void)err;
	strbuf_add(text, data, len);
	return 0;
}

/* GET of a JSON document. *ret_next is where it goes on, NULL when it does not. */
static int get_json(struct job *job, struct endpoint *endpoint, const char *path, json_t **ret_root,
		    char **ret_next, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(call_release) struct call call = CALL_EMPTY;
	int r;

	call.session = job->session;
	call.endpoint = endpoint;
	call.method = "GET";
	call.path = path;
	call.timeout_s = LISTING_TIMEOUT_S;
	call.on_body = collect;
	call.context = &text;
	call.size = REGISTRY_DOCUMENT_MAX;
	strv_add(&call.headers, "Accept: application/json");
	r = call_run(&call, &response, err);
	if (r >= 0)
		r = json_parse(strbuf_text(&text), text.len, "the registry's answer", ret_root,
			       err);
	if (r < 0)
		return r;
	*ret_next = NULL;
	if (response.link)
		(void)header_next_link(response.link, ret_next);
	return 0;
}

/* ---- tags ---- */

/* Where the next page is, at this registry and nowhere else. */
static int next_page(struct endpoint *endpoint, char **path, const char *next, struct error *err)
{
	auto_free char *base = (*path)[0] == '/' ? endpoint_url(endpoint, *path) : xstrdup(*path);
	auto_(origin_release) struct origin here = {0}, there = {0};
	auto_free char *url = NULL;
	int r;

	r = url_resolve(base, next, &url, err);
	if (r >= 0)
		r = origin_parse(base, &here, err);
	if (r >= 0)
		r = origin_parse(url, &there, err);
	if (r < 0)
		return r;
	if (!origin_is_same(&here, &there))
		return err_set(err, ERR_INVALID, 0, "the list goes on at another registry");
	free(*path);
	*path = TAKE_PTR(url);
	return 0;
}

int job_tags(struct job *job, json_t **ret_done, struct error *err)
{
	struct endpoint *endpoint = &job->session->endpoints[0];
	auto_free char *path = repository_path(endpoint, "tags/list?n=1000");
	size_t count = 0;
	int r = 0;

	for (unsigned int page = 0; page < MAX_PAGES && count < MAX_TAGS; page++) {
		auto_(json_decref) json_t *root = NULL;
		auto_(strbuf_release) struct strbuf lines = {0};
		auto_free char *next = NULL;

		r = get_json(job, endpoint, path, &root, &next, err);
		if (r < 0)
			return r;
		count += tag_list_collect(root, &lines);
		r = fd_write_all(job->fds[0], strbuf_text(&lines), lines.len);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "write the list of tags");
		if (!next)
			break;
		r = next_page(endpoint, &path, next, err);
		if (r < 0)
			return r;
	}
	*ret_done = json_pack("{s:I}", "count", (json_int_t)count);
	return 0;
}

/* ---- search ---- */

static bool has_word(const char *name, const char *term)
{
	return strcasestr(name, term) != NULL;
}

/* Registries without a search have a list of what there is. */
static int search_catalog(struct job *job, const char *term, json_t **ret_answer, struct error *err)
{
	struct endpoint *endpoint = &job->session->endpoints[0];
	auto_(json_decref) json_t *results = json_array();
	auto_free char *path = xstrdup("/v2/_catalog?n=1000");
	int64_t limit = json_get_int(job->object, "limit", 25);
	int r;

	for (unsigned int page = 0; page < MAX_PAGES; page++) {
		auto_(json_decref) json_t *root = NULL;
		auto_free char *next = NULL;
		const json_t *name;
		size_t i;

		r = get_json(job, endpoint, path, &root, &next, err);
		if (r < 0)
			return r;
		json_array_foreach (json_object_get(root, "repositories"), i, name)
			if (json_is_string(name) && has_word(json_string_value(name), term) &&
			    (int64_t)json_array_size(results) < limit)
				(void)json_array_append_new(results,
							    json_pack("{s:s}", "name",
								      json_string_value(name)));
		if (!next || (int64_t)json_array_size(results) >= limit)
			break;
		r = next_page(endpoint, &path, next, err);
		if (r < 0)
			return r;
	}
	*ret_answer = json_pack("{s:O}", "results", results);
	return 0;
}

int job_search(struct job *job, json_t **ret_done, struct error *err)
{
	const char *term = job_text(job, "term", err);
	auto_(json_decref) json_t *answer = NULL;
	auto_free char *path = NULL, *text = NULL, *next = NULL;
	char *escaped;
	int r;

	if (!term)
		return err_result(err);
	escaped = curl_easy_escape(NULL, term, 0);
	path = xasprintf("/v1/search?q=%s&n=%d", escaped ? escaped : "",
			 (int)json_get_int(job->object, "limit", 25));
	curl_free(escaped);
	r = get_json(job, &job->session->endpoints[0], path, &answer, &next, err);
	if (r < 0 && (err->kind == ERR_NOT_FOUND || err->kind == ERR_INVALID)) {
		error_release(err);
		r = search_catalog(job, term, &answer, err);
	}
	if (r < 0)
		return r;
	text = json_text(answer);
	r = fd_write_all(job->fds[0], text, strlen(text));
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write what was found");
	*ret_done = json_object();
	return 0;
}

/* ---- login ---- */

int job_login(struct job *job, json_t **ret_done, struct error *err)
{
	auto_(http_response_release) struct http_response response = {0};
	auto_(call_release) struct call call = CALL_EMPTY;
	int r;

	call.session = job->session;
	call.endpoint = &job->session->endpoints[0];
	call.method = "GET";
	call.path = "/v2/";
	call.timeout_s = LISTING_TIMEOUT_S;
	call.size = REGISTRY_DOCUMENT_MAX;
	r = call_run(&call, &response, err);
	if (r < 0)
		return r;
	*ret_done = json_object();
	return 0;
}
