/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "registry/origin.h"

#define CONNECT_TIMEOUT_S 20L
#define STALL_BYTES_PER_S 100L
#define RECEIVE_BUFFER (256L << 10)
#define SEND_BUFFER (256L << 10)
#define POOL_MAX 16
#define USER_AGENT "skiff/" SKIFF_VERSION

struct http_client {
	CURL *curl;
	/* Of the request under way. */
	const struct http_request *request;
	struct http_response *response;
	size_t header_bytes;
	bool stopped;
	struct error error; /* why it was stopped */
	long tunnel_status; /* what a proxy said to CONNECT; 0: nothing */
	char message[CURL_ERROR_SIZE];
};

/* Clients that wait for work; the settings never change after http_init(). */
static struct {
	pthread_mutex_t lock;
	struct http_client *idle[POOL_MAX];
	size_t count;
	const struct http_settings *settings;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all);

int http_init(const struct http_settings *settings, struct error *err)
{
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return err_set(err, ERR_INTERNAL, 0, "libcurl cannot be initialized");
	pool.settings = settings;
	return 0;
}

struct http_client *http_pool_get(void)
{
	struct http_client *client = NULL;

	(void)pthread_mutex_lock(&pool.lock);
	if (pool.count > 0)
		client = pool.idle[--pool.count];
	(void)pthread_mutex_unlock(&pool.lock);
	if (client)
		return client;
	client = xcalloc(1, sizeof(*client));
	client->curl = curl_easy_init();
	if (!client->curl)
		abort(); /* out of memory */
	return client;
}

void http_pool_put(struct http_client *client)
{
	bool kept = false;

	(void)pthread_mutex_lock(&pool.lock);
	if (pool.count < POOL_MAX) {
		pool.idle[pool.count++] = client;
		kept = true;
	}
	(void)pthread_mutex_unlock(&pool.lock);
	if (kept)
		return;
	curl_easy_cleanup(client->curl);
	free(client);
}

void http_response_release(struct http_response *response)
{
	strv_release(&response->authenticate);
	free(response->location);
	free(response->link);
	free(response->content_type);
	free(response->content_digest);
	free(response->content_range);
	free(response->range);
	free(response->retry_after);
	strbuf_release(&response->error_body);
	*response = (struct http_response){.content_length = -1};
}

/* ---- what comes ---- */

/* The first of several counts. */
static void set_once(char **where, const char *value)
{
	if (!*where)
		*where = xstrdup(value);
}

static void take_header(struct http_response *response, const char *name, const char *value)
{
	const struct {
		const char *name;
		char **where;
	} wanted[] = {
		{"location", &response->location},
		{"link", &response->link},
		{"content-type", &response->content_type},
		{"docker-content-digest", &response->content_digest},
		{"content-range", &response->content_range},
		{"range", &response->range},
		{"retry-after", &response->retry_after},
	};

	if (strcasecmp(name, "www-authenticate") == 0)
		strv_add(&response->authenticate, value);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (strcasecmp(name, wanted[i].name) == 0)
			set_once(wanted[i].where, value);
}

static bool is_success(const struct http_response *response)
{
	return response->status >= 200 && response->status < 300;
}

/* Returns what libcurl takes for failure. */
static size_t stop(struct http_client *client)
{
	client->stopped = true;
	return 0;
}

