/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "engine/volume.h"

struct volume_inspect_opts {
	const char *format;
};

static const struct option_spec volume_inspect_options[] = {
	OPT_STRING(struct volume_inspect_opts, format, 'f', "format", "string",
		   "Format output using a custom template: \"json\" or a Go TEMPLATE"),
	OPT_END,
};

static int volume_inspect_run(const struct command_call *call)
{
	static const struct inspect_kind kinds[] = {
		{.name = "volume", .inspect = volumes_inspect},
		{0},
	};
	const struct volume_inspect_opts *opts = call->opts;

	return inspect_print(call, kinds, &(struct inspect_options){.format = opts->format});
}

const struct command cmd_volume_inspect = {
	.name = "volume inspect",
	.usage = "[OPTIONS] VOLUME [VOLUME...]",
	.summary = "Display detailed information on one or more volumes",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = volume_inspect_options,
	.opts_size = sizeof(struct volume_inspect_opts),
	.run = volume_inspect_run,
};
