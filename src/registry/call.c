/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/call.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "registry/header_value.h"
#include "registry/origin.h"
#include "registry/token.h"

#define MAX_ANSWERS 2
#define MAX_BACKOFF_MS 30000U
#define MESSAGE_MAX 200

void call_release(struct call *call)
{
	strv_release(&call->headers);
}

char *endpoint_url(struct endpoint *endpoint, const char *path)
{
	bool plain;

	(void)pthread_mutex_lock(&endpoint->lock);
	plain = endpoint->plain;
	(void)pthread_mutex_unlock(&endpoint->lock);
	return xasprintf("%s://%s%s", plain ? "http" : "https", endpoint->host, path);
}

/* ---- waiting ---- */

int call_back_off(const struct session *session, unsigned int attempt, uint64_t at_least_s)
{
	uint64_t ms = session->backoff_ms;
	struct pollfd quit = {.fd = session->quit_fd, .events = POLLIN};

	for (unsigned int i = 0; i < attempt && ms < MAX_BACKOFF_MS; i++)
		ms *= 2;
	if (ms > MAX_BACKOFF_MS)
		ms = MAX_BACKOFF_MS;
	/* Between half and all of it: what failed together shall not come back together. */
	ms = ms / 2 + random_below((uint32_t)(ms / 2 + 1));
	if (ms < at_least_s * 1000)
		ms = at_least_s * 1000;
	return poll(&quit, 1, (int)ms) > 0 ? -ECANCELED : 0;
}

/* ---- one response ---- */

/* What is to be said to a person: printable, short, one line. */
static void add_printable(struct strbuf *text, const char *words)
{
	for (size_t n = 0; *words && n < MESSAGE_MAX; words++, n++) {
		if (*words >= ' ' && *words < 0x7f)
			strbuf_addc(text, *words);
		else
			strbuf_addc(text, '?');
	}
}

/* {"errors": [{"code": "DENIED", "message": "…"}]} */
static char *explain(const struct http_response *response)
{
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *root = NULL;
	const json_t *first;
	const char *words = "";

	strbuf_addf(&text, "status %ld", response->status);
	if (json_parse(strbuf_text(&response->error_body), response->error_body.len, "error", &root,
		       &ignored) < 0)
		return strbuf_take(&text);
	first = json_array_get(json_object_get(root, "errors"), 0);
	words = json_get_string(first, "message", json_get_string(first, "code", ""));
	if (words[0]) {
		strbuf_clear(&text);
		add_printable(&text, words);
	}
	return strbuf_take(&text);
}

static int refuse(const struct http_response *response, struct error *err)
{
	auto_free char *words = explain(response);
	long status = response->status;

	if (status == 404)
		return err_set(err, ERR_NOT_FOUND, 0, "%s", words);
	if (status == 401 || status == 403)
		return err_set(err, ERR_DENIED, 0, "%s", words);
	if (status == 429)
		return err_set(err, ERR_UNAVAILABLE, 0, "too many requests: %s", words);
	if (status >= 500)
		return err_set(err, ERR_UNAVAILABLE, 0, "the registry is in trouble: %s", words);
	return err_set(err, ERR_INVALID, 0, "the registry refuses: %s", words);
}

/* ---- a body ---- */

static int on_headers(void *context, const struct http_response *response, struct error *err)
{
	struct call *call = context;
	struct content_range range;
	uint64_t begin = 0, length = UINT64_MAX;

	if (response->content_length >= 0)
		length = (uint64_t)response->content_length;
	if (response->status == 206) {
		if (!response->content_range ||
		    header_content_range(response->content_range, &range) < 0 ||
		    range.first != call->offset)
			return err_set(err, ERR_INVALID, 0,
				       "the registry sends another part than was asked for");
		begin = range.first;
	}
	call->skip = call->offset - begin;
	if (!call->on_body || length == UINT64_MAX)
		return 0;
	if (call->exact ? length != call->size - begin : length > call->size - begin)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the registry announces %" PRIu64 " bytes where %" PRIu64
			       " are expected",
			       length, call->size - begin);
	return 0;
}

static int on_body(void *context, const char *data, size_t len, struct error *err)
{
	struct call *call = context;
	size_t known = call->skip < len ? (size_t)call->skip : len;
	int r;

	call->skip -= known;
	data += known;
	len -= known;
	if (len > call->size - call->offset)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the registry sends more than %" PRIu64 " bytes", call->size);
	if (len == 0)
		return 0;
	r = call->on_body ? call->on_body(call->context, data, len, err) : 0;
	if (r >= 0)
		call->offset += len;
	return r;
}

static void on_sent(void *context, uint64_t bytes)
{
	const struct call *call = context;

	if (call->on_sent)
		call->on_sent(call->context, call->body_offset + bytes);
}

/* ---- one attempt: scheme, authentication, redirects ---- */

