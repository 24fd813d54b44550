/* SPDX-License-Identifier: Apache-2.0 */
/*
 * images_tree.h - `images --tree`: each image with its platforms below it
 *
 * The store keeps one platform of an image, so there is one branch each. docker marks this view as
 * experimental: its columns may change.
 */
#ifndef SKIFF_CLI_IMAGES_TREE_H
#define SKIFF_CLI_IMAGES_TREE_H

#include <stdio.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/image.h"

struct images_tree_item {
	const struct image_record *record; /* borrowed */
	struct strv names;                 /* "app:1"; empty: it has none */
};

int images_tree_print(struct engine *engine, const struct images_tree_item *items, size_t count,
		      FILE *out, struct error *err);

#endif
