/* SPDX-License-Identifier: Apache-2.0 */
/* volume.h - named and anonymous volumes: volumes/NAME/_data and their records */
#ifndef SKIFF_STORAGE_VOLUME_H
#define SKIFF_STORAGE_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "storage/store.h"

/*
 * Makes sure the volume exists; *ret_created tells whether it is new. `name` NULL: an anonymous
 * one with a random 64-digit name. *ret_name is owned by the caller. Names are
 * [a-zA-Z0-9][a-zA-Z0-9_.-]+.
 */
int volume_ensure(struct store *store, const char *name, char **ret_name, bool *ret_created,
		  struct error *err);

struct volume_record {
	char *name;
	bool anonymous;
	int64_t created_ns;
	struct strv labels, options; /* key=value */
	uint64_t user_count;         /* containers that refer to it */
};

struct volume_records {
	struct volume_record *items;
	size_t count;
};

void volume_record_release(struct volume_record *record);
void volume_records_release(struct volume_records *records);

/* As volume_ensure(); a new one gets the labels and options, one that is there keeps its own. */
struct volume_new {
	const char *name;                    /* NULL: a random one, anonymous */
	const struct strv *labels, *options; /* key=value; NULL: none */
};
int volume_create(struct store *store, const struct volume_new *new_volume, char **ret_name,
		  bool *ret_created, struct error *err);

/* By name. */
int volume_list(struct store *store, struct volume_records *ret_records, struct error *err);

/* ERR_NOT_FOUND. */
int volume_find(struct store *store, const char *name, struct volume_record *ret_record,
		struct error *err);

/* Disk space of what is in it. */
uint64_t volume_bytes(struct store *store, const char *name);

/* "volumes/NAME/_data", relative to ROOT; caller frees. */
char *volume_data_path(const char *name);

/* ERR_CONFLICT when a container refers to it, ERR_NOT_FOUND when there is none. */
int volume_remove(struct store *store, const char *name, struct error *err);

DEFINE_CLEANUP_VALUE(struct volume_record, volume_record_release);
DEFINE_CLEANUP_VALUE(struct volume_records, volume_records_release);

#endif
