/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - who we are to a registry
 *
 * Found in, best first:
 *
 *	1. --creds USER:PASSWORD
 *	2. --authfile, else $REGISTRY_AUTH_FILE: when one is named, no other file is read
 *	3. docker's config.json, auth.json of the session, auth.json of the user, ~/.dockercfg
 *
 * docker's file comes before the others, where containers-auth.json(5) has it after them: `skiff
 * login` writes there, so that every other program finds what it stores, and what was said last must
 * not be hidden by an older entry elsewhere.
 *
 * In each file: a program named in credHelpers for this registry, and nothing else then; else the
 * longest key of auths ("host:port/path", then its parents, then "host:port"); else the program
 * named in credsStore. Docker Hub is "https://index.docker.io/v1/" to docker and "docker.io" to the
 * others; both are looked for, and so are keys written as URLs ("https://host/v1/").
 *
 * Credentials belong to one registry. Whoever asks gets those of the host it names, and must not
 * send them to another (CVE-2020-15157). They are wiped from memory when released, never logged and
 * never part of an error's message.
 */
#ifndef SKIFF_TRUST_CREDENTIALS_H
#define SKIFF_TRUST_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct trust_paths;

/* Longest credential of either kind, and of a program's answer. */
#define CREDENTIALS_MAX_BYTES ((size_t)64 << 10)

struct credentials {
	char *username, *password; /* both, or neither */
	char *identity_token;      /* OAuth2 refresh token, stands in for the password; NULL */
	char *registry_token;      /* a ready bearer token; NULL */
};

bool credentials_is_empty(const struct credentials *credentials);

/* Overwrites before it frees. */
void credentials_release(struct credentials *credentials);

/* What the command line says; both may be NULL. */
struct credentials_choice {
	const char *authfile;
	const char *creds; /* "user:password" */
};

/* "user:password"; ERR_INVALID when there is no user. */
int credentials_parse(const char *text, struct credentials *ret_credentials, struct error *err);

/*
 * Those for the repository `path` at `domain` ("docker.io", "host:5000"). `path` may be NULL: the
 * registry's own. Success with an empty result when there are none; an unreadable or malformed file,
 * or a program that fails, is an error. May wait for a program, at most two minutes.
 */
int credentials_find(const struct trust_paths *paths, const struct credentials_choice *choice,
		     const char *domain, const char *path, struct credentials *ret_credentials,
		     struct error *err);

/* Where `credentials_store()` would put it, for messages: a file's path; caller frees. */
char *credentials_file(const struct trust_paths *paths, const struct credentials_choice *choice);

enum credentials_place {
	CREDENTIALS_IN_FILE,   /* readable by whoever can read the file: docker warns about it */
	CREDENTIALS_IN_HELPER, /* a program keeps it */
};

/*
 * Remembers them for a registry: in the program named for it, else in the file, which is replaced
 * atomically with mode 0600; what else is in it stays. `key` is a domain, or "domain/path" for the
 * files that know such keys. Call it only after the registry took them.
 */
int credentials_store(const struct trust_paths *paths, const struct credentials_choice *choice,
		      const char *key, const struct credentials *credentials,
		      enum credentials_place *ret_place, struct error *err);

/* Forgets them wherever credentials_find() would find them. *ret_found: there were some. */
int credentials_erase(const struct trust_paths *paths, const struct credentials_choice *choice,
		      const char *key, bool *ret_found, struct error *err);

/* The registries (and repositories) that the file which credentials_store() writes has entries for. */
int credentials_list(const struct trust_paths *paths, const struct credentials_choice *choice,
		     struct strv *ret_keys, struct error *err);

DEFINE_CLEANUP_VALUE(struct credentials, credentials_release);

#endif
