/* SPDX-License-Identifier: Apache-2.0 */
/* store_internal.h - what a store is, for this room */
#ifndef SKIFF_STORAGE_STORE_INTERNAL_H
#define SKIFF_STORAGE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "storage/store.h"

#define STAGING_DIR "staging"
#define CONTAINERS_DIR "containers"
#define LAYERS_DIR "layers"
#define VOLUMES_DIR "volumes"
#define OCI_DIR "oci"
#define PARTIAL_DIR "oci/partial"
#define BLOBS_DIR "oci/blobs/sha256"

struct store {
	char *root;
	int root_fd;
	int write_lock_fd; /* opened when something is first written */
	sqlite3 *db;
	int log_pages; /* in the write-ahead log after our last commit */
};

/* Takes and gives back the lock on which writers queue. */
int store_write_lock(struct store *store, struct error *err);
void store_write_unlock(struct store *store);

/* Creates ROOT's directories; existing ones are success. */
int store_make_directories(struct store *store, struct error *err);

/*
 * Removes the files of layers and blobs without a record, unless somebody loads an image now: then
 * the loader does it at its end.
 */
int store_reclaim(struct store *store, uint64_t *ret_bytes, struct error *err);

#endif
