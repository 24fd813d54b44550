/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - use cases of secrets
 *
 * A secret is a name and up to 512,000 bytes that containers are given without their becoming part of
 * an image, of a container's writable layer or of what inspect shows.
 */
#ifndef SKIFF_ENGINE_SECRET_H
#define SKIFF_ENGINE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"

struct secret_create_request {
	const char *name;
	const char *path;     /* of the file with the bytes; "-": standard input */
	const char *variable; /* of ours, instead of a file; NULL: path */
	struct strv labels;   /* key=value; borrowed */
	bool replace, ignore; /* one of that name: replace it, or leave it and give its id */
};

/* *ret_id is the caller's. */
int secret_create(struct engine *engine, const struct secret_create_request *request, char **ret_id,
		  struct error *err);

struct secret_summary {
	char *id, *name;
	int64_t created_ns, updated_ns;
	struct strv labels;
};

struct secret_list {
	struct secret_summary *items;
	size_t count;
};

/* By name. Filters: id (a beginning), label, name (a regular expression). */
int secret_list(struct engine *engine, const struct strv *filters, struct secret_list *ret_list,
		struct error *err);
void secret_summary_release(struct secret_summary *summary);
void secret_list_release(struct secret_list *list);

/* By name or id. */
int secret_get(struct engine *engine, const char *selector, struct secret_summary *ret_secret,
	       struct error *err);

/* podman's object; a new reference. */
int secret_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		   struct error *err);
/* The same with "SecretData": its bytes, what is no UTF-8 replaced. */
int secret_inspect_data(struct engine *engine, const char *selector, json_t **ret_object,
			struct error *err);

/* Containers that have it keep it. */
int secret_remove(struct engine *engine, const char *selector, struct error *err);

DEFINE_CLEANUP_VALUE(struct secret_summary, secret_summary_release);
DEFINE_CLEANUP_VALUE(struct secret_list, secret_list_release);

#endif
