/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_context.c - context ls, inspect, show, use
 *
 * There is one context, "default", which is this machine: no daemon could be elsewhere. The commands are
 * here because scripts ask for it.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "cli/listing.h"

#define CONTEXT "default"
#define ENDPOINT "local"
#define DESCRIPTION "This machine, without a daemon"

static int refuse_other(const char *name, struct error *err)
{
	if (strcmp(name, CONTEXT) == 0)
		return 0;
	return err_set(err, ERR_NOT_FOUND, 0,
		       "context \"%s\": context not found: there is only " CONTEXT, name);
}

/* ---- ls ---- */

struct context_ls_opts {
	const char *format;
	bool quiet;
};

static const struct option_spec context_ls_options[] = {
	OPT_STRING(struct context_ls_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct context_ls_opts, quiet, 'q', "quiet", "Only show context names"),
	OPT_END,
};

static void text_current(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, "true");
}

static void text_description(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, DESCRIPTION);
}

static void text_endpoint(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, ENDPOINT);
}

static void text_nothing(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	(void)text;
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	(void)item;
	(void)context;
	strbuf_adds(text, CONTEXT);
}

static const struct listing_field context_fields[] = {
	{"Current", NULL, text_current, LISTING_BOOL},
	{"Description", "DESCRIPTION", text_description},
	{"DockerEndpoint", "DOCKER ENDPOINT", text_endpoint},
	{"Error", "ERROR", text_nothing},
	{"Name", "NAME", text_name},
	{0},
};

/* docker's own default is a template: the current context has a star. */
#define DEFAULT_FORMAT                                                                             \
	"table {{.Name}}{{if .Current}} "                                                          \
	"*{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}"

static int context_ls_run(const struct command_call *call)
{
	static const char *const columns[] = {"Name", "Description", "DockerEndpoint", "Error",
					      NULL};
	const struct context_ls_opts *opts = call->opts;
	bool is_default = !opts->format || !*opts->format || strcmp(opts->format, "table") == 0;
	const struct listing listing = {
		.fields = context_fields,
		.format = is_default ? DEFAULT_FORMAT : opts->format,
		.columns = columns,
		.quiet = opts->quiet,
		.quiet_field = "Name",
		.type_name = "*formatter.clientContextContext",
	};
	auto_(error_release) struct error err = {0};

	if (listing_print(&listing, "", 1, 1, call->cli->out, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

/* ---- inspect ---- */

struct context_inspect_opts {
	const char *format;
};

static const struct option_spec context_inspect_options[] = {
	OPT_STRING(struct context_inspect_opts, format, 'f', "format", "string",
		   "Format the output: \"json\" in one line, or a Go TEMPLATE"),
	OPT_END,
};

static int inspect_context(struct engine *engine, const char *selector, json_t **ret_object,
			   struct error *err)
{
	int r = refuse_other(selector, err);

	(void)engine;
	if (r < 0)
		return r;
	*ret_object = json_pack("{s:s, s:{s:s}, s:{s:{s:s, s:b}}, s:{}, s:{s:s, s:s}}", "Name",
				CONTEXT, "Metadata", "Description", DESCRIPTION, "Endpoints",
				"docker", "Host", ENDPOINT, "SkipTLSVerify", 0, "TLSMaterial",
				"Storage", "MetadataPath", "<IN MEMORY>", "TLSPath", "<IN MEMORY>");
	return 0;
}

static int context_inspect_run(const struct command_call *call)
{
	static const struct inspect_kind kinds[] = {{"context", inspect_context}, {0}};
	const struct context_inspect_opts *opts = call->opts;
	const struct inspect_options options = {.format = opts->format};
	auto_(strv_release) struct strv names = {0};
	struct command_call whole = *call;

	if (call->args->count == 0) /* the current one */
		strv_add(&names, CONTEXT);
	whole.args = call->args->count ? call->args : &names;
	return inspect_print(&whole, kinds, &options);
}

/* ---- show, use ---- */

static int context_show_run(const struct command_call *call)
{
	(void)fputs(CONTEXT "\n", call->cli->out);
	return 0;
}

static int context_use_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};

	if (refuse_other(call->args->items[0], &err) < 0)
		return cli_fail(call, &err);
	(void)fputs(CONTEXT "\n", call->cli->out);
	(void)fputs("Current context is now \"" CONTEXT "\"\n", call->cli->err);
	return 0;
}

const struct command cmd_context_ls = {
	.name = "context ls",
	.usage = "[OPTIONS]",
	.summary = "List contexts",
	.description = "There is one, \"" CONTEXT "\": this machine.",
	.max_args = 0,
	.needs = NEEDS_NOTHING,
	.options = context_ls_options,
	.opts_size = sizeof(struct context_ls_opts),
	.run = context_ls_run,
};

const struct command cmd_context_inspect = {
	.name = "context inspect",
	.usage = "[OPTIONS] [CONTEXT] [CONTEXT...]",
	.summary = "Display detailed information on one or more contexts",
	.max_args = ARGS_ANY,
	.needs = NEEDS_NOTHING,
	.options = context_inspect_options,
	.opts_size = sizeof(struct context_inspect_opts),
	.run = context_inspect_run,
};

const struct command cmd_context_show = {
	.name = "context show",
	.usage = "",
	.summary = "Print the name of the current context",
	.max_args = 0,
	.needs = NEEDS_NOTHING,
	.run = context_show_run,
};

const struct command cmd_context_use = {
	.name = "context use",
	.usage = "CONTEXT",
	.summary = "Set the current context",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_NOTHING,
	.run = context_use_run,
};
