/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/listing.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/table.h"

#define TABLE_PREFIX "table"
#define ACTION_OPEN "{{"
#define ACTION_CLOSE "}}"

/* ---- one item ---- */

static const struct listing_field *find_field(const struct listing *listing, const char *name,
					      size_t len)
{
	for (const struct listing_field *f = listing->fields; f->name; f++)
		if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
			return f;
	return NULL;
}

static void add_json(const struct listing *listing, const void *item, struct strbuf *text)
{
	auto_(json_decref) json_t *object = json_object();
	auto_free char *json = NULL;

	for (const struct listing_field *f = listing->fields; f->name; f++) {
		auto_(strbuf_release) struct strbuf value = {0};

		f->text(item, listing->context, &value);
		json_set_string(object, f->name, strbuf_text(&value));
	}
	json = json_text(object);
	strbuf_adds(text, json);
}

/* ---- templates ---- */

/* What stands between the braces, without white space around it. */
struct action {
	const char *text;
	size_t len;
};

static struct action trim_action(const char *start, const char *end)
{
	while (start < end && isspace((unsigned char)*start))
		start++;
	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	return (struct action){start, (size_t)(end - start)};
}

/* `item` NULL: the header, where a field is its title. */
static int add_action(const struct listing *listing, struct action action, const void *item,
		      struct strbuf *text, struct error *err)
{
	const struct listing_field *field;

	if (action.len == 6 && memcmp(action.text, "json .", 6) == 0) {
		if (item)
			add_json(listing, item, text);
		return 0;
	}
	if (action.len < 2 || action.text[0] != '.')
		return err_set(err, ERR_INVALID, 0,
			       "template action '{{%.*s}}' is not supported (use {{.Field}})",
			       (int)action.len, action.text);
	field = find_field(listing, action.text + 1, action.len - 1);
	if (!field)
		return err_set(err, ERR_INVALID, 0, "template field '%.*s' does not exist",
			       (int)action.len, action.text);
	if (item)
		field->text(item, listing->context, text);
	else
		strbuf_adds(text, field->header);
	return 0;
}

static int add_template(const struct listing *listing, const char *template, const void *item,
			struct strbuf *text, struct error *err)
{
	const char *open;

	while ((open = strstr(template, ACTION_OPEN))) {
		const char *close = strstr(open, ACTION_CLOSE);
		int r;

		if (!close)
			return err_set(err, ERR_INVALID, 0, "template has '{{' without '}}'");
		strbuf_add(text, template, (size_t)(open - template));
		r = add_action(listing, trim_action(open + 2, close), item, text, err);
		if (r < 0)
			return r;
		template = close + 2;
	}
	strbuf_adds(text, template);
	return 0;
}

/* Backslash and t or n are what they are in C. */
static char *unescape(const char *format)
{
	auto_(strbuf_release) struct strbuf text = {0};

	for (; *format; format++) {
		if (format[0] == '\\' && (format[1] == 't' || format[1] == 'n'))
			strbuf_addc(&text, *++format == 't' ? '\t' : '\n');
		else
			strbuf_addc(&text, *format);
	}
	return strbuf_take(&text);
}

static int add_cells(const struct listing *listing, const struct strv *cells, const void *item,
		     struct table *table, struct error *err)
{
	for (size_t i = 0; i < cells->count; i++) {
		auto_(strbuf_release) struct strbuf cell = {0};
		int r = add_template(listing, cells->items[i], item, &cell, err);

		if (r < 0)
			return r;
		table_add(table, strbuf_text(&cell));
	}
	return 0;
}

/* ---- all items ---- */

struct rows {
	const char *items;
	size_t item_size, count;
};

static int format_table(const struct listing *listing, const struct strv *cells,
			const struct rows *rows, struct strbuf *text, struct error *err)
{
	auto_(table_release) struct table table;
	int r;

	table_init(&table, NULL, 0);
	table.columns = cells->count;
	r = add_cells(listing, cells, NULL, &table, err);
	for (size_t i = 0; i < rows->count && r >= 0; i++)
		r = add_cells(listing, cells, rows->items + i * rows->item_size, &table, err);
	if (r < 0)
		return r;
	table_format(&table, text);
	return 0;
}

static int format_lines(const struct listing *listing, const char *template,
			const struct rows *rows, struct strbuf *text, struct error *err)
{
	auto_(strbuf_release) struct strbuf header = {0};
	int r;

	r = add_template(listing, template, NULL, &header, err); /* wrong also without rows */
	for (size_t i = 0; i < rows->count && r >= 0; i++) {
		r = add_template(listing, template, rows->items + i * rows->item_size, text, err);
		strbuf_addc(text, '\n');
	}
	return r;
}

static void default_cells(const struct listing *listing, struct strv *cells)
{
	for (const char *const *name = listing->columns; *name; name++)
		strv_addf(cells, "{{.%s}}", *name);
}

static int format_all(const struct listing *listing, const struct rows *rows, struct strbuf *text,
		      struct error *err)
{
	const size_t prefix = strlen(TABLE_PREFIX);
	auto_free char *format = unescape(listing->format ? listing->format : TABLE_PREFIX);
	auto_(strv_release) struct strv cells = {0};

	if (strcmp(format, "json") == 0)
		return format_lines(listing, "{{json .}}", rows, text, err);
	if (strcmp(format, TABLE_PREFIX) == 0) {
		default_cells(listing, &cells);
		return format_table(listing, &cells, rows, text, err);
	}
	if (strncmp(format, TABLE_PREFIX " ", prefix + 1) == 0) {
		strv_split(&cells, format + prefix + 1, '\t');
		return format_table(listing, &cells, rows, text, err);
	}
	return format_lines(listing, format, rows, text, err);
}

int listing_print(const struct listing *listing, const void *items, size_t item_size, size_t count,
		  FILE *out, struct error *err)
{
	const struct rows rows = {items, item_size, count};
	auto_(strbuf_release) struct strbuf text = {0};
	int r;

	r = format_all(listing, &rows, &text, err);
	if (r < 0)
		return r;
	(void)fputs(strbuf_text(&text), out);
	return 0;
}
