/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/container_text.h"
#include "cli/human.h"
#include "cli/images_tree.h"
#include "cli/listing.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/image_filter.h"

#define SHORT_ID 12
#define DIGEST_PREFIX "sha256:"
#define NO_NAME "<none>"
#define SIZE_DIGITS 3

struct images_opts {
	struct strv filters;
	const char *format;
	bool all, digests, no_trunc, quiet, tree;
};

static const struct option_spec images_options[] = {
	/* There are no intermediate images to hide: the option changes nothing, as with docker's
	 * newer image stores. */
	OPT_FLAG(struct images_opts, all, 'a', "all", "Show all images", .hidden = true),
	OPT_FLAG(struct images_opts, digests, 0, "digests", "Show digests"),
	OPT_LIST(struct images_opts, filters, 'f', "filter", "filter",
		 "Show images for which key=value holds (before, dangling, label, reference, "
		 "since, until)",
		 .check = filter_check),
	OPT_STRING(struct images_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct images_opts, no_trunc, 0, "no-trunc", "Don't truncate output"),
	OPT_FLAG(struct images_opts, quiet, 'q', "quiet", "Only show image IDs"),
	OPT_FLAG(struct images_opts, tree, 0, "tree",
		 "List images with their platforms as a tree (experimental)"),
	OPT_END,
};

/* ---- rows: one per name ---- */

struct image_row {
	const struct image_record *record;
	char *repository, *tag; /* owned */
	const char *digest;     /* of this repository, or of the stored manifest; NULL: none */
};

struct image_rows {
	struct image_row *items;
	size_t count;
};

static void image_rows_release(struct image_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->items[i].repository);
		free(rows->items[i].tag);
	}
	free(rows->items);
	*rows = (struct image_rows){0};
}

DEFINE_CLEANUP_VALUE(struct image_rows, image_rows_release);

/* The colon of a tag comes after the last slash: others belong to a port. */
static void split_name(const char *name, struct image_row *row)
{
	const char *slash = strrchr(name, '/');
	const char *at = strchr(name, '@');
	const char *colon = strrchr(slash ? slash : name, ':');

	if (at) {
		row->repository = xstrndup(name, (size_t)(at - name));
		row->tag = xstrdup(NO_NAME);
	} else if (colon) {
		row->repository = xstrndup(name, (size_t)(colon - name));
		row->tag = xstrdup(colon + 1);
	} else {
		row->repository = xstrdup(name);
		row->tag = xstrdup(NO_NAME);
	}
}

static struct image_row *new_row(struct image_rows *rows, const struct image_record *record)
{
	struct image_row *row;

	rows->items = xreallocarray(rows->items, rows->count + 1, sizeof(*rows->items));
	row = &rows->items[rows->count++];
	*row = (struct image_row){.record = record};
	return row;
}

/* The digest that a repository has for the image; else that of the manifest in the store. */
static const char *digest_in(const struct image_record *record, const char *repository)
{
	for (size_t i = 0; i < record->repo_digests.count; i++) {
		auto_free char *name = image_familiar_name(record->repo_digests.items[i]);
		size_t len = strlen(repository);

		if (strncmp(name, repository, len) == 0 && name[len] == '@')
			return strrchr(record->repo_digests.items[i], '@') + 1;
	}
	return record->manifest_digest;
}

static void add_row(const struct image_record *record, const char *name, struct image_rows *rows)
{
	struct image_row *row = new_row(rows, record);

	split_name(name, row);
	row->digest = digest_in(record, row->repository);
}

/* One that was pulled by its digest only has a repository, and no tag. */
static void add_rows(const struct image_record *record, struct image_rows *rows)
{
	const struct strv *names = record->names.count ? &record->names : &record->repo_digests;

	for (size_t i = 0; i < names->count; i++) {
		auto_free char *name = image_familiar_name(names->items[i]);

		add_row(record, name, rows);
	}
	if (names->count == 0)
		add_row(record, NO_NAME ":" NO_NAME, rows);
}

