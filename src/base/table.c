/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

#define COLUMN_GAP 3
#define COLUMN_MIN 10 /* with the gap */

void table_init(struct table *t, const char *const *headers, size_t columns)
{
	*t = (struct table){.columns = columns};
	for (size_t i = 0; i < columns; i++)
		strv_add(&t->cells, headers[i]);
}

void table_release(struct table *t)
{
	strv_release(&t->cells);
	t->columns = 0;
}

void table_add(struct table *t, const char *text)
{
	char *cell = xstrdup(text);

	for (char *p = cell; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	strv_add_take(&t->cells, cell);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			width++;
	return width;
}

static void measure(const struct table *t, size_t *widths)
{
	assert(t->columns > 0);
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = COLUMN_MIN - COLUMN_GAP;
	for (size_t i = 0; i < t->cells.count; i++) {
		size_t width = text_width(t->cells.items[i]);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
}

void table_format(const struct table *t, struct strbuf *ret_text)
{
	auto_free size_t *widths = xcalloc(t->columns, sizeof(*widths));

	measure(t, widths);
	for (size_t i = 0; i < t->cells.count; i++) {
		const char *cell = t->cells.items[i];
		size_t column = i % t->columns;

		strbuf_adds(ret_text, cell);
		if (column + 1 == t->columns) {
			strbuf_addc(ret_text, '\n');
			continue;
		}
		for (size_t n = text_width(cell); n < widths[column] + COLUMN_GAP; n++)
			strbuf_addc(ret_text, ' ');
	}
}
