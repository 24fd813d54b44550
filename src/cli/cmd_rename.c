/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

static int rename_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};

	if (container_rename(call->engine, call->args->items[0], call->args->items[1], &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_rename = {
	.name = "rename",
	.usage = "CONTAINER NEW_NAME",
	.summary = "Rename a container",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.run = rename_run,
};
