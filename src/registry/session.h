/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - whom this helper talks to, as whom: the configuration, and what was found out since */
#ifndef SKIFF_REGISTRY_SESSION_H
#define SKIFF_REGISTRY_SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "registry/http.h"

struct endpoint {
	char *host, *repository;
	bool insecure;
	char *username, *password, *identity_token, *registry_token;
	char *authorities, *certificate, *key; /* authorities: with the system's */

	pthread_mutex_t lock; /* of what follows; held while somebody asks for a token */
	bool plain;           /* it speaks HTTP without TLS */
	bool settled;         /* it has answered: what it speaks is known */
	char *token;          /* bearer; NULL: none yet */
	bool basic;           /* it wants the password with each request */
	unsigned int version; /* counts changes of the two */
};

struct session {
	char *actions;
	struct strv mount_from, realms;
	struct http_settings http;
	struct endpoint *endpoints;
	size_t endpoint_count;
	unsigned int backoff_ms, retries;
	int quit_fd; /* readable when nobody waits for us any more: the end of waiting */
};

/* `authorities` are the system's, PEM or NULL; copied. ERR_INVALID when the text is no configuration. */
int session_parse(const char *text, size_t len, const char *authorities,
		  struct session *ret_session, struct error *err);
void session_release(struct session *session);

DEFINE_CLEANUP_VALUE(struct session, session_release);

#endif
