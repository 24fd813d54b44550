/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h - use cases: show a registry who we are and remember it, and forget it again
 *
 * A server is what docker takes: "host:port", a URL of which only the host counts, nothing for
 * Docker Hub; or "host:port/path", as podman has it, for credentials of a part of a registry.
 */
#ifndef SKIFF_ENGINE_LOGIN_H
#define SKIFF_ENGINE_LOGIN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/registry.h"

struct login_request {
	const char *server;               /* NULL: Docker Hub */
	const char *username, *password;  /* both NULL: those that are remembered */
	struct registry_options registry; /* `creds` is not used */
};

struct login_result {
	char *file; /* the credentials are in it, readable; NULL: a program keeps them */
};

/*
 * Asks the registry, and remembers the credentials when it takes them. ERR_DENIED when it does not.
 * Nothing is written before it has answered.
 */
int registry_login(const struct login_request *request, struct login_result *ret_result,
		   struct error *err);
void login_result_release(struct login_result *result);

/* The user name that is remembered; *ret_username is NULL when nothing is. Caller frees. */
int registry_login_name(const char *server, const struct registry_options *options,
			char **ret_username, struct error *err);

/* Forgets. *ret_found: something was remembered. */
int registry_logout(const char *server, const struct registry_options *options, bool *ret_found,
		    struct error *err);

/* Forgets everything in the file that skiff login writes; the registries go to *ret_servers. */
int registry_logout_all(const struct registry_options *options, struct strv *ret_servers,
			struct error *err);

/* How messages call a server: Docker Hub by docker's URL, others by host. Caller frees. */
char *registry_display_name(const char *server);

DEFINE_CLEANUP_VALUE(struct login_result, login_result_release);

#endif
