/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/image.h"
#include "engine/image_internal.h"

struct growing {
	struct store *store;
	const struct image_records *all; /* what may stand on a layer */
	struct image_tree *tree;
};

void image_tree_release(struct image_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->layers[i].chain_id);
		strv_release(&tree->layers[i].top_of);
	}
	free(tree->layers);
	strv_release(&tree->names);
	free(tree->id);
	*tree = (struct image_tree){0};
}

static void add_familiar(struct strv *list, const struct strv *names)
{
	for (size_t i = 0; i < names->count; i++)
		strv_add_take(list, image_familiar_name(names->items[i]));
}

static const char *last_of(const struct strv *list)
{
	return list->count ? list->items[list->count - 1] : NULL;
}

static int add_layer(struct growing *growing, const char *chain_id, unsigned int depth,
		     struct error *err)
{
	struct image_tree *tree = growing->tree;
	auto_free char *blob = NULL;
	struct image_tree_layer *layer;

	tree->layers = xreallocarray(tree->layers, tree->count + 1, sizeof(tree->layers[0]));
	layer = &tree->layers[tree->count++];
	*layer = (struct image_tree_layer){.chain_id = xstrdup(chain_id), .depth = depth};
	for (size_t i = 0; i < growing->all->count; i++) {
		const struct image_record *record = &growing->all->items[i];
		const char *top = last_of(&record->chain_ids);

		if (top && strcmp(top, chain_id) == 0)
			add_familiar(&layer->top_of, &record->names);
	}
	return layer_describe(growing->store, chain_id, &layer->size_bytes, &blob, err);
}

/* A chain id says all that is below it, so it has its place at one height only. */
static void list_children(const struct growing *growing, const char *chain_id, size_t height,
			  struct strv *ret_children)
{
	for (size_t i = 0; i < growing->all->count; i++) {
		const struct strv *chain = &growing->all->items[i].chain_ids;

		if (chain->count > height && strcmp(chain->items[height - 1], chain_id) == 0 &&
		    !strv_has(ret_children, chain->items[height]))
			strv_add(ret_children, chain->items[height]);
	}
}

/* Recursion is as deep as an image has layers: IMAGE_CONFIG_MAX_LAYERS. `height` counts from 1. */
static int add_branch(struct growing *growing, const char *chain_id, size_t height,
		      unsigned int depth, struct error *err)
{
	auto_(strv_release) struct strv children = {0};
	int r;

	r = add_layer(growing, chain_id, depth, err);
	list_children(growing, chain_id, height, &children);
	for (size_t i = 0; r >= 0 && i < children.count; i++)
		r = add_branch(growing, children.items[i], height + 1, depth + 1, err);
	return r;
}

static int grow(struct growing *growing, const struct image_record *record, bool what_requires,
		struct error *err)
{
	const struct strv *chain = &record->chain_ids;
	int r = 0;

	if (what_requires && chain->count > 0)
		return add_branch(growing, last_of(chain), chain->count, 0, err);
	for (size_t i = chain->count; r >= 0 && i > 0; i--)
		r = add_layer(growing, chain->items[i - 1], 0, err);
	return r;
}

int image_tree(struct engine *engine, const char *selector, bool what_requires,
	       struct image_tree *ret_tree, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(image_records_release) struct image_records all = {0};
	auto_(image_tree_release) struct image_tree tree = {0};
	struct growing growing = {.all = &all, .tree = &tree};
	int r;

	r = engine_store(engine, &growing.store, err);
	if (r >= 0)
		r = image_find(engine, selector, &record, err);
	if (r >= 0)
		r = image_record_list(growing.store, &all, err);
	if (r < 0)
		return r;
	tree.id = xstrdup(record.id);
	tree.size_bytes = record.size_bytes;
	add_familiar(&tree.names, &record.names);
	r = grow(&growing, &record, what_requires, err);
	if (r < 0)
		return r;
	*ret_tree = tree;
	tree = (struct image_tree){0};
	return 0;
}
