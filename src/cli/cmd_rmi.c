/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/image.h"

struct rmi_opts {
	bool force;
};

static const struct option_spec rmi_options[] = {
	OPT_FLAG(struct rmi_opts, force, 'f', "force", "Force removal of the image"),
	OPT_END,
};

static int rmi_run(const struct command_call *call)
{
	const struct rmi_opts *opts = call->opts;
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		auto_(strv_release) struct strv lines = {0};
		auto_(error_release) struct error err = {0};

		if (image_remove(call->engine, call->args->items[i], opts->force, &lines, &err) <
		    0) {
			int failure = cli_fail(call, &err);

			if (!opts->force || err.kind != ERR_NOT_FOUND)
				status = failure;
			continue;
		}
		for (size_t n = 0; n < lines.count; n++)
			(void)fprintf(call->cli->out, "%s\n", lines.items[n]);
	}
	return status;
}

const struct command cmd_rmi = {
	.name = "rmi",
	.usage = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Remove one or more images",
	.description = "Removes the name; the image itself goes with its last name, unless a "
		       "container needs it.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.options = rmi_options,
	.opts_size = sizeof(struct rmi_opts),
	.run = rmi_run,
};
