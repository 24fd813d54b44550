/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/each_argument.h"
#include "engine/volume.h"

struct volume_rm_opts {
	bool force;
};

static const struct option_spec volume_rm_options[] = {
	OPT_FLAG(struct volume_rm_opts, force, 'f', "force",
		 "Force the removal of one or more volumes"),
	OPT_END,
};

/* By force, what is not there is as good as removed. */
static int remove_one(const struct command_call *call, const char *name, struct error *err)
{
	const struct volume_rm_opts *opts = call->opts;
	int r = volumes_remove(call->engine, name, err);

	if (r >= 0 || !opts->force || err->kind != ERR_NOT_FOUND)
		return r;
	error_release(err);
	return 0;
}

static int volume_rm_run(const struct command_call *call)
{
	return each_argument(call, remove_one);
}

const struct command cmd_volume_rm = {
	.name = "volume rm",
	.usage = "[OPTIONS] VOLUME [VOLUME...]",
	.summary = "Remove one or more volumes",
	.description = "A volume that a container refers to, running or not, is never removed.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.rest_args = COMPLETE_NOTHING,
	.options = volume_rm_options,
	.opts_size = sizeof(struct volume_rm_opts),
	.run = volume_rm_run,
};
