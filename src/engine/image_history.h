/* SPDX-License-Identifier: Apache-2.0 */
/* image_history.h - how an image came to be */
#ifndef SKIFF_ENGINE_IMAGE_HISTORY_H
#define SKIFF_ENGINE_IMAGE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"

struct history_step {
	char *id; /* of the image, for the last step; NULL: nobody knows */
	int64_t created_ns;
	char *created_by, *comment;
	uint64_t size_bytes; /* of the layer it made; 0 when it made none */
};

struct image_history {
	struct history_step *items; /* last step first */
	size_t count;
};

/* An image for another `platform` (NULL: any) is ERR_NOT_FOUND. */
int image_history(struct engine *engine, const char *selector, const char *platform,
		  struct image_history *ret_history, struct error *err);
void image_history_release(struct image_history *history);

DEFINE_CLEANUP_VALUE(struct image_history, image_history_release);

#endif