struct attempt {
	struct call *call;
	struct http_client *client;
	char *url; /* owned */
	struct origin home, origin;
	unsigned int answers, redirects, version;
	enum http_failure failure;
};

static void attempt_release(struct attempt *attempt)
{
	if (attempt->client)
		http_pool_put(attempt->client);
	free(attempt->url);
	origin_release(&attempt->home);
	origin_release(&attempt->origin);
}

DEFINE_CLEANUP_VALUE(struct attempt, attempt_release);

static bool is_at_home(const struct attempt *attempt)
{
	return attempt->call->endpoint && origin_is_same(&attempt->home, &attempt->origin);
}

static int set_url(struct attempt *attempt, char *url, struct error *err)
{
	free(attempt->url);
	attempt->url = url;
	origin_release(&attempt->origin);
	return origin_parse(url, &attempt->origin, err);
}

/* Whether we may go on where somebody at `from` sends us. */
static int check_new_origin(const struct attempt *attempt, const struct origin *from,
			    struct error *err)
{
	const struct endpoint *endpoint = attempt->call->endpoint;
	const struct origin *to = &attempt->origin;

	if (to->plain && !from->plain && !(endpoint && endpoint->insecure))
		return err_set(err, ERR_DENIED, 0, "sent on to %s, which is not encrypted",
			       to->host);
	if (host_is_loopback(to->host) && !host_is_loopback(from->host))
		return err_set(err, ERR_DENIED, 0, "%s sends us on to this machine", from->host);
	return 0;
}

static int begin_attempt(struct attempt *attempt, struct error *err)
{
	struct call *call = attempt->call;
	auto_free char *home = NULL;
	int r;

	if (!call->endpoint)
		return set_url(attempt, xstrdup(call->path), err);
	home = endpoint_url(call->endpoint, "/");
	origin_release(&attempt->home);
	r = origin_parse(home, &attempt->home, err);
	if (r < 0)
		return r;
	if (call->path[0] == '/')
		return set_url(attempt, endpoint_url(call->endpoint, call->path), err);
	r = set_url(attempt, xstrdup(call->path), err);
	return r < 0 ? r : check_new_origin(attempt, &attempt->home, err);
}

/* Adds who we are, when it is for the registry itself. */
static void add_credentials(struct attempt *attempt, struct http_request *request)
{
	struct endpoint *endpoint = attempt->call->endpoint;

	if (!is_at_home(attempt))
		return;
	(void)pthread_mutex_lock(&endpoint->lock);
	attempt->version = endpoint->version;
	if (endpoint->token) {
		strv_addf(&request->headers, "Authorization: Bearer %s", endpoint->token);
	} else if (endpoint->basic) {
		request->username = endpoint->username;
		request->password = endpoint->password ? endpoint->password : "";
	}
	(void)pthread_mutex_unlock(&endpoint->lock);
}

static void choose_tls(const struct attempt *attempt, struct http_tls *ret_tls)
{
	const struct call *call = attempt->call;
	const struct endpoint *endpoint = call->endpoint;
	bool home = is_at_home(attempt);

	*ret_tls = (struct http_tls){
		.insecure = endpoint && endpoint->insecure,
		.authorities = endpoint ? endpoint->authorities : call->session->http.authorities,
		.certificate = home ? endpoint->certificate : NULL,
		.key = home ? endpoint->key : NULL,
	};
}

static void settle(struct endpoint *endpoint)
{
	(void)pthread_mutex_lock(&endpoint->lock);
	endpoint->settled = true;
	(void)pthread_mutex_unlock(&endpoint->lock);
}

static bool is_settled(struct endpoint *endpoint)
{
	bool settled;

	(void)pthread_mutex_lock(&endpoint->lock);
	settled = endpoint->settled;
	(void)pthread_mutex_unlock(&endpoint->lock);
	return settled;
}

static int exchange(struct attempt *attempt, struct http_response *response, struct error *err)
{
	struct call *call = attempt->call;
	struct http_tls tls;
	struct http_request request = {
		.method = call->method,
		.url = attempt->url,
		.tls = &tls,
		.timeout_s = call->timeout_s,
		.body = call->body,
		.body_len = call->body_len,
		.body_fd = call->body_fd,
		.body_offset = call->body_offset,
		.body_size = call->body_size,
		.on_headers = on_headers,
		.on_body = on_body,
		.on_sent = on_sent,
		.context = call,
	};
	int r;

	choose_tls(attempt, &tls);
	strv_add_all(&request.headers, &call->headers);
	if (call->offset > 0)
		strv_addf(&request.headers, "Range: bytes=%" PRIu64 "-", call->offset);
	add_credentials(attempt, &request);
	r = http_perform(attempt->client, &request, response, &attempt->failure, err);
	strv_release(&request.headers);
	if (r >= 0 && is_at_home(attempt))
		settle(call->endpoint);
	return r;
}

static bool may_redirect(const struct call *call)
{
	return strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
}

