/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - answering a registry that wants to know who is asking
 *
 * (distribution specification, "Token Authentication"; OAuth2 for identity tokens)
 */
#ifndef SKIFF_REGISTRY_TOKEN_H
#define SKIFF_REGISTRY_TOKEN_H

#include <stddef.h>

#include "base/error.h"
#include "registry/http.h"
#include "registry/session.h"

#define TOKEN_MAX_BYTES ((size_t)64 << 10)

/* The token in a realm's answer, owned by the caller; ERR_INVALID. Never in a message. */
int token_parse(const char *text, size_t len, char **ret_token, struct error *err);

/*
 * Answers the challenges of `response`, a 401 that `url` gave: afterwards the endpoint has a token or
 * wants the password. `version` is the endpoint's when the refused request was made: if somebody else
 * has answered meanwhile, nothing is done. ERR_DENIED when there is no answer.
 */
int token_answer(struct session *session, struct endpoint *endpoint, struct http_client *client,
		 const char *url, const struct http_response *response, unsigned int version,
		 struct error *err);

#endif
