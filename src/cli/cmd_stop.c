/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_stop.c - stop and restart: they end a container in the same way */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/select_options.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/monitor_link.h"

#define OWN_TIMEOUT (-1) /* what the container was made with */

struct stop_opts {
	struct select_opts select;
	const char *signal;
	int64_t timeout_s;
};

static const struct option_spec stop_options[] = {
	OPT_INCLUDE(struct stop_opts, select, select_options),
	OPT_STRING(struct stop_opts, signal, 's', "signal", "string",
		   "Signal to send to the container"),
	OPT_INT(struct stop_opts, timeout_s, 0, "time", "Another spelling of --timeout",
		.deprecated = "use --timeout instead"),
	OPT_INT(struct stop_opts, timeout_s, 't', "timeout",
		"Seconds to wait before killing the container"),
	OPT_END,
};

static void stop_init(void *opts)
{
	struct stop_opts *o = opts;

	o->timeout_s = OWN_TIMEOUT;
}

static int stop_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct stop_opts *opts = call->opts;

	return container_stop(call->engine, selector, opts->signal, opts->timeout_s, err);
}

static int stop_run(const struct command_call *call)
{
	const struct stop_opts *opts = call->opts;

	return each_selected_at_once(call, &opts->select, SELECT_RUNNING, stop_one,
				     /* ignore_missing= */ false);
}

static int restart_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct stop_opts *opts = call->opts;
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	int r;

	r = monitor_link_spawn(&link, err);
	if (r < 0)
		return r;
	return container_restart(call->engine, selector, opts->signal, opts->timeout_s, &link, err);
}

static int restart_run(const struct command_call *call)
{
	const struct stop_opts *opts = call->opts;

	return each_selected_at_once(call, &opts->select, SELECT_ANY, restart_one,
				     /* ignore_missing= */ false);
}

const struct command cmd_stop = {
	.name = "stop",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Stop one or more running containers",
	.description = "Sends the stop signal (of --signal, of the container or of its image, else "
		       "SIGTERM) "
		       "to the container's first process, waits, and then kills everything in the "
		       "container. Returns when nothing of it is left.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_RUNNING_CONTAINER,
	.options = stop_options,
	.opts_size = sizeof(struct stop_opts),
	.init = stop_init,
	.run = stop_run,
};

const struct command cmd_restart = {
	.name = "restart",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Restart one or more containers",
	.description = "Stops the container as stop does and starts it again.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.options = stop_options,
	.opts_size = sizeof(struct stop_opts),
	.init = stop_init,
	.run = restart_run,
};
