/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_record.h - images, their names and their layers in the database
 *
 * An image's id is the digest of its configuration. A layer is known by its chain id
 * (OCI image specification, "Layer ChainID"); its files are in layers/<64 hex digits>/diff.
 */
#ifndef SKIFF_STORAGE_IMAGE_RECORD_H
#define SKIFF_STORAGE_IMAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "storage/store.h"

struct image_record {
	char *id;              /* "sha256:…" of the configuration */
	char *config;          /* the configuration's JSON text, verified */
	char *manifest_digest; /* of the stored OCI manifest; NULL when none was made */
	int64_t created_ns;    /* from the configuration; 0 when absent */
	uint64_t size_bytes;   /* of all layers, unpacked */
	struct strv chain_ids; /* "sha256:…", bottom layer first */
	struct strv names; /* normalized references "docker.io/library/alpine:3.18", may be empty */
};

void image_record_release(struct image_record *record);

struct image_records {
	struct image_record *items;
	size_t count;
};

void image_records_release(struct image_records *records);

/*
 * Finds by reference (normalized as image/reference.h does), by id or by a unique prefix of it.
 * ERR_NOT_FOUND: "No such image: X".
 */
int image_record_find(struct store *store, const char *selector, struct image_record *ret_record,
		      struct error *err);
int image_record_list(struct store *store, struct image_records *ret_records, struct error *err);

/* Containers (ids) made from this image. */
int image_record_users(struct store *store, const char *id, struct strv *ret_container_ids,
		       struct error *err);

DEFINE_CLEANUP_VALUE(struct image_record, image_record_release);
DEFINE_CLEANUP_VALUE(struct image_records, image_records_release);

#endif
