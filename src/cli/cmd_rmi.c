/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/image.h"

struct rmi_opts {
	bool force, no_prune;
	const char *platform;
};

static const struct option_spec rmi_options[] = {
	OPT_FLAG(struct rmi_opts, force, 'f', "force", "Force removal of the image"),
	OPT_FLAG(struct rmi_opts, no_prune, 0, "no-prune",
		 "Do not delete untagged parents, as always here"),
	OPT_STRING(struct rmi_opts, platform, 0, "platform", "platform",
		   "Remove it only if it is for this platform (os[/arch[/variant]])"),
	OPT_END,
};

static int rmi_run(const struct command_call *call)
{
	const struct rmi_opts *opts = call->opts;
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		const struct image_remove_request request = {
			.selector = call->args->items[i],
			.force = opts->force,
			.platform = opts->platform,
		};
		auto_(strv_release) struct strv lines = {0};
		auto_(error_release) struct error err = {0};

		if (image_remove(call->engine, &request, &lines, &err) < 0) {
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
	.description =
		"Removes the name; the image itself goes with its last name, unless a "
		"container needs it. An image that another one was made from is an image of its "
		"own and is never removed along with it.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.options = rmi_options,
	.opts_size = sizeof(struct rmi_opts),
	.run = rmi_run,
};
