/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "engine/image_tree.h"

#define SHORT_ID 12
#define SIZE_DIGITS 4
#define SIZE_COLUMNS 7
#define DIGEST_PREFIX "sha256:"

struct image_tree_opts {
	bool what_requires;
};

static const struct option_spec image_tree_options[] = {
	OPT_FLAG(struct image_tree_opts, what_requires, 0, "whatrequires",
		 "Show what stands on the image instead of what it is made of"),
	OPT_END,
};

static const char *short_id(const char *digest)
{
	const size_t prefix = strlen(DIGEST_PREFIX);

	return strncmp(digest, DIGEST_PREFIX, prefix) == 0 ? digest + prefix : digest;
}

/* As Go prints a list of texts: "[one two]". */
static void add_list(struct strbuf *text, const struct strv *list)
{
	auto_free char *joined = strv_join(list, " ");

	strbuf_addf(text, "[%s]", joined);
}

/* Whether another one of the same depth follows before the branch ends. */
static bool is_last(const struct image_tree *tree, size_t index, unsigned int depth)
{
	for (size_t i = index + 1; i < tree->count && tree->layers[i].depth >= depth; i++)
		if (tree->layers[i].depth == depth)
			return false;
	return true;
}

static void add_layer(const struct image_tree *tree, size_t index, struct strbuf *text)
{
	const struct image_tree_layer *layer = &tree->layers[index];
	auto_(strbuf_release) struct strbuf size = {0};

	for (unsigned int depth = 0; depth < layer->depth; depth++)
		strbuf_adds(text, is_last(tree, index, depth) ? "    " : "│   ");
	strbuf_adds(text, is_last(tree, index, layer->depth) ? "└── " : "├── ");
	human_size(layer->size_bytes, SIZE_DIGITS, &size);
	strbuf_addf(text, "ID: %.*s Size: %*s", SHORT_ID, short_id(layer->chain_id), SIZE_COLUMNS,
		    strbuf_text(&size));
	if (layer->top_of.count > 0) {
		strbuf_adds(text, " Top Layer of: ");
		add_list(text, &layer->top_of);
	}
	strbuf_addc(text, '\n');
}

static int image_tree_run(const struct command_call *call)
{
	const struct image_tree_opts *opts = call->opts;
	auto_(image_tree_release) struct image_tree tree = {0};
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error err = {0};

	if (image_tree(call->engine, call->args->items[0], opts->what_requires, &tree, &err) < 0)
		return cli_fail(call, &err);
	strbuf_addf(&text, "Image ID: %.*s\nTags:     ", SHORT_ID, short_id(tree.id));
	add_list(&text, &tree.names);
	strbuf_adds(&text, "\nSize:     ");
	human_size(tree.size_bytes, SIZE_DIGITS, &text);
	strbuf_addf(&text, "\n%s\n", tree.count ? "Image Layers" : "No Image Layers");
	for (size_t i = 0; i < tree.count; i++)
		add_layer(&tree, i, &text);
	(void)fputs(strbuf_text(&text), call->cli->out);
	return 0;
}

const struct command cmd_image_tree = {
	.name = "image tree",
	.usage = "[OPTIONS] IMAGE",
	.summary = "Show the layers of an image",
	.description = "The topmost layer first, each with the images that end with it. With "
		       "--whatrequires the tree of layers and images that were built on this one.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_NOTHING,
	.options = image_tree_options,
	.opts_size = sizeof(struct image_tree_opts),
	.run = image_tree_run,
};
