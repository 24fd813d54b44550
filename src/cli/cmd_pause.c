/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pause.c - pause and unpause */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/each_argument.h"
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

static int pause_run(const struct command_call *call)
{
	return each_argument(call, pause_one);
}

static int unpause_run(const struct command_call *call)
{
	return each_argument(call, unpause_one);
}

const struct command cmd_pause = {
	.name = "pause",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Pause all processes within one or more containers",
	.description = "The kernel's freezer stops them; they do not notice.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.run = pause_run,
};

const struct command cmd_unpause = {
	.name = "unpause",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Unpause all processes within one or more containers",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.run = unpause_run,
};
