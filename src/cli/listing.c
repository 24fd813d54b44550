/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/listing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strv.h"
#include "base/tabs.h"
#include "template/template.h"

#define TABLE_PREFIX "table"
#define QUIET_FIELD "ID"
#define TYPE_NAME "*formatter.Context"
#define PARSING_ERROR "template parsing error"

struct rows {
	const char *items;
	size_t item_size, count;
};

/* ---- one item ---- */

static const struct listing_field *find_field(const struct listing *listing, const char *name)
{
	for (const struct listing_field *f = listing->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static json_t *field_value(const struct listing *listing, const struct listing_field *field,
			   const void *item)
{
	auto_(strbuf_release) struct strbuf text = {0};
	json_t *value = NULL;

	field->text(item, listing->context, &text);
	if (field->kind != LISTING_TEXT)
		value = json_loads(strbuf_text(&text), JSON_DECODE_ANY, NULL);
	else
		value = json_stringn(strbuf_text(&text), text.len);
	return value ? value : json_string("?"); /* not UTF-8 */
}

/* A cell is one line of text, whatever a container calls itself. */
static void hide_controls(struct strbuf *text, size_t from)
{
	for (size_t i = from; i < text->len; i++)
		if ((unsigned char)text->data[i] < 0x20 || text->data[i] == 0x7f)
			text->data[i] = '?';
}

static void add_cell(const struct listing *listing, const struct listing_field *field,
		     const void *item, struct strbuf *text)
{
	size_t start = text->len;

	field->text(item, listing->context, text);
	hide_controls(text, start);
}

/* ---- the default table, and json: no template needed ---- */

static void add_row(const struct listing *listing, const void *item, struct strbuf *text)
{
	for (const char *const *name = listing->columns; *name; name++) {
		const struct listing_field *field = find_field(listing, *name);

		if (name != listing->columns)
			strbuf_addc(text, '\t');
		if (item)
			add_cell(listing, field, item, text);
		else
			strbuf_adds(text, field->header);
	}
	strbuf_addc(text, '\n');
}

static void format_default(const struct listing *listing, const struct rows *rows,
			   struct strbuf *text)
{
	auto_(strbuf_release) struct strbuf lines = {0};

	add_row(listing, NULL, &lines);
	for (size_t i = 0; i < rows->count; i++)
		add_row(listing, rows->items + i * rows->item_size, &lines);
	tabs_align(strbuf_text(&lines), text);
}

static void format_quiet(const struct listing *listing, const struct rows *rows,
			 struct strbuf *text)
{
	const struct listing_field *field =
		find_field(listing, listing->quiet_field ? listing->quiet_field : QUIET_FIELD);

	for (size_t i = 0; i < rows->count; i++) {
		field->text(rows->items + i * rows->item_size, listing->context, text);
		strbuf_addc(text, '\n');
	}
}

static void format_json(const struct listing *listing, const struct rows *rows, struct strbuf *text)
{
	for (size_t i = 0; i < rows->count; i++) {
		auto_(json_decref) json_t *object = json_object();

		for (const struct listing_field *f = listing->fields; f->name; f++)
			(void)json_object_set_new(object, f->name,
						  field_value(listing, f,
							      rows->items + i * rows->item_size));
		template_json(object, NULL, text);
		strbuf_addc(text, '\n');
	}
}

/* ---- templates ---- */

/* Backslash and t or n are what they are in C; spaces around it all do not count. */
static char *clean_format(const char *format, const char *added)
{
	auto_(strbuf_release) struct strbuf text = {0};
	auto_free char *whole = xasprintf("%s%s", format, added ? added : "");
	size_t len = strlen(whole);
	const char *s = whole;

	while (len > 0 && whole[len - 1] == ' ')
		whole[--len] = '\0';
	while (*s == ' ')
		s++;
	for (; *s; s++) {
		if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n'))
			strbuf_addc(&text, *++s == 't' ? '\t' : '\n');
		else
			strbuf_addc(&text, *s);
	}
	return strbuf_take(&text);
}

/* What one row is for the template. */
struct row {
	const struct listing *listing;
	const void *item;
	bool *used; /* which fields the template looks at */
	struct template_type type;
	struct template_field *fields;
	bool table;
};

static json_t *row_label(const void *self, const char *argument)
{
	const struct row *row = self;
	auto_(strbuf_release) struct strbuf text = {0};

	row->listing->label(row->item, argument, &text);
	return json_string(strbuf_text(&text));
}

static const struct template_type *type_of(enum listing_kind kind)
{
	switch (kind) {
	case LISTING_TEXT:
		return &template_string;
	case LISTING_BOOL:
		return &template_bool;
	case LISTING_NUMBER:
		return &template_int64;
	case LISTING_JSON:
		return &template_any;
	}
	return &template_any;
}

static void row_init(struct row *row, const struct listing *listing, const struct template *t,
		     bool table)
{
	size_t count = 0;

	while (listing->fields[count].name)
		count++;
	*row = (struct row){.listing = listing, .table = table};
	row->used = xcalloc(count + 1, sizeof(*row->used));
	row->fields = xcalloc(count + 2, sizeof(*row->fields));
	for (size_t i = 0; i < count; i++) {
		row->used[i] = template_uses(t, listing->fields[i].name);
		row->fields[i] = (struct template_field){listing->fields[i].name,
							 type_of(listing->fields[i].kind)};
	}
	if (listing->label)
		row->fields[count] =
			(struct template_field){"Label", &template_string, .call = row_label};
	row->type = (struct template_type){
		TEMPLATE_STRUCT,
		listing->type_name ? listing->type_name : TYPE_NAME,
		.fields = row->fields,
	};
}

static void row_release(struct row *row)
{
	free(row->used);
	free(row->fields);
	*row = (struct row){0};
}

DEFINE_CLEANUP_VALUE(struct row, row_release);

static json_t *row_value(const struct row *row)
{
	json_t *object = json_object();

	for (size_t i = 0; row->listing->fields[i].name; i++) {
		const struct listing_field *field = &row->listing->fields[i];
		auto_(strbuf_release) struct strbuf cell = {0};

		if (!row->used[i])
			continue;
		if (row->table && field->kind == LISTING_TEXT) {
			add_cell(row->listing, field, row->item, &cell);
			(void)json_object_set_new(object, field->name,
						  json_stringn(strbuf_text(&cell), cell.len));
		} else {
			(void)json_object_set_new(object, field->name,
						  field_value(row->listing, field, row->item));
		}
	}
	return object;
}

static int add_items(struct row *row, const struct template *t, const struct rows *rows,
		     struct strbuf *text, struct error *err)
{
	for (size_t i = 0; i < rows->count; i++) {
		auto_(json_decref) json_t *value = NULL;
		struct template_data data = {.type = &row->type, .self = row};
		int r;

		row->item = rows->items + i * rows->item_size;
		value = row_value(row);
		data.value = value;
		r = template_run(t, &data, text, err);
		if (r < 0)
			return err_wrap(err, r, PARSING_ERROR);
		strbuf_addc(text, '\n');
	}
	return 0;
}

/* The template again, on the titles. Whatever it cannot do with them ends the line, as docker's does. */
static void add_header(const struct listing *listing, const struct template *t, struct strbuf *text)
{
	auto_(json_decref) json_t *titles = json_object();
	auto_(error_release) struct error ignored = {0};
	const struct template_data data = {
		.value = titles,
		.type = &template_string_map,
		.header = true,
	};

	for (const struct listing_field *f = listing->fields; f->name; f++)
		if (f->header)
			json_set_string(titles, f->name, f->header);
	(void)template_run(t, &data, text, &ignored);
	strbuf_addc(text, '\n');
}

static int format_template(const struct listing *listing, const char *format, bool table,
			   const struct rows *rows, struct strbuf *text, struct error *err)
{
	auto_free char *source = clean_format(format, table ? listing->added : NULL);
	auto_(template_free) struct template *t = NULL;
	auto_(strbuf_release) struct strbuf lines = {0};
	auto_(row_release) struct row row = {0};
	int r;

	r = template_parse(source, &t, err);
	if (r < 0)
		return err_wrap(err, r, PARSING_ERROR);
	row_init(&row, listing, t, table);
	if (!table)
		return add_items(&row, t, rows, text, err);
	add_header(listing, t, &lines);
	r = add_items(&row, t, rows, &lines, err);
	if (r >= 0)
		tabs_align(strbuf_text(&lines), text);
	return r;
}

/* ---- all of it ---- */

static bool is_default_table(const char *format)
{
	return !format || !*format || strcmp(format, TABLE_PREFIX) == 0;
}

static bool is_table(const char *format)
{
	return strncmp(format, TABLE_PREFIX, strlen(TABLE_PREFIX)) == 0;
}

static int format_all(const struct listing *listing, const struct rows *rows, struct strbuf *text,
		      struct error *err)
{
	const char *format = listing->format;

	if (format && strcmp(format, "raw") == 0 && listing->raw)
		return format_template(listing, listing->quiet ? listing->raw_quiet : listing->raw,
				       /* table= */ false, rows, text, err);
	if (listing->quiet)
		format_quiet(listing, rows, text);
	else if (is_default_table(format))
		format_default(listing, rows, text);
	else if (strcmp(format, "json") == 0)
		format_json(listing, rows, text);
	else if (is_table(format))
		return format_template(listing, format + strlen(TABLE_PREFIX), /* table= */ true,
				       rows, text, err);
	else
		return format_template(listing, format, /* table= */ false, rows, text, err);
	return 0;
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
	(void)fwrite(strbuf_text(&text), 1, text.len, out);
	return 0;
}

bool listing_uses(const struct listing *listing, const char *field)
{
	auto_(template_free) struct template *t = NULL;
	auto_(error_release) struct error ignored = {0};

	if (listing->quiet)
		return strcmp(field, listing->quiet_field ? listing->quiet_field : QUIET_FIELD) ==
		       0;
	if (is_default_table(listing->format)) {
		for (const char *const *name = listing->columns; *name; name++)
			if (strcmp(*name, field) == 0)
				return true;
		return false;
	}
	if (template_parse(listing->format, &t, &ignored) < 0)
		return true;
	return strcmp(listing->format, "json") == 0 || template_uses(t, field);
}
