/* SPDX-License-Identifier: Apache-2.0 */
/* store_check_internal.h - between store_check.c and its parts */
#ifndef SKIFF_ENGINE_STORE_CHECK_INTERNAL_H
#define SKIFF_ENGINE_STORE_CHECK_INTERNAL_H

#include "base/strv.h"
#include "engine/store_check.h"
#include "storage/audit.h"

struct sha256;

struct store_check {
	struct engine *engine;
	struct store *store;
	const struct store_check_request *request;
	struct store_check_result result;
	struct image_records images; /* forgotten ones too */
	struct audit_layers layers;
	struct audit_blobs blobs;
	bool *blob_is_good;    /* for each of `blobs` */
	struct strv bad_blobs; /* there, and not what they should be */
	char *staging;         /* relative to the store; NULL: none */
	int staging_fd;
	size_t staged; /* number of the next layer in staging */
	int hold_fd;   /* nothing that is recorded is removed meanwhile */

	struct strv unreachable; /* repositories that did not answer */
};

/* Counts it and tells the caller. */
void store_check_report(struct store_check *check, const struct store_finding *finding);

/* "a:1, b:2"; caller frees. */
char *store_check_users(const struct strv *images);

/* Verifies blobs, then what the database has of configurations. */
int store_check_blobs(struct store_check *check, struct error *err);

/* Adds a file's bytes, from where it is, to a hash: 0, or a negative errno. */
int store_check_hash(int fd, struct sha256 *hash, uint64_t *ret_bytes);

/*
 * Brings a blob again: 1, and it is in its place, verified and flushed; 0 when nobody gave it, with the
 * last failure in *ret_failure (NULL: nobody is known to have it), owned by the caller.
 */
int store_check_fetch(struct store_check *check, const struct image_blob *blob, char **ret_failure,
		      struct error *err);

/* Whether the store has this blob, and it is what it should be. */
bool store_check_has_blob(const struct store_check *check, const char *digest);

/* Unpacks every layer again and compares. */
int store_check_layers(struct store_check *check, struct error *err);

#endif
