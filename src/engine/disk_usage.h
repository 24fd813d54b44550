/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk_usage.h - `system df`
 *
 * What the four directories of the store and the rest of it occupy, as du(1) says: the totals of
 * images, containers and volumes, and `own_bytes`, are together the whole store.
 */
#ifndef SKIFF_ENGINE_DISK_USAGE_H
#define SKIFF_ENGINE_DISK_USAGE_H

#include <stdint.h>

#include "base/error.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "storage/image_record.h"

struct usage_total {
	uint64_t count, active; /* active: in use by a container, or one that runs */
	uint64_t bytes, reclaimable_bytes;
};

struct image_usage {
	uint64_t unique_bytes, shared_bytes, containers;
};

struct container_usage {
	uint64_t bytes;
	uint64_t volumes;
};

struct volume_usage {
	char *name;
	uint64_t bytes, links;
};

struct disk_usage {
	struct usage_total images, containers, volumes;
	uint64_t own_bytes; /* database, caches, what is unfinished */
	struct image_records image_records;
	struct image_usage *image_usages; /* one for each record */
	struct container_list container_list;
	struct container_usage *container_usages; /* one for each in the list */
	struct volume_usage *volume_usages;
	size_t volume_count;
};

int disk_usage_read(struct engine *engine, struct disk_usage *ret_usage, struct error *err);
void disk_usage_release(struct disk_usage *usage);

DEFINE_CLEANUP_VALUE(struct disk_usage, disk_usage_release);

#endif
