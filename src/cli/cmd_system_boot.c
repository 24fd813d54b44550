/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_system_boot.c - system start and system stop: the boot and the shutdown of the machine */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/each_argument.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/system_boot.h"

#define OWN_TIMEOUT (-1) /* what the container was made with */

struct report {
	const struct command_call *call;
	int status;
};

static void report_start(const char *name, const struct error *err, void *context)
{
	struct report *report = context;

	if (err->kind == ERR_NONE) {
		(void)fprintf(report->call->cli->out, "%s\n", name);
		return;
	}
	(void)fprintf(report->call->cli->err, "%s: ", name);
	report->status = cli_fail(report->call, err);
}

static int start_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};
	struct report report = {.call = call};

	if (system_boot(call->engine, report_start, &report, &err) < 0)
		return cli_fail(call, &err);
	return report.status;
}

struct stop_opts {
	int64_t timeout_s;
};

static const struct option_spec stop_options[] = {
	OPT_INT(struct stop_opts, timeout_s, 't', "timeout",
		"Seconds to wait before killing a container"),
	OPT_END,
};

static void stop_init(void *opts)
{
	struct stop_opts *o = opts;

	o->timeout_s = OWN_TIMEOUT;
}

static int shut_down_one(const struct command_call *call, const char *id, struct error *err)
{
	const struct stop_opts *opts = call->opts;

	return container_shut_down(call->engine, id, opts->timeout_s, err);
}

static int stop_run(const struct command_call *call)
{
	const struct list_request request = {.last = -1};
	auto_(container_list_release) struct container_list list = {0};
	auto_(strv_release) struct strv names = {0};
	auto_(error_release) struct error err = {0};
	struct command_call all = *call;

	if (container_list(call->engine, &request, &list, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < list.count; i++)
		strv_add(&names, list.items[i].name);
	all.args = &names;
	return each_argument_at_once(&all, shut_down_one, /* ignore_missing= */ true);
}

const struct command cmd_system_start = {
	.name = "system start",
	.usage = "",
	.summary = "Start the containers that come back after a boot",
	.description =
		"Starts every container with a restart policy that is to run: always, "
		"unless-stopped unless it was stopped by hand, on-failure when it had failed or "
		"was running when the machine went down. A container that was never started "
		"stays as it is. Meant for the boot of the machine; running it twice does no "
		"harm.",
	.needs = NEEDS_ENGINE,
	.run = start_run,
};

const struct command cmd_system_stop = {
	.name = "system stop",
	.usage = "[OPTIONS]",
	.summary = "Stop all containers for a shutdown",
	.description =
		"Stops every running container, all at the same time. Unlike stop, this does "
		"not count as a stop by hand: system start brings them back.",
	.needs = NEEDS_ENGINE,
	.options = stop_options,
	.opts_size = sizeof(struct stop_opts),
	.init = stop_init,
	.run = stop_run,
};
