/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/select_options.h"
#include "engine/container.h"
#include "engine/engine.h"

struct rm_opts {
	struct select_opts select;
	bool force, volumes;
};

static const struct option_spec rm_options[] = {
	OPT_FLAG(struct rm_opts, force, 'f', "force",
		 "Force the removal of a running container (uses SIGKILL)"),
	OPT_INCLUDE(struct rm_opts, select, select_rm_options),
	OPT_FLAG(struct rm_opts, volumes, 'v', "volumes",
		 "Remove anonymous volumes associated with the container"),
	OPT_END,
};

static int rm_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct rm_opts *opts = call->opts;
	const struct remove_request request = {.force = opts->force, .volumes = opts->volumes};

	return container_remove(call->engine, selector, &request, err);
}

/* docker: with -f, what is not there is said, and is no failure. */
static int rm_run(const struct command_call *call)
{
	const struct rm_opts *opts = call->opts;

	return each_selected_at_once(call, &opts->select, opts->force ? SELECT_ANY : SELECT_STOPPED,
				     rm_one, /* ignore_missing= */ opts->force);
}

const struct command cmd_rm = {
	.name = "rm",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Remove one or more containers",
	.description = "Removes the container's record, its log and what it wrote. A running "
		       "container is refused without --force.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.options = rm_options,
	.opts_size = sizeof(struct rm_opts),
	.run = rm_run,
};
