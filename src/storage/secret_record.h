/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_record.h - secrets: a record, and ROOT/secrets/ID with the bytes
 *
 * The file has mode 0600 and is never changed: replacing a secret makes another file. A container that
 * was given a secret has a link to the file in its own directory (secret_link()), so it keeps what it
 * was created with when the secret is replaced or removed.
 */
#ifndef SKIFF_STORAGE_SECRET_RECORD_H
#define SKIFF_STORAGE_SECRET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "storage/store.h"

#define SECRET_MAX_BYTES ((size_t)512000) /* podman's bound */

struct secret_record {
	char *name, *id;
	int64_t created_ns, updated_ns;
	struct strv labels; /* key=value */
};

struct secret_records {
	struct secret_record *items;
	size_t count;
};

void secret_record_release(struct secret_record *record);
void secret_records_release(struct secret_records *records);

struct secret_content {
	const char *name; /* checked */
	const struct strv *labels;
	const void *data;
	size_t len;
	bool replace; /* else one of that name is ERR_CONFLICT */
};

/* The new secret's id in *ret_id, caller frees. On the disk when it returns. */
int secret_record_insert(struct store *store, const struct secret_content *content, char **ret_id,
			 struct error *err);

/* By name. */
int secret_record_list(struct store *store, struct secret_records *ret_records, struct error *err);

/* By name, id or a unique beginning of an id. ERR_NOT_FOUND. */
int secret_record_find(struct store *store, const char *selector, struct secret_record *ret_record,
		       struct error *err);

/* What it holds; caller frees. */
int secret_record_read(struct store *store, const struct secret_record *record, char **ret_data,
		       size_t *ret_len, struct error *err);

/* A second name for the bytes, in a directory of the store. */
int secret_record_link(struct store *store, const struct secret_record *record, int dir_fd,
		       const char *name, struct error *err);

/* ERR_NOT_FOUND. */
int secret_record_remove(struct store *store, const char *selector, struct error *err);

/* Removes files without a record, which a crash left. */
int secret_record_sweep(struct store *store, struct error *err);

DEFINE_CLEANUP_VALUE(struct secret_record, secret_record_release);
DEFINE_CLEANUP_VALUE(struct secret_records, secret_records_release);

#endif