/* ---- which rows ---- */

/* "alpine" means every tag of it; "alpine:3.*" is a pattern. */
static bool matches_reference(const struct image_row *row, const char *pattern)
{
	auto_free char *name = xasprintf("%s:%s", row->repository, row->tag);

	return fnmatch(pattern, row->repository, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, name, FNM_PATHNAME) == 0;
}

static bool references_match(const struct filters *filters, const struct image_row *row)
{
	for (size_t i = 0; i < filters_count(filters, "reference"); i++)
		if (matches_reference(row, filters_value(filters, "reference", i)))
			return true;
	return !filters_has(filters, "reference");
}

static bool is_wanted(const struct command_call *call, const struct image_filter *filter,
		      const struct image_row *row)
{
	bool dangling = strcmp(row->repository, NO_NAME) == 0;

	if (call->args->count > 0 && !matches_reference(row, call->args->items[0]))
		return false;
	if (filter->has_dangling && filter->dangling != dangling)
		return false;
	return image_filter_matches(filter, row->record) && references_match(&filter->filters, row);
}

static void drop_row(struct image_rows *rows, size_t index)
{
	free(rows->items[index].repository);
	free(rows->items[index].tag);
	rows->count--;
	memmove(&rows->items[index], &rows->items[index + 1],
		(rows->count - index) * sizeof(*rows->items));
}

static int keep_wanted(const struct command_call *call, struct image_rows *rows, struct error *err)
{
	const struct images_opts *opts = call->opts;
	auto_(image_filter_release) struct image_filter filter = {0};
	int r;

	r = image_filter_init(call->engine, &opts->filters, &filter, err);
	for (size_t i = rows->count; r >= 0 && i-- > 0;)
		if (!is_wanted(call, &filter, &rows->items[i]))
			drop_row(rows, i);
	return r;
}

/* ---- fields ---- */

struct images_context {
	int64_t now_ns;
	bool no_trunc;
};

static void text_created_at(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;

	(void)context;
	if (row->record->created_ns == 0)
		strbuf_adds(text, "N/A");
	else
		local_time_text(row->record->created_ns, text);
}

static void text_created_since(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;
	const struct images_context *c = context;

	if (row->record->created_ns == 0) {
		strbuf_adds(text, "N/A");
		return;
	}
	human_duration(c->now_ns - row->record->created_ns, text);
	strbuf_adds(text, " ago");
}

static void text_digest(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;

	(void)context;
	strbuf_adds(text, row->digest ? row->digest : NO_NAME);
}

static void text_id(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;
	const struct images_context *c = context;
	const size_t prefix = strlen(DIGEST_PREFIX);
	const char *id = row->record->id;

	if (c->no_trunc || strncmp(id, DIGEST_PREFIX, prefix) != 0)
		strbuf_adds(text, id);
	else
		strbuf_add(text, id + prefix, strnlen(id + prefix, SHORT_ID));
}

static void text_repository(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;

	(void)context;
	strbuf_adds(text, row->repository);
}

static void text_size(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;

	(void)context;
	human_size(row->record->size_bytes, SIZE_DIGITS, text);
}

static void text_tag(const void *item, const void *context, struct strbuf *text)
{
	const struct image_row *row = item;

	(void)context;
	strbuf_adds(text, row->tag);
}

/* docker counts these only for `system df`. */
static void text_not_counted(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, "N/A");
}

static const struct listing_field images_fields[] = {
	{"Containers", "CONTAINERS", text_not_counted},
	{"CreatedAt", "CREATED AT", text_created_at},
	{"CreatedSince", "CREATED", text_created_since},
	{"Digest", "DIGEST", text_digest},
	{"ID", "IMAGE ID", text_id},
	{"Repository", "REPOSITORY", text_repository},
	{"SharedSize", "SHARED SIZE", text_not_counted},
	{"Size", "SIZE", text_size},
	{"Tag", "TAG", text_tag},
	{"UniqueSize", "UNIQUE SIZE", text_not_counted},
	{"VirtualSize", "SIZE", text_size},
	{0},
};

