/* SPDX-License-Identifier: Apache-2.0 */
/* image_prune.h - images that nothing needs */
#ifndef SKIFF_ENGINE_IMAGE_PRUNE_H
#define SKIFF_ENGINE_IMAGE_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

struct image_prune_request {
	bool all;                   /* also those with names, when no container was made of them */
	const struct strv *filters; /* engine/prune_filter.h; NULL: none */
};

struct image_prune_result {
	struct strv lines; /* as docker prints them: "untagged: …", "deleted: …" */
	uint64_t bytes;
};

int image_prune(struct engine *engine, const struct image_prune_request *request,
		struct image_prune_result *ret_result, struct error *err);
void image_prune_result_release(struct image_prune_result *result);

DEFINE_CLEANUP_VALUE(struct image_prune_result, image_prune_result_release);

#endif
