/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/live_screen.h"
#include "cli/stats_graph.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "engine/stats.h"

#define SECOND_NS INT64_C(1000000000)
#define FIRST_INTERVAL_NS (SECOND_NS / 2) /* rates of --no-stream, and of the first picture */
#define SHORT_ID_LEN 12

/* A graph needs so many columns beside the table, and takes no more. */
#define GRAPH_MIN 16
#define GRAPH_MAX 60
#define GRAPH_GAP 3

struct stats_opts {
	bool all, no_stream, no_trunc;
	const char *format;
};

static const struct option_spec stats_options[] = {
	OPT_FLAG(struct stats_opts, all, 'a', "all",
		 "Show all containers (default shows just running)"),
	OPT_STRING(
		struct stats_opts, format, 0, "format", "string",
		"Format output: 'table', 'table TEMPLATE', 'json' or a template with {{.Field}}"),
	OPT_FLAG(struct stats_opts, no_stream, 0, "no-stream",
		 "Print one result instead of updating it"),
	OPT_FLAG(struct stats_opts, no_trunc, 0, "no-trunc", "Do not truncate output"),
	OPT_END,
};

/* ---- fields ---- */

struct stats_context {
	bool no_trunc;
};

/* The items of the listing are pointers. */
static const struct stats_row *row_of(const void *item)
{
	return *(const struct stats_row *const *)item;
}

static void add_id(const char *id, const void *context, struct strbuf *text)
{
	const struct stats_context *c = context;

	if (c->no_trunc)
		strbuf_adds(text, id);
	else
		strbuf_addf(text, "%.*s", SHORT_ID_LEN, id);
}

static void text_id(const void *item, const void *context, struct strbuf *text)
{
	add_id(row_of(item)->id, context, text);
}

static void text_container(const void *item, const void *context, struct strbuf *text)
{
	const struct stats_row *row = row_of(item);

	if (row->selector == row->id)
		add_id(row->id, context, text);
	else
		strbuf_adds(text, row->selector);
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, row_of(item)->name);
}

static void text_cpu(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_addf(text, "%.2f%%", row_of(item)->cpu_percent);
}

static void text_memory(const void *item, const void *context, struct strbuf *text)
{
	const struct stats_row *row = row_of(item);

	(void)context;
	human_binary_size(row->memory_bytes, text);
	strbuf_adds(text, " / ");
	human_binary_size(row->memory_limit_bytes, text);
}

static void text_memory_percent(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_addf(text, "%.2f%%", row_of(item)->memory_percent);
}

static void add_two_sizes(uint64_t in, uint64_t out, struct strbuf *text)
{
	human_size(in, 3, text);
	strbuf_adds(text, " / ");
	human_size(out, 3, text);
}

static void text_network(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	add_two_sizes(row_of(item)->received_bytes, row_of(item)->sent_bytes, text);
}

static void text_block(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	add_two_sizes(row_of(item)->read_bytes, row_of(item)->write_bytes, text);
}

static void text_pids(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_addf(text, "%" PRIu64, row_of(item)->pids);
}

static void text_oom(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_addf(text, "%" PRIu64, row_of(item)->oom_kills);
}

static void text_throttled(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_addf(text, "%" PRIu64, row_of(item)->throttled_periods);
}

static void add_pressure(const struct stats_row *row, const struct stats_pressure *pressure,
			 struct strbuf *text)
{
	if (row->has_pressure)
		strbuf_addf(text, "%.2f%% / %.2f%%", pressure->some, pressure->full);
	else
		strbuf_adds(text, "--");
}

static void text_cpu_pressure(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	add_pressure(row_of(item), &row_of(item)->cpu_pressure, text);
}

static void text_memory_pressure(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	add_pressure(row_of(item), &row_of(item)->memory_pressure, text);
}

static void text_io_pressure(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	add_pressure(row_of(item), &row_of(item)->io_pressure, text);
}

