/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - what the records promise and what lies on the disk, for `system fsck`
 *
 * Looking changes nothing. Whoever looks at layers and blobs holds image_store_begin()'s lock, so
 * that nothing recorded is removed meanwhile.
 */
#ifndef SKIFF_STORAGE_AUDIT_H
#define SKIFF_STORAGE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"
#include "storage/image_record.h"
#include "storage/store.h"

/* SQLite's own check and that of the references: a line for each fault. */
int audit_database(struct store *store, struct strv *ret_faults, struct error *err);

struct audit_layers {
	struct image_layer *items; /* `blob` may be NULL, or one that is no longer recorded */
	size_t count;
};

struct audit_blobs {
	struct image_blob *items;
	size_t count;
};

int audit_layers_list(struct store *store, struct audit_layers *ret_layers, struct error *err);
int audit_blobs_list(struct store *store, struct audit_blobs *ret_blobs, struct error *err);
void audit_layers_release(struct audit_layers *layers);
void audit_blobs_release(struct audit_blobs *blobs);

/* All images, also those that were removed by force and that a container still needs. */
int audit_images_list(struct store *store, struct image_records *ret_records, struct error *err);

/* For messages: a name of each image that has it, or the image's id. */
int audit_layer_users(struct store *store, const char *chain_id, struct strv *ret_images,
		      struct error *err);
int audit_blob_users(struct store *store, const char *digest, struct strv *ret_images,
		     struct error *err);

/* Containers, by id, whose image has this layer. */
int audit_layer_containers(struct store *store, const char *chain_id, struct strv *ret_ids,
			   struct error *err);

/*
 * Paths, relative to ROOT, of files that no record speaks of and that nobody is making now: in
 * staging/, containers/, layers/, volumes/, among the blobs, and anything else that is not ours.
 * *ret_busy: somebody brings an image in, so layers and blobs could not be judged.
 */
int audit_strays(struct store *store, struct strv *ret_paths, bool *ret_busy, struct error *err);

/* Containers, by id, and volumes, by name, that have a record and no directory. */
int audit_lost_directories(struct store *store, struct strv *ret_containers,
			   struct strv *ret_volumes, struct error *err);

/* ---- setting right ---- */

/* Puts staging's directory in the place of the layer's, whatever is there: one atomic step. */
int layer_replace(struct store *store, int dir_fd, const char *path, const char *chain_id,
		  struct error *err);

/* A file, verified and flushed, becomes the blob, whatever has its name now: one atomic step. */
int blob_replace(struct store *store, int dir_fd, const char *path, const char *digest,
		 struct error *err);

/*
 * Takes blobs away that are not what their names say, so that the next load or pull brings them again.
 * Waits until nobody loads. Their records stay. No image_store_begin() of ours may be held.
 */
int blobs_discard(struct store *store, const struct strv *digests, struct error *err);

DEFINE_CLEANUP_VALUE(struct audit_layers, audit_layers_release);
DEFINE_CLEANUP_VALUE(struct audit_blobs, audit_blobs_release);

#endif
