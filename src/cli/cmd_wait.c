/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

static int wait_run(const struct command_call *call)
{
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		auto_(error_release) struct error err = {0};
		int code;

		if (container_wait(call->engine, call->args->items[i], &code, &err) < 0) {
			status = cli_fail(call, &err);
			continue;
		}
		(void)fprintf(call->cli->out, "%d\n", code);
		cli_flush(call->cli); /* the next one may take long */
	}
	return status;
}

const struct command cmd_wait = {
	.name = "wait",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Block until one or more containers stop, then print their exit codes",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.run = wait_run,
};
