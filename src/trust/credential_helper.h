/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential_helper.h - programs that keep credentials: docker-credential-<name>
 *
 * They are run as docker runs them: the verb is the only argument, the registry or a JSON object
 * goes to standard input, the answer comes from standard output, standard error is ours. Nothing
 * secret is an argument or in the environment.
 *
 * They get a clean environment: of ours only what names the user, the session, its keys, proxies
 * and cloud accounts (credential_helper_environment()). They are looked for in the absolute
 * directories of $PATH, and their names hold no slash. Their answer is bounded, and so is their time:
 * CREDENTIAL_HELPER_TIMEOUT_MS, long enough to type a passphrase.
 */
#ifndef SKIFF_TRUST_CREDENTIAL_HELPER_H
#define SKIFF_TRUST_CREDENTIAL_HELPER_H

#include "base/error.h"
#include "base/strv.h"

struct credentials;

#define CREDENTIAL_HELPER_TIMEOUT_MS 120000

/* 1, or 0 when it has none for this server. */
int credential_helper_get(const char *name, const char *server, struct credentials *ret_credentials,
			  struct error *err);
int credential_helper_store(const char *name, const char *server,
			    const struct credentials *credentials, struct error *err);

/* Success also when there were none. */
int credential_helper_erase(const char *name, const char *server, struct error *err);

/* What of `environment` (NULL-terminated) such a program may see. */
void credential_helper_environment(char *const *environment, struct strv *ret_environment);

#endif
