/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_record.h - containers in the database
 *
 * A record holds what must outlive a run. Whether the container runs is not here: see
 * runtime/state.h.
 */
#ifndef SKIFF_STORAGE_CONTAINER_RECORD_H
#define SKIFF_STORAGE_CONTAINER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "storage/store.h"

struct endpoint_request;
struct id_range_request;

struct container_record {
	char *id;        /* 64 hex digits */
	char *name;      /* unique */
	char *image_id;  /* "sha256:…"; NULL when it was made from none */
	char *image_ref; /* as the user named it, for the IMAGE column */
	char *command;   /* for the COMMAND column, unquoted and whole */
	int64_t created_ns;
	char *config; /* JSON text of the engine: everything create was told
			 (engine/container_config.h) */
	/* For insert only, borrowed: the networks it is put into (storage/network_record.h). */
	const struct endpoint_request *endpoints;
	size_t endpoint_count;
	const struct strv *mounted_images; /* ids, beside its own; NULL: none */
	/* For insert only, borrowed: ids for its user namespace (storage/id_range.h); NULL: none. */
	const struct id_range_request *ids;
};

void container_record_release(struct container_record *record);

struct container_records {
	struct container_record *items;
	size_t count;
};

void container_records_release(struct container_records *records);

/* ERR_CONFLICT when the name or the id is taken; err names who has it, as docker does. Volumes are
 * the names of named or anonymous volumes it refers to. */
int container_record_insert(struct store *store, const struct container_record *record,
			    const struct strv *volumes, struct error *err);

/*
 * By exact name, exact id, or any unique prefix of the id (in this order). ERR_NOT_FOUND ("No such
 * container: X"); ERR_CONFLICT lists the candidates when a prefix is not unique.
 */
int container_record_find(struct store *store, const char *selector,
			  struct container_record *ret_record, struct error *err);

/* All, newest first. */
int container_record_list(struct store *store, struct container_records *ret_records,
			  struct error *err);

int container_record_rename(struct store *store, const char *id, const char *name,
			    struct error *err);
int container_record_set_config(struct store *store, const char *id, const char *config,
				struct error *err);

/* Forgets it. ret_volumes (may be NULL) gets the anonymous volumes that nobody else refers to now.
 */
int container_record_delete(struct store *store, const char *id, struct strv *ret_volumes,
			    struct error *err);

DEFINE_CLEANUP_VALUE(struct container_record, container_record_release);
DEFINE_CLEANUP_VALUE(struct container_records, container_records_release);

#endif