static int follow(struct attempt *attempt, const struct http_response *response, struct error *err)
{
	struct call *call = attempt->call;
	auto_(origin_release) struct origin from = {0};
	char *url;
	int r;

	if (!response->location || !may_redirect(call))
		return refuse(response, err);
	if (attempt->redirects++ >= CALL_MAX_REDIRECTS)
		return err_set(err, ERR_INVALID, ELOOP, "more than %d redirects",
			       CALL_MAX_REDIRECTS);
	r = url_resolve(attempt->url, response->location, &url, err);
	if (r < 0)
		return err_wrap(err, r, "redirect");
	from = attempt->origin;
	attempt->origin = (struct origin){0};
	r = set_url(attempt, url, err);
	if (r >= 0)
		r = check_new_origin(attempt, &from, err);
	return r < 0 ? err_wrap(err, r, "redirect") : 1;
}

/* An insecure registry that does not speak TLS is asked again without. */
static bool fall_back_to_plain(struct attempt *attempt)
{
	struct endpoint *endpoint = attempt->call->endpoint;

	if (!is_at_home(attempt) || !endpoint->insecure || attempt->home.plain ||
	    is_settled(endpoint) ||
	    (attempt->failure != HTTP_NO_TLS && attempt->failure != HTTP_NO_CONNECTION &&
	     attempt->failure != HTTP_BROKEN))
		return false;
	(void)pthread_mutex_lock(&endpoint->lock);
	endpoint->plain = true;
	(void)pthread_mutex_unlock(&endpoint->lock);
	return true;
}

/* 1: again, 0: a response that stands. */
static int look_at(struct attempt *attempt, const struct http_response *response, struct error *err)
{
	struct call *call = attempt->call;
	int r;

	if (response->status == 401 && is_at_home(attempt) && attempt->answers < MAX_ANSWERS) {
		attempt->answers++;
		r = token_answer(call->session, call->endpoint, attempt->client, attempt->url,
				 response, attempt->version, err);
		return r < 0 ? r : 1;
	}
	switch (response->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return follow(attempt, response, err);
	default:
		return response->status >= 200 && response->status < 300 ? 0
									 : refuse(response, err);
	}
}

static int run_attempt(struct call *call, struct http_response *response,
		       enum http_failure *ret_failure, struct error *err)
{
	auto_(attempt_release) struct attempt attempt = {.call = call};
	int r;

	attempt.client = http_pool_get();
	r = begin_attempt(&attempt, err);
	while (r >= 0) {
		r = exchange(&attempt, response, err);
		if (r < 0 && fall_back_to_plain(&attempt)) {
			error_release(err);
			r = begin_attempt(&attempt, err);
			continue;
		}
		if (r >= 0)
			r = look_at(&attempt, response, err);
		if (r == 0 && call->exact && call->offset != call->size) {
			attempt.failure = HTTP_BROKEN;
			r = err_set(err, ERR_UNAVAILABLE, 0,
				    "it ended after %" PRIu64 " of %" PRIu64 " bytes", call->offset,
				    call->size);
		}
		if (r == 0)
			break;
	}
	*ret_failure = attempt.failure;
	return r;
}

/* ---- again ---- */

static bool may_try_again(const struct call *call, const struct http_response *response,
			  enum http_failure failure)
{
	bool known = !call->endpoint || is_settled(call->endpoint);

	if (call->once)
		return false;
	/* Who has never answered is more likely not there than in trouble. */
	if (failure == HTTP_NO_CONNECTION || failure == HTTP_NO_TLS)
		return known;
	if (failure != HTTP_NO_FAILURE)
		return failure == HTTP_BROKEN;
	return response->status == 429 || response->status == 408 ||
	       (response->status >= 500 && response->status != 501 && response->status != 505);
}

static uint64_t wish_of(const struct http_response *response)
{
	uint64_t seconds;

	if (!response->retry_after ||
	    header_retry_after(response->retry_after, clock_now_ns() / 1000000000, &seconds) < 0)
		return 0;
	return seconds;
}

int call_run(struct call *call, struct http_response *ret_response, struct error *err)
{
	unsigned int attempt = 0;

	for (;;) {
		uint64_t offset = call->offset, wish;
		enum http_failure failure = HTTP_NO_FAILURE;
		int r = run_attempt(call, ret_response, &failure, err);

		if (r >= 0 || !may_try_again(call, ret_response, failure))
			return r;
		if (call->offset > offset)
			attempt = 0;
		wish = wish_of(ret_response);
		call->waited_s += wish;
		if (attempt >= call->session->retries)
			return r;
		if (call->waited_s > CALL_MAX_WAIT_S)
			return err_wrap(err, r, "to be tried again in %" PRIu64 " seconds", wish);
		log_debug("registry", "again, attempt %u: %s", attempt + 2, err_message(err));
		if (call_back_off(call->session, attempt, wish) < 0)
			return r;
		attempt++;
		error_release(err);
	}
}