static const char *const plain_columns[] = {"Repository",   "Tag",  "ID",
					    "CreatedSince", "Size", NULL};
static const char *const digest_columns[] = {"Repository",   "Tag",  "Digest", "ID",
					     "CreatedSince", "Size", NULL};

#define RAW                                                                                        \
	"repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: "              \
	"{{.CreatedAt}}\nvirtual_size: {{.Size}}\n"
#define RAW_DIGESTS                                                                                \
	"repository: {{.Repository}}\ntag: {{.Tag}}\ndigest: {{.Digest}}\nimage_id: "              \
	"{{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"

/* ---- the tree ---- */

static const char *option_without_tree(const struct images_opts *opts)
{
	if (opts->quiet)
		return "--quiet";
	if (opts->no_trunc)
		return "--no-trunc";
	if (opts->digests)
		return "--digests";
	return opts->format && opts->format[0] ? "--format" : NULL;
}

/* All names of an image are one item: rows of one image follow each other. */
static int print_tree(const struct command_call *call, const struct image_rows *rows,
		      struct error *err)
{
	auto_free struct images_tree_item *items = xcalloc(rows->count + 1, sizeof(items[0]));
	size_t count = 0;
	int r;

	for (size_t i = 0; i < rows->count; i++) {
		const struct image_row *row = &rows->items[i];

		if (count == 0 || items[count - 1].record != row->record)
			items[count++] = (struct images_tree_item){.record = row->record};
		if (strcmp(row->repository, NO_NAME) != 0)
			strv_addf(&items[count - 1].names, "%s:%s", row->repository, row->tag);
	}
	r = images_tree_print(call->engine, items, count, call->cli->out, err);
	for (size_t i = 0; i < count; i++)
		strv_release(&items[i].names);
	return r;
}

/* ---- the command ---- */

static int images_run(const struct command_call *call)
{
	const struct images_opts *opts = call->opts;
	const struct images_context context = {clock_now_ns(), opts->no_trunc};
	const struct listing listing = {
		.fields = images_fields,
		.format = opts->format,
		.quiet = opts->quiet,
		.type_name = "*formatter.imageContext",
		.columns = opts->digests ? digest_columns : plain_columns,
		.context = &context,
		.raw = opts->digests ? RAW_DIGESTS : RAW,
		.raw_quiet = "image_id: {{.ID}}",
	};
	auto_(image_records_release) struct image_records records = {0};
	auto_(image_rows_release) struct image_rows rows = {0};
	auto_(error_release) struct error err = {0};
	const char *alien = opts->tree ? option_without_tree(opts) : NULL;
	int r;

	if (alien)
		return cli_refuse(call, "%s is not yet supported with --tree", alien);
	if (image_list(call->engine, &records, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < records.count; i++)
		add_rows(&records.items[i], &rows);
	if (keep_wanted(call, &rows, &err) < 0)
		return cli_fail(call, &err);
	r = opts->tree ? print_tree(call, &rows, &err)
		       : listing_print(&listing, rows.items, sizeof(*rows.items), rows.count,
				       call->cli->out, &err);
	return r < 0 ? cli_fail(call, &err) : 0;
}

const struct command cmd_images = {
	.name = "images",
	.usage = "[OPTIONS] [REPOSITORY[:TAG]]",
	.summary = "List images",
	.description =
		"REPOSITORY[:TAG] shows only these; it may be a pattern (\"alpine:3.*\").\n\n"
		"The fields for --format are CreatedAt, CreatedSince, Digest, ID, Repository, Size "
		"and Tag, and docker's Containers, SharedSize, UniqueSize (not counted) and "
		"VirtualSize.",
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_NOTHING,
	.options = images_options,
	.opts_size = sizeof(struct images_opts),
	.run = images_run,
};
