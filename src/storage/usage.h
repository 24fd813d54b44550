/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.h - what occupies the disk, as du(1) counts it
 *
 * Blocks, not sizes: a sparse file costs what was written, and a file with several names costs once.
 */
#ifndef SKIFF_STORAGE_USAGE_H
#define SKIFF_STORAGE_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "storage/store.h"

/* Of a file or tree, itself included; 0 when it is not there. What cannot be read counts nothing. */
uint64_t usage_of_tree(int dir_fd, const char *name);

/* What each image occupies: layers and blobs, unpacked and as they came. */
struct usage_image {
	char *id;
	uint64_t unique_bytes; /* nobody else has them */
	uint64_t shared_bytes; /* the others */
	uint64_t containers;   /* made of it, also stopped ones */
};

struct usage_volume {
	char *name;
	uint64_t bytes;
	uint64_t links; /* containers that use it */
};

struct usage {
	struct usage_image *images;
	size_t image_count;
	struct usage_volume *volumes;
	size_t volume_count;
	uint64_t images_bytes;       /* layers and blobs, whole and partial */
	uint64_t unused_image_bytes; /* of these: what goes when images without a container go */
	uint64_t containers_bytes;   /* in containers/ */
	uint64_t volumes_bytes;      /* in volumes/ */
	uint64_t own_bytes;          /* the database, caches, staging: the rest of the store */
};

/* Looks at every file of the store. */
int usage_read(struct store *store, struct usage *ret_usage, struct error *err);
void usage_release(struct usage *usage);

/* containers/ID, all of it. */
uint64_t usage_of_container(struct store *store, const char *id);

/* How many volumes of ours it has. */
int usage_volumes_of_container(struct store *store, const char *id, uint64_t *ret_count,
			       struct error *err);

DEFINE_CLEANUP_VALUE(struct usage, usage_release);

#endif
