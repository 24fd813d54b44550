/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

struct wait_opts {
	struct strv conditions;
	bool ignore;
};

static const struct option_spec wait_options[] = {
	OPT_LIST(struct wait_opts, conditions, 0, "condition", "list",
		 "What to wait for, instead of the end; the first that is true will do",
		 .choices =
			 "not-running next-exit removed created running paused restarting exited "
			 "stopped healthy unhealthy",
		 .check = container_wait_check),
	OPT_FLAG(struct wait_opts, ignore, 0, "ignore",
		 "A container that does not exist is no failure: its code is -1"),
	OPT_END,
};

static int wait_run(const struct command_call *call)
{
	const struct wait_opts *opts = call->opts;
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		auto_(error_release) struct error err = {0};
		int code;

		if (container_wait_for(call->engine, call->args->items[i], &opts->conditions, &code,
				       &err) < 0) {
			if (opts->ignore && err.kind == ERR_NOT_FOUND) {
				(void)fputs("-1\n", call->cli->out);
				continue;
			}
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
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Block until one or more containers stop, then print their exit codes",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.options = wait_options,
	.opts_size = sizeof(struct wait_opts),
	.run = wait_run,
};
