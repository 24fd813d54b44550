/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/table.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/container_text.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "engine/disk_usage.h"
#include "engine/engine.h"
#include "engine/image.h"

#define SIZE_DIGITS 4
#define SHORT_ID 12
#define DIGEST_PREFIX_LEN 7
#define SHORT_COMMAND 20
#define NO_NAME "<none>"

struct df_opts {
	const char *format;
	bool verbose;
};

static const struct option_spec df_options[] = {
	OPT_STRING(struct df_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct df_opts, verbose, 'v', "verbose",
		 "Show detailed information on space usage"),
	OPT_END,
};

/* ---- the four lines ---- */

struct df_row {
	const char *type;
	const struct usage_total *total;
	bool percent; /* docker gives none for the build cache */
};

static void text_active(const void *item, const void *context, struct strbuf *text)
{
	const struct df_row *row = item;

	(void)context;
	strbuf_addf(text, "%" PRIu64, row->total->active);
}

static void text_reclaimable(const void *item, const void *context, struct strbuf *text)
{
	const struct df_row *row = item;
	const struct usage_total *total = row->total;

	(void)context;
	human_size(total->reclaimable_bytes, SIZE_DIGITS, text);
	if (row->percent && total->bytes > 0)
		strbuf_addf(text, " (%" PRIu64 "%%)",
			    total->reclaimable_bytes * 100 / total->bytes);
}

static void text_size(const void *item, const void *context, struct strbuf *text)
{
	const struct df_row *row = item;

	(void)context;
	human_size(row->total->bytes, SIZE_DIGITS, text);
}

static void text_total_count(const void *item, const void *context, struct strbuf *text)
{
	const struct df_row *row = item;

	(void)context;
	strbuf_addf(text, "%" PRIu64, row->total->count);
}

static void text_type(const void *item, const void *context, struct strbuf *text)
{
	const struct df_row *row = item;

	(void)context;
	strbuf_adds(text, row->type);
}

static const struct listing_field df_fields[] = {
	{"Active", "ACTIVE", text_active, 0}, {"Reclaimable", "RECLAIMABLE", text_reclaimable, 0},
	{"Size", "SIZE", text_size, 0},       {"TotalCount", "TOTAL", text_total_count, 0},
	{"Type", "TYPE", text_type, 0},       {0},
};

static const char *const df_columns[] = {"Type", "TotalCount",  "Active",
					 "Size", "Reclaimable", NULL};

static int print_totals(const struct command_call *call, const struct disk_usage *usage,
			struct error *err)
{
	static const struct usage_total nothing = {0};
	const struct df_opts *opts = call->opts;
	const struct df_row rows[] = {
		{"Images", &usage->images, true},
		{"Containers", &usage->containers, true},
		{"Local Volumes", &usage->volumes, true},
		{"Build Cache", &nothing, false},
	};
	const struct listing listing = {
		.fields = df_fields,
		.format = opts->format,
		.columns = df_columns,
		.quiet_field = "Type",
		.type_name = "*formatter.diskUsageContext",
	};

	return listing_print(&listing, rows, sizeof(rows[0]), ARRAY_SIZE(rows), call->cli->out,
			     err);
}

/* ---- all that they are made of ---- */

static void print_table(FILE *out, const char *title, struct table *table)
{
	auto_(strbuf_release) struct strbuf text = {0};

	table_format(table, &text);
	(void)fprintf(out, "%s\n\n%s\n", title, strbuf_text(&text));
}

