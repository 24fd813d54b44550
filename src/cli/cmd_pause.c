/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pause.c - pause and unpause */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/select_options.h"
#include "engine/container.h"
#include "engine/engine.h"

static int pause_one(const struct command_call *call, const char *selector, struct error *err)
{
	return container_pause(call->engine, selector, /* pause= */ true, err);
}

static int unpause_one(const struct command_call *call, const char *selector, struct error *err)
{
	return container_pause(call->engine, selector, /* pause= */ false, err);
}

struct pause_opts {
	struct select_opts select;
};

static const struct option_spec pause_options[] = {
	OPT_INCLUDE(struct pause_opts, select, select_options),
	OPT_END,
};

static int pause_run(const struct command_call *call)
{
	const struct pause_opts *opts = call->opts;

	return each_selected(call, &opts->select, SELECT_RUNNING, pause_one);
}

static int unpause_run(const struct command_call *call)
{
	const struct pause_opts *opts = call->opts;

	return each_selected(call, &opts->select, SELECT_PAUSED, unpause_one);
}

const struct command cmd_pause = {
	.name = "pause",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Pause all processes within one or more containers",
	.description = "The kernel's freezer stops them; they do not notice.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.options = pause_options,
	.opts_size = sizeof(struct pause_opts),
	.run = pause_run,
};

const struct command cmd_unpause = {
	.name = "unpause",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Unpause all processes within one or more containers",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.options = pause_options,
	.opts_size = sizeof(struct pause_opts),
	.run = unpause_run,
};
