/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/images_tree.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/human.h"
#include "engine/image_extent.h"

#define SHORT_ID 12
#define SIZE_DIGITS 3
#define DIGEST_PREFIX "sha256:"
#define NO_NAME "<untagged>"
#define BRANCH "└─ "
#define BRANCH_WIDTH 3 /* in columns, not bytes */

/* Columns beside the first, which is as wide as its widest text. */
#define ID_WIDTH 12
#define DISK_WIDTH 10
#define CONTENT_WIDTH 12

struct tree_row {
	const struct images_tree_item *item;
	struct image_extent extent;
};

static const char *last_name(const struct images_tree_item *item)
{
	return item->names.count ? item->names.items[item->names.count - 1] : NO_NAME;
}

static size_t wider(size_t width, size_t other)
{
	return other > width ? other : width;
}

static size_t first_width(const struct tree_row *rows, size_t count)
{
	size_t width = strlen("IMAGE");

	for (size_t i = 0; i < count; i++) {
		const struct strv *names = &rows[i].item->names;

		width = wider(width, strlen(last_name(rows[i].item)));
		width = wider(width, BRANCH_WIDTH + strlen(rows[i].extent.platform));
		for (size_t k = 0; k < names->count; k++)
			width = wider(width, strlen(names->items[k]));
	}
	return width;
}

static const char *short_id(const char *digest)
{
	const size_t prefix = strlen(DIGEST_PREFIX);

	return strncmp(digest, DIGEST_PREFIX, prefix) == 0 ? digest + prefix : digest;
}

static void print_columns(const char *id, const struct image_extent *extent, FILE *out)
{
	auto_(strbuf_release) struct strbuf disk = {0}, content = {0};

	human_size(extent->disk_bytes, SIZE_DIGITS, &disk);
	human_size(extent->content_bytes, SIZE_DIGITS, &content);
	(void)fprintf(out, "   %-*.*s   %*s   %*s   %s\n", ID_WIDTH, SHORT_ID, short_id(id),
		      DISK_WIDTH, strbuf_text(&disk), CONTENT_WIDTH, strbuf_text(&content),
		      extent->in_use ? "U" : "");
}

static void print_row(const struct tree_row *row, size_t width, FILE *out)
{
	const struct images_tree_item *item = row->item;
	const struct image_record *record = item->record;

	for (size_t i = 0; i + 1 < item->names.count; i++)
		(void)fprintf(out, "%s\n", item->names.items[i]);
	(void)fprintf(out, "%-*s", (int)width, last_name(item));
	print_columns(record->id, &row->extent, out);
	(void)fprintf(out, "%s%-*s", BRANCH, (int)(width - BRANCH_WIDTH), row->extent.platform);
	print_columns(record->manifest_digest ? record->manifest_digest : record->id, &row->extent,
		      out);
}

static void print_all(const struct tree_row *rows, size_t count, FILE *out)
{
	size_t width = first_width(rows, count);

	(void)fprintf(out, "%-*s   %-*s   %*s   %*s   EXTRA\n", (int)width, "IMAGE", ID_WIDTH, "ID",
		      DISK_WIDTH, "DISK USAGE", CONTENT_WIDTH, "CONTENT SIZE");
	for (size_t i = 0; i < count; i++)
		print_row(&rows[i], width, out);
}

int images_tree_print(struct engine *engine, const struct images_tree_item *items, size_t count,
		      FILE *out, struct error *err)
{
	auto_free struct tree_row *rows = xcalloc(count + 1, sizeof(rows[0]));
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		rows[i].item = &items[i];
		r = image_extent(engine, items[i].record, &rows[i].extent, err);
	}
	if (r >= 0)
		print_all(rows, count, out);
	for (size_t i = 0; i < count; i++)
		image_extent_release(&rows[i].extent);
	return r;
}