static size_t end_of_headers(struct http_client *client, size_t len)
{
	const struct http_request *request = client->request;
	struct http_response *response = client->response;
	curl_off_t content_length = -1;

	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &response->status);
	if (response->status < 200)
		return len; /* interim: the real one follows */
	(void)curl_easy_getinfo(client->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &content_length);
	response->content_length = content_length;
	if (is_success(response) && request->on_headers &&
	    request->on_headers(request->context, response, &client->error) < 0)
		return stop(client);
	return len;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
	struct http_client *client = context;
	size_t len = size * count;
	auto_free char *line = NULL;
	char *value;

	client->header_bytes += len;
	if (client->header_bytes > HTTP_HEADERS_MAX) {
		(void)err_set(&client->error, ERR_INVALID, EMSGSIZE,
			      "the headers are longer than %zu bytes", HTTP_HEADERS_MAX);
		return stop(client);
	}
	line = xstrndup(data, len);
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0])
		return end_of_headers(client, len);
	value = strchr(line, ':');
	if (value) {
		*value++ = '\0';
		take_header(client->response, line, value + strspn(value, " \t"));
	}
	return len;
}

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct http_client *client = context;
	const struct http_request *request = client->request;
	struct strbuf *text = &client->response->error_body;
	size_t len = size * count, room;

	if (is_success(client->response)) {
		if (request->on_body &&
		    request->on_body(request->context, data, len, &client->error) < 0)
			return stop(client);
		return len;
	}
	room = HTTP_ERROR_BODY_MAX - text->len;
	strbuf_add(text, data, len < room ? len : room);
	/* The rest is of no interest: the status says enough. */
	return text->len == HTTP_ERROR_BODY_MAX ? 0 : len;
}

/* ---- what goes ---- */

static size_t on_send(char *data, size_t size, size_t count, void *context)
{
	struct http_client *client = context;
	const struct http_request *request = client->request;
	uint64_t done = client->response->sent_bytes;
	size_t len = size * count;
	ssize_t n;

	if (len > request->body_size - done)
		len = (size_t)(request->body_size - done);
	if (len == 0)
		return 0;
	n = fd_pread_full(request->body_fd, data, len, request->body_offset + done);
	if (n <= 0) {
		(void)err_set(&client->error, ERR_SYSTEM, n < 0 ? (int)-n : EIO, "read the blob");
		client->stopped = true;
		return CURL_READFUNC_ABORT;
	}
	client->response->sent_bytes += (uint64_t)n;
	if (request->on_sent)
		request->on_sent(request->context, client->response->sent_bytes);
	return (size_t)n;
}

/*
 * libcurl goes back to the beginning when a kept connection turns out to be closed. Not when some of
 * the body has gone out already: the registry may have taken it, and the caller asks how much.
 */
static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct http_client *client = context;

	if (origin != SEEK_SET || offset != 0 || client->response->sent_bytes != 0)
		return CURL_SEEKFUNC_FAIL;
	return CURL_SEEKFUNC_OK;
}

/* ---- a request ---- */

static void set_blob(CURL *curl, CURLoption option, const char *text)
{
	struct curl_blob blob = {.data = (void *)text, .flags = CURL_BLOB_NOCOPY};

	if (!text)
		return;
	blob.len = strlen(text);
	(void)curl_easy_setopt(curl, option, &blob);
}

static void set_tls(CURL *curl, const struct http_tls *tls)
{
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
	(void)curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	(void)curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	set_blob(curl, CURLOPT_CAINFO_BLOB, tls->authorities);
	if (tls->certificate && tls->key) {
		set_blob(curl, CURLOPT_SSLCERT_BLOB, tls->certificate);
		set_blob(curl, CURLOPT_SSLKEY_BLOB, tls->key);
	}
}

/* As every program in Go has it: no proxy knows the way to this machine. */
static bool is_this_machine(const char *url)
{
	auto_(origin_release) struct origin origin = {0};
	auto_(error_release) struct error ignored = {0};

	return origin_parse(url, &origin, &ignored) >= 0 && host_is_loopback(origin.host);
}

static void set_proxy(CURL *curl, const char *url)
{
	const struct http_settings *settings = pool.settings;
	bool plain = strncasecmp(url, "http:", 5) == 0;
	const char *proxy = plain ? settings->proxy_http : settings->proxy_https;

	if (proxy && is_this_machine(url))
		proxy = NULL;

	/* An empty text also keeps libcurl from looking into the environment. */
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, proxy ? proxy : "");
	if (settings->no_proxy)
		(void)curl_easy_setopt(curl, CURLOPT_NOPROXY, settings->no_proxy);
}

