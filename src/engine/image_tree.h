/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_tree.h - use case: the layers of an image, and what stands on them
 *
 *	image_tree(engine, "app", false, …)   its layers, topmost first, all at depth 0
 *	image_tree(engine, "base", true, …)   its topmost layer, and below each layer those that were put
 *	                                      onto it: parents before children, one deeper
 */
#ifndef SKIFF_ENGINE_IMAGE_TREE_H
#define SKIFF_ENGINE_IMAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

struct image_tree_layer {
	char *chain_id;      /* "sha256:…" */
	uint64_t size_bytes; /* of its files */
	unsigned int depth;
	struct strv top_of; /* familiar names of the images that end with it */
};

struct image_tree {
	char *id;          /* of the image */
	struct strv names; /* familiar */
	uint64_t size_bytes;
	struct image_tree_layer *layers;
	size_t count;
};

int image_tree(struct engine *engine, const char *selector, bool what_requires,
	       struct image_tree *ret_tree, struct error *err);
void image_tree_release(struct image_tree *tree);

DEFINE_CLEANUP_VALUE(struct image_tree, image_tree_release);

#endif