static void cell(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void cell(struct table *table, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	table_add(table, text);
}

static void cell_size(struct table *table, uint64_t bytes)
{
	auto_(strbuf_release) struct strbuf text = {0};

	human_size(bytes, SIZE_DIGITS, &text);
	cell(table, "%s", strbuf_text(&text));
}

static void cell_ago(struct table *table, int64_t then_ns)
{
	auto_(strbuf_release) struct strbuf text = {0};

	if (then_ns == 0)
		strbuf_adds(&text, "N/A");
	else
		human_duration(clock_now_ns() - then_ns, &text);
	cell(table, "%s%s", strbuf_text(&text), then_ns ? " ago" : "");
}

static void add_image(struct table *table, const struct image_record *record,
		      const struct image_usage *usage)
{
	auto_free char *name = record->names.count ? image_familiar_name(record->names.items[0])
						   : xstrdup(NO_NAME ":" NO_NAME);
	char *colon = strrchr(name, ':');

	cell(table, "%.*s", colon ? (int)(colon - name) : (int)strlen(name), name);
	cell(table, "%s", colon ? colon + 1 : NO_NAME);
	cell(table, "%.*s", SHORT_ID, record->id + DIGEST_PREFIX_LEN);
	cell_ago(table, record->created_ns);
	cell_size(table, usage->unique_bytes + usage->shared_bytes);
	cell_size(table, usage->shared_bytes);
	cell_size(table, usage->unique_bytes);
	cell(table, "%" PRIu64, usage->containers);
}

static void print_images(FILE *out, const struct disk_usage *usage)
{
	static const char *const titles[] = {"REPOSITORY",  "TAG",       "IMAGE ID",
					     "CREATED",     "SIZE",      "SHARED SIZE",
					     "UNIQUE SIZE", "CONTAINERS"};
	auto_(table_release) struct table table;

	table_init(&table, titles, ARRAY_SIZE(titles));
	for (size_t i = 0; i < usage->image_records.count; i++)
		add_image(&table, &usage->image_records.items[i], &usage->image_usages[i]);
	print_table(out, "Images space usage:", &table);
}

static void add_container(struct table *table, const struct container_summary *summary,
			  const struct container_usage *usage)
{
	auto_(strbuf_release) struct strbuf command = {0}, quoted = {0}, status = {0};

	human_shorten(summary->command, SHORT_COMMAND, &command);
	human_quote(strbuf_text(&command), &quoted);
	container_status_text(summary, clock_now_ns(), &status);
	cell(table, "%.*s", SHORT_ID, summary->id);
	cell(table, "%s", summary->image);
	cell(table, "%s", strbuf_text(&quoted));
	cell(table, "%" PRIu64, usage->volumes);
	cell_size(table, usage->bytes);
	cell_ago(table, summary->created_ns);
	cell(table, "%s", strbuf_text(&status));
	cell(table, "%s", summary->name);
}

static void print_containers(FILE *out, const struct disk_usage *usage)
{
	static const char *const titles[] = {"CONTAINER ID", "IMAGE",   "COMMAND", "LOCAL VOLUMES",
					     "SIZE",         "CREATED", "STATUS",  "NAMES"};
	auto_(table_release) struct table table;

	table_init(&table, titles, ARRAY_SIZE(titles));
	for (size_t i = 0; i < usage->container_list.count; i++)
		add_container(&table, &usage->container_list.items[i], &usage->container_usages[i]);
	print_table(out, "Containers space usage:", &table);
}

static void print_volumes(FILE *out, const struct disk_usage *usage)
{
	static const char *const titles[] = {"VOLUME NAME", "LINKS", "SIZE"};
	auto_(table_release) struct table table;

	table_init(&table, titles, ARRAY_SIZE(titles));
	for (size_t i = 0; i < usage->volume_count; i++) {
		cell(&table, "%s", usage->volume_usages[i].name);
		cell(&table, "%" PRIu64, usage->volume_usages[i].links);
		cell_size(&table, usage->volume_usages[i].bytes);
	}
	print_table(out, "Local Volumes space usage:", &table);
}

static void print_rest(FILE *out, const struct disk_usage *usage)
{
	uint64_t all = usage->images.bytes + usage->containers.bytes + usage->volumes.bytes +
		       usage->own_bytes;
	auto_(strbuf_release) struct strbuf own = {0}, total = {0};

	human_size(usage->own_bytes, SIZE_DIGITS, &own);
	human_size(all, SIZE_DIGITS, &total);
	(void)fprintf(out, "Build cache usage: 0B\n\n");
	(void)fprintf(out, "Database and caches: %s\nWhole store: %s (%" PRIu64 " bytes)\n",
		      strbuf_text(&own), strbuf_text(&total), all);
}

static int df_run(const struct command_call *call)
{
	const struct df_opts *opts = call->opts;
	auto_(disk_usage_release) struct disk_usage usage = {0};
	auto_(error_release) struct error err = {0};

	if (opts->verbose && opts->format)
		return cli_refuse(call,
				  "--verbose has a format of its own: use it without --format");
	if (disk_usage_read(call->engine, &usage, &err) < 0)
		return cli_fail(call, &err);
	if (!opts->verbose)
		return print_totals(call, &usage, &err) < 0 ? cli_fail(call, &err) : 0;
	print_images(call->cli->out, &usage);
	print_containers(call->cli->out, &usage);
	print_volumes(call->cli->out, &usage);
	print_rest(call->cli->out, &usage);
	return 0;
}

const struct command cmd_system_df = {
	.name = "system df",
	.usage = "[OPTIONS]",
	.summary = "Show disk usage",
	.description =
		"What images, containers and volumes occupy on the disk, as du counts it, and what "
		"of that would be free if everything unused were removed. An image's files and the "
		"blobs they came from both count.\n\n"
		"The fields for --format are Active, Reclaimable, Size, TotalCount and Type.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = df_options,
	.opts_size = sizeof(struct df_opts),
	.run = df_run,
};