static const struct listing_field stats_fields[] = {
	{"BlockIO", "BLOCK I/O", text_block},
	{"CPUPerc", "CPU %", text_cpu},
	{"CPUPressure", "CPU PRESSURE", text_cpu_pressure},
	{"Container", "CONTAINER", text_container},
	{"ID", "CONTAINER ID", text_id},
	{"IOPressure", "I/O PRESSURE", text_io_pressure},
	{"MemPerc", "MEM %", text_memory_percent},
	{"MemPressure", "MEM PRESSURE", text_memory_pressure},
	{"MemUsage", "MEM USAGE / LIMIT", text_memory},
	{"Name", "NAME", text_name},
	{"NetIO", "NET I/O", text_network},
	{"OOMKills", "OOM KILLS", text_oom},
	{"PIDs", "PIDS", text_pids},
	{"Throttled", "THROTTLED", text_throttled},
	{0},
};

static const char *const stats_columns[] = {"ID",    "Name",    "CPUPerc", "MemUsage", "MemPerc",
					    "NetIO", "BlockIO", "PIDs",    NULL};

/* ---- one picture ---- */

static int format_rows(const struct stats *stats, const struct stats_opts *opts, FILE *out,
		       struct error *err)
{
	const struct stats_context context = {opts->no_trunc};
	const struct listing listing = {
		.fields = stats_fields,
		.format = opts->format,
		.columns = stats_columns,
		.context = &context,
	};
	size_t count = stats_count(stats);
	auto_free const struct stats_row **items = xcalloc(count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = stats_get(stats, i);
	return listing_print(&listing, items, sizeof(*items), count, out, err);
}

static size_t text_width(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

static size_t widest_line(const char *text)
{
	size_t widest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		size_t width = text_width(text, len);

		widest = width > widest ? width : widest;
		text += len;
		text += *text == '\n';
	}
	return widest;
}

static size_t graph_width(size_t table_width)
{
	size_t columns = terminal_size().columns;
	size_t room = columns > table_width + GRAPH_GAP ? columns - table_width - GRAPH_GAP : 0;

	if (room < GRAPH_MIN)
		return 0;
	return room > GRAPH_MAX ? GRAPH_MAX : room;
}

/* The default table has a header and then a line per row: each gets its graph. */
static char *add_graphs(const struct stats *stats, const char *table)
{
	size_t widest = widest_line(table), width = graph_width(widest);
	auto_(strbuf_release) struct strbuf text = {0};
	bool utf8 = stats_graph_has_utf8();

	for (size_t line = 0; *table; line++) {
		size_t len = strcspn(table, "\n");

		strbuf_add(&text, table, len);
		if (width > 0 && line <= stats_count(stats)) {
			strbuf_addf(&text, "%*s",
				    (int)(widest - text_width(table, len) + GRAPH_GAP), "");
			if (line == 0)
				strbuf_adds(&text, "CPU HISTORY");
			else
				stats_graph(stats_get(stats, line - 1)->cpu_history,
					    stats_get(stats, line - 1)->cpu_history_count, width,
					    utf8, &text);
		}
		strbuf_addc(&text, '\n');
		table += len;
		table += *table == '\n';
	}
	return strbuf_take(&text);
}

static int compose(const struct stats *stats, const struct stats_opts *opts, bool graphs,
		   char **ret_text, struct error *err)
{
	auto_free char *table = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&table, &size);
	int r;

	if (!out)
		return err_set(err, ERR_SYSTEM, errno, "compose a table");
	r = format_rows(stats, opts, out, err);
	(void)fclose(out);
	if (r < 0)
		return r;
	*ret_text = graphs && !opts->format ? add_graphs(stats, table) : TAKE_PTR(table);
	return 0;
}

/* ---- the command ---- */

