/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tabs.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

#define MIN_WIDTH 10
#define PADDING 3
#define COLUMNS_MAX 200 /* further tabs are left as they are */

struct cell {
	const char *text;
	size_t len, width;
};

struct line {
	size_t first, count; /* cells; the last one belongs to no column */
};

struct tabs {
	struct cell *cells;
	size_t cell_count;
	struct line *lines;
	size_t line_count;
	size_t widths[COLUMNS_MAX]; /* of the columns around what is formatted now */
	size_t column;
	struct strbuf *out;
};

static size_t width_of(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

static size_t count_of(const char *text, char wanted)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == wanted;
	return count;
}

static void add_cell(struct tabs *t, struct line *line, const char *text, size_t len)
{
	t->cells[t->cell_count++] = (struct cell){text, len, width_of(text, len)};
	line->count++;
}

static void split_line(struct tabs *t, const char *text, size_t len)
{
	struct line *line = &t->lines[t->line_count++];
	const char *tab;

	*line = (struct line){.first = t->cell_count};
	while (line->count < COLUMNS_MAX && (tab = memchr(text, '\t', len))) {
		size_t cell = (size_t)(tab - text);

		add_cell(t, line, text, cell);
		text += cell + 1;
		len -= cell + 1;
	}
	add_cell(t, line, text, len);
}

static void split(struct tabs *t, const char *text)
{
	size_t lines = count_of(text, '\n') + 1;

	t->lines = xcalloc(lines, sizeof(*t->lines));
	t->cells = xcalloc(lines + count_of(text, '\t'), sizeof(*t->cells));
	for (;;) {
		const char *end = strchrnul(text, '\n');

		split_line(t, text, (size_t)(end - text));
		if (!*end)
			break;
		text = end + 1;
	}
}

static void write_line(struct tabs *t, size_t index)
{
	const struct line *line = &t->lines[index];

	for (size_t i = 0; i < line->count; i++) {
		const struct cell *cell = &t->cells[line->first + i];

		strbuf_add(t->out, cell->text, cell->len);
		if (i < t->column && cell->width < t->widths[i])
			strbuf_pad(t->out, ' ', t->widths[i] - cell->width);
	}
	if (index + 1 < t->line_count)
		strbuf_addc(t->out, '\n');
}

static void write_lines(struct tabs *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		write_line(t, i);
}

static bool has_column(const struct tabs *t, size_t line)
{
	return t->column + 1 < t->lines[line].count;
}

/* The lines [from, to), which share the columns left of t->column. */
static void align(struct tabs *t, size_t from, size_t to)
{
	size_t end;

	for (size_t i = from; i < to; i = end) {
		size_t width = MIN_WIDTH;

		end = i + 1;
		if (!has_column(t, i))
			continue;
		write_lines(t, from, i);
		for (end = i; end < to && has_column(t, end); end++) {
			size_t cell = t->cells[t->lines[end].first + t->column].width + PADDING;

			width = cell > width ? cell : width;
		}
		t->widths[t->column++] = width;
		align(t, i, end);
		t->column--;
		from = end;
	}
	write_lines(t, from, to);
}

void tabs_align(const char *text, struct strbuf *ret_text)
{
	struct tabs t = {.out = ret_text};

	split(&t, text);
	align(&t, 0, t.line_count);
	free(t.cells);
	free(t.lines);
}
