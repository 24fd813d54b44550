/* SPDX-License-Identifier: Apache-2.0 */
/* image_extent.h - what one image takes up, and whether anything runs on it */
#ifndef SKIFF_ENGINE_IMAGE_EXTENT_H
#define SKIFF_ENGINE_IMAGE_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"
#include "storage/image_record.h"

struct image_extent {
	char *platform;         /* "linux/arm64/v8" */
	uint64_t content_bytes; /* what was transferred: manifest, configuration and layers */
	uint64_t disk_bytes;    /* that, and the unpacked files; layers may be other images' too */
	bool in_use;            /* by a container, running or not */
};

int image_extent(struct engine *engine, const struct image_record *record,
		 struct image_extent *ret_extent, struct error *err);
void image_extent_release(struct image_extent *extent);

DEFINE_CLEANUP_VALUE(struct image_extent, image_extent_release);

#endif
