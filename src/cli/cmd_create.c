/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/create_options.h"
#include "engine/container.h"
#include "engine/engine.h"

static void create_init(void *opts)
{
	create_opts_init(opts);
}

static void create_release(void *opts)
{
	create_opts_release(opts);
}

static int create_run(const struct command_call *call)
{
	struct create_opts *opts = call->opts;
	auto_(create_result_release) struct create_result created = {0};
	auto_(error_release) struct error err = {0};

	if (create_opts_finish(opts, call->args, /* detach= */ false, &err) < 0)
		return cli_usage_error(call, &err);
	if (create_opts_create(opts, call->engine, call->cli->err, &created, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < created.warnings.count; i++)
		(void)fprintf(call->cli->err, "WARNING: %s\n", created.warnings.items[i]);
	(void)fprintf(call->cli->out, "%s\n", created.id);
	return 0;
}

const struct command cmd_create = {
	.name = "create",
	.usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	.summary = "Create a new container",
	.description =
		"Like run, but the container is not started: start does that. Prints its ID.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_NOTHING,
	.stop_at_first_arg = true,
	.options = create_options,
	.opts_size = sizeof(struct create_opts),
	.init = create_init,
	.release = create_release,
	.run = create_run,
};
