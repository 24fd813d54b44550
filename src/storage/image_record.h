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
	struct strv
		repo_digests; /* "docker.io/library/alpine@sha256:…"; empty, see repo_digest.h */
};

void image_record_release(struct image_record *record);

struct image_records {
	struct image_record *items;
	size_t count;
};

void image_records_release(struct image_records *records);

/*
 * Finds by normalized reference (image/reference.h), by id or by a unique prefix of it, with or
 * without "sha256:". ERR_NOT_FOUND: "No such image: X". A container finds its image by the whole
 * id also after the image was removed by force.
 */
int image_record_find(struct store *store, const char *selector, struct image_record *ret_record,
		      struct error *err);

/* By the digest of the stored manifest; ERR_NOT_FOUND. */
int image_record_find_manifest(struct store *store, const char *digest,
			       struct image_record *ret_record, struct error *err);

/* Newest first. */
int image_record_list(struct store *store, struct image_records *ret_records, struct error *err);

/* Containers (ids) made from this image. */
int image_record_users(struct store *store, const char *id, struct strv *ret_container_ids,
		       struct error *err);

/* ---- changing ---- */

/* Gives the image one more name, taking it from the image that has it now. */
int image_record_tag(struct store *store, const char *id, const char *name, struct error *err);
int image_record_untag(struct store *store, const char *name, struct error *err);

/* The configuration's text once more, for a record that was damaged. */
int image_record_set_config(struct store *store, const char *id, const char *config,
			    struct error *err);

struct image_removal {
	bool forgotten;        /* containers still need its files: they go with the last one */
	struct strv chain_ids; /* layers that nobody refers to any more, topmost first */
	uint64_t bytes;        /* freed by now */
};

void image_removal_release(struct image_removal *removal);

/*
 * Forgets the image with all its names, then removes the files that only it needed. With containers
 * made from it: ERR_CONFLICT, or with `forget` the image disappears from view and its files go
 * with the last of them.
 */
int image_record_remove(struct store *store, const char *id, bool forget,
			struct image_removal *ret_removal, struct error *err);

/* ---- adding ---- */

/*
 * How an image comes in:
 *
 *	image_store_begin()        nothing that is there now will be removed
 *	layer_is_stored() …        what is there need not be brought
 *	(bytes are written in a staging directory and flushed)
 *	layer_place(), blob_place()
 *	image_record_insert()      one transaction, flushed to the disk
 *	close(fd)                  then store_sweep(), for what others had to leave because of us
 *
 * Whatever has its name in layers/ or oci/blobs/ is whole and was flushed; without a record it is
 * only not yet, or no longer, spoken of. So two loaders of the same image do not disturb each
 * other: the first to place a layer wins, and each writes the record.
 */
int image_store_begin(struct store *store, int *ret_fd, struct error *err);

/* 1, 0, or a negative errno. `size_bytes` of a blob must match, else -EBADMSG and err. */
int layer_is_stored(struct store *store, const char *chain_id, struct error *err);
int blob_is_stored(struct store *store, const char *digest, uint64_t size_bytes, struct error *err);

/* Whether every layer and every blob of the image is there: 1, 0, or a negative errno. */
int image_files_are_stored(struct store *store, const struct image_record *record,
			   struct error *err);

/*
 * What is recorded of a stored layer: the size of its files and, in *ret_blob, the digest of the
 * blob it came from (NULL when unknown; owned by the caller).
 */
int layer_describe(struct store *store, const char *chain_id, uint64_t *ret_size_bytes,
		   char **ret_blob, struct error *err);

/* Renames; `path` is relative to `dir_fd`. What is there already stays, and so does `path` then. */
int layer_place(struct store *store, int dir_fd, const char *path, const char *chain_id,
		struct error *err);
int blob_place(struct store *store, int dir_fd, const char *path, const char *digest,
	       struct error *err);

/* "layers/HEX/diff" and "oci/blobs/sha256/HEX", relative to ROOT; caller frees. */
char *layer_diff_path(const char *chain_id);
char *blob_path(const char *digest);

struct image_layer {
	char *chain_id, *diff_id;
	char *blob;          /* digest of what it was unpacked from */
	uint64_t size_bytes; /* of the unpacked files */
};

struct image_blob {
	char *digest;
	uint64_t size_bytes;
};

struct image_addition {
	const char *id, *config, *manifest_digest;
	int64_t created_ns;
	const struct image_layer *layers; /* bottom first */
	size_t layer_count;
	const struct image_blob *blobs; /* configuration, manifest, layers */
	size_t blob_count;
	const struct strv *names; /* normalized; taken from the images that have them now */
};

int image_record_insert(struct store *store, const struct image_addition *addition,
			struct error *err);

/* More names for an image that is complete already; a forgotten one is seen again. */
int image_record_restore(struct store *store, const char *id, const struct strv *names,
			 struct error *err);

DEFINE_CLEANUP_VALUE(struct image_removal, image_removal_release);
DEFINE_CLEANUP_VALUE(struct image_record, image_record_release);
DEFINE_CLEANUP_VALUE(struct image_records, image_records_release);

#endif
