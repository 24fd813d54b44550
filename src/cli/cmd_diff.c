/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container_files.h"

static void print_change(void *context, char kind, const char *path)
{
	const struct command_call *call = context;

	(void)fprintf(call->cli->out, "%c %s\n", kind, path);
}

static int diff_run(const struct command_call *call)
{
	const struct diff_request request = {.change = print_change, .context = (void *)call};
	auto_(error_release) struct error err = {0};

	if (!*call->args->items[0])
		return cli_refuse(call, "Container name cannot be empty");
	if (container_diff(call->engine, call->args->items[0], &request, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_diff = {
	.name = "diff",
	.usage = "CONTAINER",
	.summary = "Inspect changes to files or directories on a container's filesystem",
	.description = "A line for every file or directory that the container has added (A), "
		       "changed (C) or deleted (D) since it was made from its image. Volumes and "
		       "other mounts are not looked at.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.run = diff_run,
};
