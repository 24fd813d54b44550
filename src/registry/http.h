/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - one request and its response, over libcurl
 *
 * Redirects are not followed here, nothing is tried again, and no credentials are added: see call.h.
 * A client keeps its connections; it serves one request at a time, so each thread has its own
 * (http_pool_get()). What a server may send is bounded: lines of headers, their sum, and a body by
 * whoever takes it.
 */
#ifndef SKIFF_REGISTRY_HTTP_H
#define SKIFF_REGISTRY_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strv.h"

#define HTTP_HEADERS_MAX ((size_t)64 << 10)

/* Of an error, for the message. */
#define HTTP_ERROR_BODY_MAX ((size_t)8 << 10)

struct http_client;

/* What is the same for all requests of a session. */
struct http_settings {
	char *proxy_http, *proxy_https, *no_proxy; /* NULL: none */
	long stall_s;      /* less than 100 bytes a second for so long: broken */
	char *authorities; /* PEM, the system's; NULL: none */
};

/* How to trust a host, and how to be trusted by it; all NULL by default. */
struct http_tls {
	bool insecure;
	const char *authorities;       /* PEM, whole: the system's are in it */
	const char *certificate, *key; /* PEM */
};

struct http_response;

struct http_request {
	const char *method;
	const char *url;
	struct strv headers;             /* "Name: value" */
	const char *username, *password; /* basic authentication; NULL: none */
	const struct http_tls *tls;
	long timeout_s; /* of the whole; 0: none */
	/* Body: a text, or a region of a file. */
	const char *body;
	size_t body_len;
	int body_fd; /* NO_FD: none */
	uint64_t body_offset, body_size;
	/*
	 * For a successful (2xx) response, may be NULL: first the headers are looked at, then the body
	 * comes piece by piece. A negative errno with `err` set ends the request with that error.
	 */
	int (*on_headers)(void *context, const struct http_response *response, struct error *err);
	int (*on_body)(void *context, const char *data, size_t len, struct error *err);
	/* Each time that some of `body_fd` has gone out, may be NULL: how much by now. */
	void (*on_sent)(void *context, uint64_t bytes);
	void *context;
};

struct http_response {
	long status;
	struct strv authenticate; /* WWW-Authenticate, each */
	char *location, *link, *content_type, *content_digest, *content_range, *range, *retry_after;
	int64_t content_length;   /* -1: not said */
	struct strbuf error_body; /* the beginning of what came with a status that is not 2xx */
	uint64_t sent_bytes;      /* of the request's body */
};

void http_response_release(struct http_response *response);

/* Why there is no response, as far as it matters to whoever may try again. */
enum http_failure {
	HTTP_NO_FAILURE,
	HTTP_NO_CONNECTION, /* refused, unreachable, no such host: nothing was said */
	HTTP_NO_TLS,        /* the other side does not speak TLS, or not ours */
	HTTP_BAD_CERTIFICATE,
	HTTP_BROKEN,  /* the connection broke, or stood still */
	HTTP_STOPPED, /* a callback ended it, or a bound was met: trying again is no use */
};

/*
 * 0 when a response came, whatever its status. Else a negative errno, err and *ret_failure. The
 * response is to be released either way.
 */
int http_perform(struct http_client *client, const struct http_request *request,
		 struct http_response *ret_response, enum http_failure *ret_failure,
		 struct error *err);

/* Before everything else, and before threads. */
int http_init(const struct http_settings *settings, struct error *err);

/* A client that nobody uses now, with its connections, or a new one. */
struct http_client *http_pool_get(void);
void http_pool_put(struct http_client *client);

DEFINE_CLEANUP(struct http_client *, http_pool_put);
DEFINE_CLEANUP_VALUE(struct http_response, http_response_release);

#endif
