/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_filter.h - `images --filter key=value`: before, dangling, label, reference, since, until
 *
 * `reference` and `dangling` choose among the names of an image, so they are left to whoever shows
 * names; the others choose images.
 */
#ifndef SKIFF_ENGINE_IMAGE_FILTER_H
#define SKIFF_ENGINE_IMAGE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/filter.h"
#include "storage/image_record.h"

struct image_filter {
	struct filters filters;
	int64_t before_ns, since_ns, until_ns; /* times of creation */
	bool has_dangling, dangling;
};

int image_filter_init(struct engine *engine, const struct strv *texts,
		      struct image_filter *ret_filter, struct error *err);
void image_filter_release(struct image_filter *filter);

bool image_filter_matches(const struct image_filter *filter, const struct image_record *record);

DEFINE_CLEANUP_VALUE(struct image_filter, image_filter_release);

#endif
