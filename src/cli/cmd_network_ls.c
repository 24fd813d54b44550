/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_network_ls.c - network ls, network inspect */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/container_text.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "engine/network.h"

#define SHORT_ID 12

struct ls_opts {
	struct strv filters;
	const char *format;
	bool no_trunc, quiet;
};

static const struct option_spec ls_options[] = {
	OPT_LIST(struct ls_opts, filters, 'f', "filter", "filter",
		 "Provide filter values (e.g. \"driver=bridge\")"),
	OPT_STRING(struct ls_opts, format, 0, "format", "string",
		   "Show a table, json (an object per line), or a template"),
	OPT_FLAG(struct ls_opts, no_trunc, 0, "no-trunc", "Do not truncate the output"),
	OPT_FLAG(struct ls_opts, quiet, 'q', "quiet", "Only display network IDs"),
	OPT_END,
};

static void text_created(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	local_time_text(((const struct network_summary *)item)->created_ns, text);
}

static void text_driver(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct network_summary *)item)->driver);
}

static void text_id(const void *item, const void *context, struct strbuf *text)
{
	const struct network_summary *s = item;
	const struct ls_opts *opts = context;

	strbuf_add(text, s->id, opts->no_trunc ? strlen(s->id) : SHORT_ID);
}

static void text_ipv4(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct network_summary *)item)->ipv4 ? "true" : "false");
}

static void text_ipv6(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct network_summary *)item)->ipv6 ? "true" : "false");
}

static void text_internal(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct network_summary *)item)->internal ? "true" : "false");
}

static void text_labels(const void *item, const void *context, struct strbuf *text)
{
	auto_free char *joined = strv_join(&((const struct network_summary *)item)->labels, ",");

	(void)context;
	strbuf_adds(text, joined);
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, ((const struct network_summary *)item)->name);
}

static void text_scope(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, "local");
}

static const struct listing_field ls_fields[] = {
	{"CreatedAt", "CREATED AT", text_created, LISTING_TEXT},
	{"Driver", "DRIVER", text_driver, LISTING_TEXT},
	{"ID", "NETWORK ID", text_id, LISTING_TEXT},
	{"IPv4", "IPV4", text_ipv4, LISTING_TEXT},
	{"IPv6", "IPV6", text_ipv6, LISTING_TEXT},
	{"Internal", "INTERNAL", text_internal, LISTING_TEXT},
	{"Labels", "LABELS", text_labels, LISTING_TEXT},
	{"Name", "NAME", text_name, LISTING_TEXT},
	{"Scope", "SCOPE", text_scope, LISTING_TEXT},
	{0},
};

static const char *const ls_columns[] = {"ID", "Name", "Driver", "Scope", NULL};

static int ls_run(const struct command_call *call)
{
	const struct ls_opts *opts = call->opts;
	const struct listing listing = {
		.fields = ls_fields,
		.format = opts->format,
		.columns = ls_columns,
		.context = opts,
		.quiet = opts->quiet,
	};
	auto_(network_list_release) struct network_list list = {0};
	auto_(error_release) struct error err = {0};

	if (network_list(call->engine, &opts->filters, &list, &err) < 0 ||
	    listing_print(&listing, list.items, sizeof(*list.items), list.count, call->cli->out,
			  &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_network_ls = {
	.name = "network ls",
	.usage = "[OPTIONS]",
	.summary = "List networks",
	.description = "Filters are dangling, driver, id, label, name, scope and type "
		       "(custom|builtin).",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = ls_options,
	.opts_size = sizeof(struct ls_opts),
	.run = ls_run,
};

/* ---- inspect ---- */

struct network_inspect_opts {
	const char *format;
	bool verbose;
};

static const struct option_spec network_inspect_options[] = {
	OPT_STRING(struct network_inspect_opts, format, 'f', "format", "string",
		   "Format the output: \"json\" in one line, or a Go TEMPLATE for each object"),
	OPT_FLAG(struct network_inspect_opts, verbose, 'v', "verbose",
		 "Verbose output for diagnostics"),
	OPT_END,
};

static int network_inspect_run(const struct command_call *call)
{
	static const struct inspect_kind kinds[] = {{"network", network_inspect}, {0}};
	const struct network_inspect_opts *opts = call->opts;

	return inspect_print(call, kinds, &(struct inspect_options){.format = opts->format});
}

const struct command cmd_network_inspect = {
	.name = "network inspect",
	.usage = "[OPTIONS] NETWORK [NETWORK...]",
	.summary = "Display detailed information on one or more networks",
	.description = "The containers listed are those that run.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = network_inspect_options,
	.opts_size = sizeof(struct network_inspect_opts),
	.run = network_inspect_run,
};
