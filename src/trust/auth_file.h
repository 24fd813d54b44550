/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth_file.h - one file of credentials: docker's config.json, containers-auth.json(5), ~/.dockercfg
 *
 * The three are one format in different frames. They differ in how they spell Docker Hub, and docker's
 * has much else in it, which stays as it is when the file is written.
 */
#ifndef SKIFF_TRUST_AUTH_FILE_H
#define SKIFF_TRUST_AUTH_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

struct credentials;
struct trust_paths;

#define AUTH_FILE_MAX_BYTES ((size_t)4 << 20)

#define DOCKER_HUB_KEY "https://index.docker.io/v1/"

enum auth_file_style {
	AUTH_FILE_DOCKER,     /* config.json */
	AUTH_FILE_CONTAINERS, /* auth.json */
	AUTH_FILE_LEGACY,     /* ~/.dockercfg: what the others have in "auths" is the whole file */
};

struct auth_file {
	enum auth_file_style style;
	const char *path; /* borrowed: for messages */
	json_t *root;     /* an object */
};

/* A file named by the user is docker's when it is called config.json. */
enum auth_file_style auth_file_style_of(const char *path);

/* 1, 0 when there is none, or an error that never shows the contents. An empty file is an empty object. */
int auth_file_read(const char *path, enum auth_file_style style, struct auth_file *ret_file,
		   struct error *err);

/* The same from a text. */
int auth_file_parse(const char *text, size_t len, const char *path, enum auth_file_style style,
		    struct auth_file *ret_file, struct error *err);
void auth_file_release(struct auth_file *file);

/* The program that credHelpers names for the registry, else NULL; borrowed. */
const char *auth_file_helper(const struct auth_file *file, const char *domain);

/* The program that credsStore names, else NULL; borrowed. */
const char *auth_file_default_helper(const struct auth_file *file);

/*
 * The entry for domain and path (NULL: none) with the longest key; 1, or 0 when there is none or
 * it holds no credentials, or ERR_INVALID when it is malformed.
 */
int auth_file_find(const struct auth_file *file, const char *domain, const char *path,
		   struct credentials *ret_credentials, struct error *err);

/* How this file spells a registry: "docker.io" is a URL to docker. Caller frees. */
char *auth_file_key(const struct auth_file *file, const char *key);

/* Keys of all entries, as "domain" or "domain/path". */
void auth_file_list(const struct auth_file *file, struct strv *ret_keys);

/* In memory only. NULL credentials: an entry that only says that a program has them. */
void auth_file_set(struct auth_file *file, const char *key, const struct credentials *credentials);

/* Removes every spelling of the key; whether there was one. */
bool auth_file_unset(struct auth_file *file, const char *key);

/*
 * Reads the file (which may be missing), lets `edit` change it, and replaces it when that returned 1:
 * mode 0600, atomically, one writer at a time; missing directories are made with mode 0700. A
 * file that is a symbolic link stays one. Returns what `edit` returned, or an error.
 */
int auth_file_update(const char *path, enum auth_file_style style,
		     int (*edit)(struct auth_file *file, void *context, struct error *err),
		     void *context, struct error *err);

DEFINE_CLEANUP_VALUE(struct auth_file, auth_file_release);

#endif
