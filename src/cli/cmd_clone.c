/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/limit_options.h"
#include "engine/container.h"
#include "engine/container_clone.h"
#include "engine/engine.h"
#include "engine/monitor_link.h"

struct clone_opts {
	struct limit_request limits;
	const char *name;
	bool destroy, force, run;
};

static const struct option_spec clone_options[] = {
	OPT_FLAG(struct clone_opts, destroy, 0, "destroy", "Remove the original container"),
	OPT_FLAG(struct clone_opts, force, 'f', "force",
		 "Remove the original also when it runs (with --destroy)"),
	OPT_INCLUDE(struct clone_opts, limits, limit_options),
	OPT_STRING(struct clone_opts, name, 0, "name", "string", "Name of the clone"),
	OPT_FLAG(struct clone_opts, run, 0, "run", "Start the clone"),
	OPT_END,
};

static void clone_init(void *opts)
{
	struct clone_opts *o = opts;

	limit_request_init(&o->limits);
}

static int start_clone(const struct command_call *call, const char *id, struct error *err)
{
	const struct monitor_link_options options = {0};
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	int r;

	r = monitor_link_spawn(&link, err);
	return r < 0 ? r : container_start(call->engine, id, &link, &options, err);
}

static int clone_run(const struct command_call *call)
{
	const struct clone_opts *opts = call->opts;
	auto_(create_result_release) struct create_result created = {0};
	auto_(error_release) struct error err = {0};
	struct clone_request request = {
		.name = opts->name,
		.limits = &opts->limits,
		.destroy = opts->destroy,
		.force = opts->force,
	};

	if (opts->force && !opts->destroy)
		return cli_refuse(call, "cannot set --force without --destroy");
	if (call->args->count > 1 && opts->name)
		return cli_refuse(call, "cannot set --name when the name is an argument too");
	if (call->args->count > 1)
		request.name = call->args->items[1];
	if (container_clone(call->engine, call->args->items[0], &request, &created, &err) < 0)
		return cli_fail(call, &err);
	if (opts->run && start_clone(call, created.id, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", created.id);
	return 0;
}

const struct command cmd_clone = {
	.name = "container clone",
	.usage = "[OPTIONS] CONTAINER [NAME]",
	.summary = "Create a container like another one",
	.description =
		"The clone is of the same image and has everything that create was told, with "
		"other "
		"limits where options say so. It has nothing of what the container has written, "
		"and "
		"its own addresses. Volumes with a name are shared; those without one are new and "
		"empty, but with --destroy the clone takes them over. Prints the ID.\n\n"
		"Without a name it is the original's with \"-clone\", and a number when that is "
		"taken. Ports are published like the original's: both can run only when the host "
		"chooses them.",
	.examples = "More memory for what runs, by a new container in its place:\n"
		    "\tskiff container clone --destroy --force --run -m 1g web web2",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.options = clone_options,
	.opts_size = sizeof(struct clone_opts),
	.init = clone_init,
	.run = clone_run,
};
