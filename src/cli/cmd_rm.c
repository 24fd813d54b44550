/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

struct rm_opts {
	bool force, volumes;
};

static const struct option_spec rm_options[] = {
	OPT_FLAG(struct rm_opts, force, 'f', "force",
		 "Force the removal of a running container (uses SIGKILL)"),
	OPT_FLAG(struct rm_opts, volumes, 'v', "volumes",
		 "Remove anonymous volumes associated with the container"),
	OPT_END,
};

/* docker: with -f, what is not there is said, and is no failure. */
static int rm_failed(const struct command_call *call, const struct error *err)
{
	const struct rm_opts *opts = call->opts;
	int status = cli_fail(call, err);

	return opts->force && err->kind == ERR_NOT_FOUND ? 0 : status;
}

static int rm_run(const struct command_call *call)
{
	const struct rm_opts *opts = call->opts;
	const struct remove_request request = {.force = opts->force, .volumes = opts->volumes};
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		const char *selector = call->args->items[i];
		auto_(error_release) struct error err = {0};

		if (container_remove(call->engine, selector, &request, &err) >= 0) {
			(void)fprintf(call->cli->out, "%s\n", selector);
			continue;
		}
		if (rm_failed(call, &err) != 0)
			status = STATUS_FAILURE;
	}
	return status;
}

const struct command cmd_rm = {
	.name = "rm",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Remove one or more containers",
	.description = "Removes the container's record, its log and what it wrote. A running "
		       "container is refused without --force.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.options = rm_options,
	.opts_size = sizeof(struct rm_opts),
	.run = rm_run,
};
