/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

#define STATUS_UNHEALTHY 1
#define STATUS_NO_ANSWER 125

static int healthcheck_run_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};
	bool healthy;

	if (container_healthcheck(call->engine, call->args->items[0], &healthy, &err) < 0) {
		(void)cli_fail(call, &err);
		return STATUS_NO_ANSWER;
	}
	if (healthy)
		return 0;
	(void)fputs("unhealthy\n", call->cli->out);
	return STATUS_UNHEALTHY;
}

const struct command cmd_healthcheck_run = {
	.name = "healthcheck run",
	.usage = "CONTAINER",
	.summary = "Run the health check of a container",
	.description =
		"Runs the check now, whenever the next one is due, and waits for its result, "
		"which counts like any other. The exit status is 0 when it succeeds, 1 when "
		"it fails, and 125 when there is none or the container does not run.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.run = healthcheck_run_run,
};
