/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_secret_ls.c - secret ls and inspect */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "engine/filter.h"
#include "engine/secret.h"

/* ---- ls ---- */

struct secret_ls_opts {
	struct strv filters;
	const char *format;
	bool no_heading, quiet;
};

static const struct option_spec secret_ls_options[] = {
	OPT_LIST(struct secret_ls_opts, filters, 'f', "filter", "filter",
		 "Provide filter values (e.g. \"name=db\")", .check = filter_check),
	OPT_STRING(struct secret_ls_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct secret_ls_opts, no_heading, 'n', "noheading", "Do not print headers"),
	OPT_FLAG(struct secret_ls_opts, quiet, 'q', "quiet", "Only display IDs"),
	OPT_END,
};

static void text_since(int64_t then_ns, const void *context, struct strbuf *text)
{
	human_duration(*(const int64_t *)context - then_ns, text);
	strbuf_adds(text, " ago");
}

static void text_created(const void *item, const void *context, struct strbuf *text)
{
	text_since(((const struct secret_summary *)item)->created_ns, context, text);
}

static void text_updated(const void *item, const void *context, struct strbuf *text)
{
	text_since(((const struct secret_summary *)item)->updated_ns, context, text);
}

static void text_driver(const void *item, const void *context, struct strbuf *text)
{
	(void)item, (void)context;
	strbuf_adds(text, "file");
}

static void text_id(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct secret_summary *)item)->id);
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct secret_summary *)item)->name);
}

static void text_label(const void *item, const char *key, struct strbuf *text)
{
	const char *value = strv_env_find(&((const struct secret_summary *)item)->labels, key);

	strbuf_adds(text, value ? value : "");
}

static const struct listing_field secret_fields[] = {
	{"CreatedAt", "CREATED", text_created, 0},
	{"Driver", "DRIVER", text_driver, 0},
	{"ID", "ID", text_id, 0},
	{"Name", "NAME", text_name, 0},
	{"UpdatedAt", "UPDATED", text_updated, 0},
	{0},
};

/* The table without its first line. */
static int print_without_heading(const struct listing *listing, const struct secret_list *list,
				 FILE *out, struct error *err)
{
	auto_free char *text = NULL;
	const char *rest;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	int r;

	if (!memory)
		return err_set(err, ERR_SYSTEM, errno, "print the secrets");
	r = listing_print(listing, list->items, sizeof(*list->items), list->count, memory, err);
	(void)fclose(memory);
	rest = r < 0 ? NULL : strchr(text, '\n');
	if (rest)
		(void)fputs(rest + 1, out);
	return r;
}

static int secret_ls_run(const struct command_call *call)
{
	static const char *const columns[] = {"ID",        "Name",      "Driver",
					      "CreatedAt", "UpdatedAt", NULL};
	const struct secret_ls_opts *opts = call->opts;
	int64_t now_ns = clock_now_ns();
	const struct listing listing = {
		.fields = secret_fields,
		.format = opts->format,
		.columns = columns,
		.context = &now_ns,
		.quiet = opts->quiet,
		.type_name = "secrets.listEntry",
		.label = text_label,
	};
	bool is_table = !opts->quiet && (!opts->format || strncmp(opts->format, "table", 5) == 0);
	auto_(secret_list_release) struct secret_list list = {0};
	auto_(error_release) struct error err = {0};
	int r;

	if (secret_list(call->engine, &opts->filters, &list, &err) < 0)
		return cli_fail(call, &err);
	if (opts->no_heading && is_table)
		r = print_without_heading(&listing, &list, call->cli->out, &err);
	else
		r = listing_print(&listing, list.items, sizeof(*list.items), list.count,
				  call->cli->out, &err);
	return r < 0 ? cli_fail(call, &err) : 0;
}

const struct command cmd_secret_ls = {
	.name = "secret ls",
	.usage = "[OPTIONS]",
	.summary = "List secrets",
	.description = "Filters are id (the beginning of one), label=KEY[=VALUE] and name (a "
		       "regular expression).",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = secret_ls_options,
	.opts_size = sizeof(struct secret_ls_opts),
	.run = secret_ls_run,
};

/* ---- inspect ---- */

struct secret_inspect_opts {
	const char *format;
	bool pretty, show_secret;
};

static const struct option_spec secret_inspect_options[] = {
	OPT_STRING(struct secret_inspect_opts, format, 'f', "format", "string",
		   "Format output using a custom template: \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct secret_inspect_opts, pretty, 0, "pretty", "Print in a form for people"),
	OPT_FLAG(struct secret_inspect_opts, show_secret, 0, "showsecret",
		 "Show what the secret holds as well"),
	OPT_END,
};

#define PRETTY                                                                                     \
	"ID:              {{.ID}}\n"                                                               \
	"Name:            {{.Spec.Name}}\n"                                                        \
	"{{if .Spec.Labels}}Labels:\n"                                                             \
	"{{range $k, $v := .Spec.Labels}} - {{$k}}={{$v}}\n{{end}}{{end}}"                         \
	"Driver:          {{.Spec.Driver.Name}}\n"                                                 \
	"Created at:      {{.CreatedAt}}\n"                                                        \
	"Updated at:      {{.UpdatedAt}}"
#define PRETTY_WITH_DATA PRETTY "\nSecret:          {{.SecretData}}"

static int secret_inspect_run(const struct command_call *call)
{
	const struct secret_inspect_opts *opts = call->opts;
	const struct inspect_kind kinds[] = {
		{.name = "secret",
		 .inspect = opts->show_secret ? secret_inspect_data : secret_inspect},
		{0},
	};
	const char *pretty = opts->show_secret ? PRETTY_WITH_DATA : PRETTY;

	if (opts->format && opts->pretty)
		return cli_refuse(call, "--format and --pretty cannot be used together");
	return inspect_print(call, kinds,
			     &(struct inspect_options){.format = opts->pretty ? pretty
									      : opts->format});
}

const struct command cmd_secret_inspect = {
	.name = "secret inspect",
	.usage = "[OPTIONS] SECRET [SECRET...]",
	.summary = "Display detailed information on one or more secrets",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = secret_inspect_options,
	.opts_size = sizeof(struct secret_inspect_opts),
	.run = secret_inspect_run,
};
