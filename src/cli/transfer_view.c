/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/transfer_view.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cli/human.h"
#include "cli/prompt.h"
#include "cli/terminal.h"

#define SHORT_DIGEST 12
#define SIZE_DIGITS 4
#define BAR_WIDTH 30
#define NS_PER_S INT64_C(1000000000)
#define DEFAULT_COLUMNS 80
#define CLEAR_REST "\x1b[K"

/* Room that is kept free on the terminal: what was printed before, and the cursor's line. */
#define SPARE_ROWS 3

struct transfer_line {
	char *digest; /* as it came: what the line is known by */
	char *what;
	int64_t began_ns; /* of this step */
	uint64_t began_bytes;
};

/* ---- the text of a line ---- */

static void add_bar(struct strbuf *text, uint64_t done, uint64_t total)
{
	unsigned int filled = total ? (unsigned int)(done * BAR_WIDTH / total) : 0;

	strbuf_addc(text, '[');
	for (unsigned int i = 0; i < BAR_WIDTH; i++)
		strbuf_adds(text, i < filled ? "=" : i == filled ? ">" : " ");
	strbuf_adds(text, "]  ");
	human_size(done, SIZE_DIGITS, text);
	strbuf_addc(text, '/');
	human_size(total, SIZE_DIGITS, text);
}

/* Of this step so far. */
static void add_speed(struct strbuf *text, const struct transfer_line *line, uint64_t done,
		      uint64_t total)
{
	int64_t ns = clock_monotonic_ns() - line->began_ns;
	uint64_t moved = done - line->began_bytes, speed;

	if (ns < NS_PER_S / 2 || done < line->began_bytes)
		return;
	speed = (uint64_t)((double)moved * (double)NS_PER_S / (double)ns);
	if (speed == 0)
		return;
	strbuf_adds(text, "  ");
	human_size(speed, SIZE_DIGITS - 1, text);
	strbuf_addf(text, "/s  %llus", (unsigned long long)((total - done + speed - 1) / speed));
}

static void add_id(struct strbuf *text, const char *digest)
{
	const char *colon = strchr(digest, ':');

	strbuf_addf(text, "%.*s: ", SHORT_DIGEST, colon ? colon + 1 : digest);
}

static void draw(const struct transfer_view *view, size_t index, uint64_t done, uint64_t total)
{
	const struct transfer_line *line = &view->lines[index];
	auto_(strbuf_release) struct strbuf text = {0};
	size_t up = view->count - index;

	add_id(&text, line->digest);
	strbuf_adds(&text, line->what);
	if (done > 0 && done < total) {
		strbuf_addc(&text, ' ');
		add_bar(&text, done, total);
		add_speed(&text, line, done, total);
	}
	/* A line that wraps would be two, and the next one drawn in the wrong place. */
	if (text.len >= view->columns)
		text.data[view->columns - 1] = '\0';
	(void)fprintf(view->out, "\x1b[%zuA\r%s" CLEAR_REST "\x1b[%zuB\r", up, strbuf_text(&text),
		      up);
	(void)fflush(view->out);
}

static void print(const struct transfer_view *view, const struct transfer_line *line)
{
	auto_(strbuf_release) struct strbuf text = {0};

	add_id(&text, line->digest);
	(void)fprintf(view->out, "%s%s\n", strbuf_text(&text), line->what);
	(void)fflush(view->out);
}

/* ---- lines ---- */

static void begin(struct transfer_view *view)
{
	int fd = fileno(view->out);
	struct terminal_size size = terminal_size();

	view->begun = true;
	view->in_place = fd >= 0 && terminal_is(fd);
	view->rows = size.rows;
	view->columns = size.columns ? size.columns : DEFAULT_COLUMNS;
}

static size_t find_line(struct transfer_view *view, const char *digest)
{
	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->lines[i].digest, digest) == 0)
			return i;
	view->lines = xreallocarray(view->lines, view->count + 1, sizeof(view->lines[0]));
	view->lines[view->count++] = (struct transfer_line){
		.digest = xstrdup(digest),
		.what = xstrdup(""),
	};
	if (view->in_place && view->count + SPARE_ROWS > view->rows)
		view->in_place = false;
	if (view->in_place)
		(void)fputc('\n', view->out);
	return view->count - 1;
}

static void show(void *context, const char *digest, const char *what, uint64_t done, uint64_t total)
{
	struct transfer_view *view = context;
	struct transfer_line *line;
	bool next;
	size_t index;

	if (!view->begun)
		begin(view);
	index = find_line(view, digest);
	line = &view->lines[index];
	next = strcmp(line->what, what) != 0;
	if (next) {
		free(line->what);
		line->what = xstrdup(what);
		line->began_ns = clock_monotonic_ns();
		line->began_bytes = done;
	}
	if (view->in_place)
		draw(view, index, done, total);
	else if (next)
		print(view, line);
}

static void say_missing(void *context, const char *name)
{
	const struct transfer_view *view = context;

	(void)fprintf(view->out, "Unable to find image '%s' locally\n", name);
	(void)fflush(view->out);
}

/* An answer that is no number of the list is asked for again; the end of the input is none. */
static int choose(void *context, const char *name, const struct strv *names)
{
	const struct transfer_view *view = context;

	(void)fprintf(view->out, "'%s' names no registry. Which one is meant?\n", name);
	for (size_t i = 0; i < names->count; i++)
		(void)fprintf(view->out, "  %zu  %s\n", i + 1, names->items[i]);
	for (;;) {
		auto_free char *line = NULL;
		uint32_t number;
		int r = prompt_line(view->out, "Number: ", /* secret= */ false, &line);

		if (r < 0)
			return r;
		if (parse_u32(line, &number) == 0 && number > 0 && number <= names->count)
			return (int)number - 1;
	}
}

static bool somebody_is_there(const struct transfer_view *view)
{
	int fd = fileno(view->out);

	return fd >= 0 && terminal_is(fd) && terminal_is(STDIN_FILENO);
}

const struct image_progress *transfer_view_progress(struct transfer_view *view)
{
	view->progress = (struct image_progress){
		.layer = show,
		.context = view,
		.missing = say_missing,
		.choose = somebody_is_there(view) ? choose : NULL,
	};
	return &view->progress;
}

void transfer_view_release(struct transfer_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		free(view->lines[i].digest);
		free(view->lines[i].what);
	}
	free(view->lines);
	*view = (struct transfer_view){0};
}
