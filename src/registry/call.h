/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - a request to a registry, with all that may be necessary to get its answer
 *
 *	- the scheme: HTTPS; plain HTTP when the endpoint is insecure and does not speak TLS
 *	- authentication: a 401 is answered (token.h), at most twice
 *	- redirects, at most CALL_MAX_REDIRECTS, by GET and HEAD only; what is elsewhere gets no token,
 *	  no password and no client certificate, an encrypted request is never continued in the clear, and
 *	  nobody but this machine may send us to this machine
 *	- trying again: what broke, 429 and 5xx, as often as the session says; with jitter, twice as long
 *	  each time, and never before the registry's Retry-After. Progress starts the count anew
 *
 * A body that broke off is continued where it ended (`offset` moves with it): with a Range, or, where
 * the server ignores that, by skipping what is known.
 */
#ifndef SKIFF_REGISTRY_CALL_H
#define SKIFF_REGISTRY_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "registry/http.h"
#include "registry/session.h"

#define CALL_MAX_REDIRECTS 5

/* Longer waits are not waited: the error says how long. */
#define CALL_MAX_WAIT_S 120

struct call {
	struct session *session;
	struct endpoint
		*endpoint; /* NULL: somewhere else, `url` is absolute and nothing is shown */
	const char *method;
	const char *path; /* "/v2/…", or an absolute URL where the registry named one */
	struct strv headers;
	const char *body;
	size_t body_len;
	int body_fd; /* NO_FD: none */
	uint64_t body_offset, body_size;
	long timeout_s;
	bool once; /* the caller tries again itself */
	/* May be NULL; told where in the file the body of the request has come to. */
	void (*on_sent)(void *context, uint64_t position);

	/* The body of success goes here; `offset` counts what was taken, `size` is its end. */
	int (*on_body)(void *context, const char *data, size_t len, struct error *err);
	void *context;
	uint64_t offset, size;
	bool exact; /* `size` is the length that it must have, else a bound */

	/* Private. */
	uint64_t skip;
	uint64_t waited_s;
};

#define CALL_EMPTY ((struct call){.body_fd = NO_FD})

/*
 * 0 for a 2xx; else a negative errno, and err: ERR_NOT_FOUND for 404, ERR_DENIED for 401 and 403,
 * ERR_UNAVAILABLE for what may work another time, ERR_INVALID for the rest. The response has the last
 * status in any case, 0 when there was none.
 */
int call_run(struct call *call, struct http_response *ret_response, struct error *err);
void call_release(struct call *call);

/* Waits, jittered, before attempt number `attempt`; -ECANCELED when the session ends meanwhile. */
int call_back_off(const struct session *session, unsigned int attempt, uint64_t at_least_s);

/* "https://host/v2/…" as the endpoint is known to speak now; caller frees. */
char *endpoint_url(struct endpoint *endpoint, const char *path);

DEFINE_CLEANUP_VALUE(struct call, call_release);

#endif