static void set_body(CURL *curl, const struct http_request *request, struct http_client *client)
{
	if (request->body) {
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)request->body_len);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	} else if (request->body_fd >= 0) {
		(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
		(void)curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
				       (curl_off_t)request->body_size);
		(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
		(void)curl_easy_setopt(curl, CURLOPT_READDATA, client);
		(void)curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
		(void)curl_easy_setopt(curl, CURLOPT_SEEKDATA, client);
	} else if (strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0) {
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
	}
	if (strcmp(request->method, "HEAD") == 0)
		(void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Non-blocking from birth: later it could not be made so (syscall_filter.h). */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			address->protocol);

	(void)context;
	(void)purpose;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static struct curl_slist *header_list(const struct http_request *request)
{
	/* Waiting to be told to go on costs a second where nobody tells. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	if (request->body || request->body_fd >= 0)
		list = curl_slist_append(list, "Transfer-Encoding:");
	for (size_t i = 0; i < request->headers.count; i++)
		list = curl_slist_append(list, request->headers.items[i]);
	return list;
}

static void set_options(struct http_client *client, const struct http_request *request,
			struct curl_slist *headers)
{
	CURL *curl = client->curl;

	(void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->message);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, pool.settings->stall_s);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, request->timeout_s);
	(void)curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	(void)curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	if (request->username) {
		(void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		(void)curl_easy_setopt(curl, CURLOPT_USERNAME, request->username);
		(void)curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
	}
	(void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	set_proxy(curl, request->url);
	set_tls(curl, request->tls);
	set_body(curl, request, client);
}

static enum http_failure failure_of(CURLcode code)
{
	/* NOLINTNEXTLINE(clang-diagnostic-switch-enum): of some hundred, these say more */
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return HTTP_NO_CONNECTION;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_NO_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return HTTP_BAD_CERTIFICATE;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return HTTP_STOPPED;
	default:
		return HTTP_BROKEN;
	}
}

static int fail(struct http_client *client, CURLcode code, enum http_failure *ret_failure,
		struct error *err)
{
	const char *why = client->message[0] ? client->message : curl_easy_strerror(code);

	if (client->error.kind != ERR_NONE) {
		*ret_failure = HTTP_STOPPED;
		return err_move(err, &client->error);
	}
	*ret_failure = failure_of(code);
	/* What a proxy forbids, it will forbid again. */
	if (client->tunnel_status >= 400 && client->tunnel_status < 500) {
		*ret_failure = HTTP_STOPPED;
		return err_set(err, ERR_DENIED, 0, "the proxy refuses: status %ld",
			       client->tunnel_status);
	}
	return err_set(err, ERR_UNAVAILABLE, 0, "%s", why);
}

int http_perform(struct http_client *client, const struct http_request *request,
		 struct http_response *ret_response, enum http_failure *ret_failure,
		 struct error *err)
{
	auto_(curl_slist_free_all) struct curl_slist *headers = header_list(request);
	CURLcode code;

	http_response_release(ret_response);
	client->request = request;
	client->response = ret_response;
	client->header_bytes = 0;
	client->stopped = false;
	client->message[0] = '\0';
	*ret_failure = HTTP_NO_FAILURE;
	set_options(client, request, headers);
	code = curl_easy_perform(client->curl);
	client->tunnel_status = 0;
	(void)curl_easy_getinfo(client->curl, CURLINFO_HTTP_CONNECTCODE, &client->tunnel_status);
	/* Keeps connections and TLS sessions, forgets the options and with them our pointers. */
	curl_easy_reset(client->curl);
	/* Not what follows the path: signed addresses are as good as passwords. */
	log_debug("registry", "%s %.*s: %ld%s%s", request->method, (int)strcspn(request->url, "?"),
		  request->url, ret_response->status, code ? ", " : "",
		  code ? client->message : "");
	if (client->stopped)
		return fail(client, code, ret_failure, err);
	/* A status that is no success was enough, whatever became of its body. */
	if (code == CURLE_OK || (ret_response->status >= 300 && ret_response->status < 600))
		return 0;
	return fail(client, code, ret_failure, err);
}
