/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/select_options.h"
#include "engine/container.h"
#include "engine/engine.h"

struct kill_opts {
	struct select_opts select;
	const char *signal;
};

static const struct option_spec kill_options[] = {
	OPT_INCLUDE(struct kill_opts, select, select_options),
	OPT_STRING(struct kill_opts, signal, 's', "signal", "string",
		   "Signal to send to the container", .default_text = "\"KILL\""),
	OPT_END,
};

static int kill_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct kill_opts *opts = call->opts;

	return container_kill(call->engine, selector, opts->signal ? opts->signal : "KILL", err);
}

static int kill_run(const struct command_call *call)
{
	const struct kill_opts *opts = call->opts;

	return each_selected(call, &opts->select, SELECT_RUNNING, kill_one);
}

const struct command cmd_kill = {
	.name = "kill",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Kill one or more running containers",
	.description = "Sends the signal to the container's first process.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.options = kill_options,
	.opts_size = sizeof(struct kill_opts),
	.run = kill_run,
};
