/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_context_change.c - context create, export, import, rm, update
 *
 * They are not in help. Who uses one is told why there is no such thing, which "unknown command" would
 * not say.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

#define CONTEXT "default"

struct context_change_opts {
	const char *text;
	struct strv list;
	bool force;
};

static const struct option_spec context_change_options[] = {
	OPT_STRING(struct context_change_opts, text, 0, "description", "string",
		   "Description of the context"),
	OPT_LIST(struct context_change_opts, list, 0, "docker", "list", "Daemon of the context"),
	OPT_END,
};

static const struct option_spec context_create_options[] = {
	OPT_STRING(struct context_change_opts, text, 0, "description", "string",
		   "Description of the context"),
	OPT_LIST(struct context_change_opts, list, 0, "docker", "list", "Daemon of the context"),
	OPT_STRING(struct context_change_opts, text, 0, "from", "string", "Context to copy"),
	OPT_END,
};

static const struct option_spec context_rm_options[] = {
	OPT_FLAG(struct context_change_opts, force, 'f', "force",
		 "A context that does not exist is no failure"),
	OPT_END,
};

static int context_refuse(const struct command_call *call)
{
	return cli_refuse(call, "there is no daemon that a context could name: the one context is "
				"\"" CONTEXT "\", this machine");
}

static int context_rm_run(const struct command_call *call)
{
	const struct context_change_opts *opts = call->opts;
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		const char *name = call->args->items[i];

		if (strcmp(name, CONTEXT) == 0)
			status = cli_refuse(call, "context \"" CONTEXT "\" cannot be removed");
		else if (opts->force)
			(void)fprintf(call->cli->out, "%s\n", name);
		else
			status = cli_refuse(call, "context \"%s\": context not found", name);
	}
	return status;
}

#define CONTEXT_REFUSED(n, u, s, least, most)                                                      \
	.name = "context " n, .usage = (u), .summary = (s), .min_args = (least),                   \
	.max_args = (most), .hidden = true, .run = context_refuse

const struct command cmd_context_create = {
	CONTEXT_REFUSED("create", "[OPTIONS] CONTEXT", "Create a context", 1, 1),
	.options = context_create_options,
	.opts_size = sizeof(struct context_change_opts),
};

const struct command cmd_context_export = {
	CONTEXT_REFUSED("export", "CONTEXT [FILE|-]", "Export a context", 1, 2),
};

const struct command cmd_context_import = {
	CONTEXT_REFUSED("import", "CONTEXT FILE|-", "Import a context", 2, 2),
};

const struct command cmd_context_update = {
	CONTEXT_REFUSED("update", "[OPTIONS] CONTEXT", "Update a context", 1, 1),
	.options = context_change_options,
	.opts_size = sizeof(struct context_change_opts),
};

const struct command cmd_context_rm = {
	.name = "context rm",
	.usage = "[OPTIONS] CONTEXT [CONTEXT...]",
	.summary = "Remove contexts",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.hidden = true,
	.options = context_rm_options,
	.opts_size = sizeof(struct context_change_opts),
	.run = context_rm_run,
};
