/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "engine/volume.h"

struct volume_ls_opts {
	struct strv filters;
	const char *format;
	bool quiet;
};

static const struct option_spec volume_ls_options[] = {
	OPT_LIST(struct volume_ls_opts, filters, 'f', "filter", "filter",
		 "Provide filter values (e.g. \"dangling=true\")"),
	OPT_STRING(struct volume_ls_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct volume_ls_opts, quiet, 'q', "quiet", "Only display volume names"),
	OPT_END,
};

static void text_not_known(const void *item, const void *context, struct strbuf *text)
{
	(void)item, (void)context;
	strbuf_adds(text, "N/A");
}

/* The driver, and the scope. */
static void text_local(const void *item, const void *context, struct strbuf *text)
{
	(void)item, (void)context;
	strbuf_adds(text, "local");
}

static void text_labels(const void *item, const void *context, struct strbuf *text)
{
	const struct volume_summary *volume = item;
	auto_free char *labels = strv_join(&volume->labels, ",");

	(void)context;
	strbuf_adds(text, labels);
}

static void text_mountpoint(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct volume_summary *)item)->mountpoint);
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct volume_summary *)item)->name);
}

static void text_label(const void *item, const char *key, struct strbuf *text)
{
	const char *value = strv_env_find(&((const struct volume_summary *)item)->labels, key);

	strbuf_adds(text, value ? value : "");
}

static const struct listing_field volume_fields[] = {
	{"Availability", "AVAILABILITY", text_not_known, 0},
	{"Driver", "DRIVER", text_local, 0},
	{"Group", "GROUP", text_not_known, 0},
	{"Labels", "LABELS", text_labels, 0},
	{"Links", "LINKS", text_not_known, 0},
	{"Mountpoint", "MOUNTPOINT", text_mountpoint, 0},
	{"Name", "VOLUME NAME", text_name, 0},
	{"Scope", "SCOPE", text_local, 0},
	{"Size", "SIZE", text_not_known, 0},
	{"Status", "STATUS", text_not_known, 0},
	{0},
};

static int volume_ls_run(const struct command_call *call)
{
	static const char *const columns[] = {"Driver", "Name", NULL};
	const struct volume_ls_opts *opts = call->opts;
	const struct listing listing = {
		.fields = volume_fields,
		.format = opts->format,
		.columns = columns,
		.quiet = opts->quiet,
		.quiet_field = "Name",
		.raw = "name: {{.Name}}\ndriver: {{.Driver}}\n",
		.raw_quiet = "name: {{.Name}}",
		.type_name = "*formatter.VolumeContext",
		.label = text_label,
	};
	auto_(volume_summaries_release) struct volume_summaries list = {0};
	auto_(error_release) struct error err = {0};

	if (volumes_list(call->engine, &opts->filters, &list, &err) < 0 ||
	    listing_print(&listing, list.items, sizeof(*list.items), list.count, call->cli->out,
			  &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_volume_ls = {
	.name = "volume ls",
	.usage = "[OPTIONS]",
	.summary = "List volumes",
	.description = "Filters are dangling=BOOL (no container refers to it), driver, "
		       "label=KEY[=VALUE] and name (a regular expression).",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = volume_ls_options,
	.opts_size = sizeof(struct volume_ls_opts),
	.run = volume_ls_run,
};