/* Two samples make the first rates; a signal between them ends the command. */
static int sample_twice(struct stats *stats, struct live_screen *screen, struct error *err)
{
	int64_t deadline_ns = clock_monotonic_ns() + FIRST_INTERVAL_NS;
	enum live_event event;
	int r;

	r = stats_sample(stats, err);
	if (r < 0)
		return r;
	do
		event = live_screen_wait(screen, deadline_ns);
	while (event == LIVE_REDRAW);
	return event == LIVE_END ? 0 : stats_sample(stats, err);
}

static int paint(const struct stats *stats, const struct stats_opts *opts,
		 struct live_screen *screen, struct error *err)
{
	auto_free char *text = NULL;
	int r;

	r = compose(stats, opts, screen->is_terminal, &text, err);
	if (r < 0)
		return r;
	return live_screen_paint(screen, text) ? 1 : 0;
}

/* Until a signal, or until nobody reads, or until none of those that were named is left. */
static int stream(struct stats *stats, const struct stats_opts *opts, size_t named,
		  struct live_screen *screen, struct error *err)
{
	int64_t deadline_ns = clock_monotonic_ns();

	while (screen->signal == 0) {
		int r = paint(stats, opts, screen, err);

		if (r <= 0)
			return r;
		if (clock_monotonic_ns() >= deadline_ns)
			deadline_ns = clock_monotonic_ns() + SECOND_NS;
		switch (live_screen_wait(screen, deadline_ns)) {
		case LIVE_TIME:
			r = stats_sample(stats, err);
			if (r < 0)
				return r;
			if (named && stats_count(stats) == 0)
				return 0;
			break;
		case LIVE_REDRAW:
		case LIVE_END:
			break;
		}
	}
	return 0;
}

static int show(const struct command_call *call, struct stats *stats, int *ret_signal,
		struct error *err)
{
	const struct stats_opts *opts = call->opts;
	auto_(live_screen_close) struct live_screen screen = LIVE_SCREEN_EMPTY;
	auto_free char *text = NULL;
	int r;

	/* A format that makes no sense is said before the screen is ours. */
	r = compose(stats, opts, /* graphs= */ false, &text, err);
	if (r < 0)
		return r;
	r = live_screen_open(&screen, call->cli->out, /* live= */ !opts->no_stream);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "wait for signals");
	r = sample_twice(stats, &screen, err);
	if (r == 0 && screen.signal == 0)
		r = opts->no_stream ? paint(stats, opts, &screen, err)
				    : stream(stats, opts, call->args->count, &screen, err);
	*ret_signal = screen.signal;
	return r;
}

static int stats_run(const struct command_call *call)
{
	const struct stats_opts *opts = call->opts;
	const struct stats_request request = {.selectors = call->args, .all = opts->all};
	auto_(stats_free) struct stats *stats = NULL;
	auto_(error_release) struct error err = {0};
	int signal = 0;

	if (stats_new(call->engine, &request, &stats, &err) < 0)
		return cli_fail(call, &err);
	if (show(call, stats, &signal, &err) < 0)
		return cli_fail(call, &err);
	return signal ? STATUS_SIGNAL + signal : 0;
}

const struct command cmd_stats = {
	.name = "stats",
	.usage = "[OPTIONS] [CONTAINER...]",
	.summary = "Display a live stream of the resources that containers use",
	.description =
		"Shows the containers that are named, or every running one, also those that start "
		"meanwhile. On a terminal the table is drawn again every second, with the recent "
		"past of each container's CPU where there is room for it; Ctrl-C ends it.\n\n"
		"CPU % is of one processor. Memory is what cannot be dropped at once: page cache "
		"that nobody has used lately is not counted.\n\n"
		"The fields for --format are BlockIO, CPUPerc, CPUPressure, Container, ID, "
		"IOPressure, MemPerc, MemPressure, MemUsage, Name, NetIO, OOMKills, PIDs, "
		"Throttled. "
		"Pressure is the share of the last ten seconds in which some, and in which all "
		"processes of the container waited.",
	.examples = "One line per container:\n"
		    "\tskiff stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}}'",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.options = stats_options,
	.opts_size = sizeof(struct stats_opts),
	.run = stats_run,
};
