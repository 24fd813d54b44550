/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/prune_text.h"
#include "engine/container.h"
#include "engine/engine.h"

struct prune_opts {
	struct strv filters;
	bool force;
};

static const struct option_spec prune_options[] = {
	OPT_LIST(struct prune_opts, filters, 0, "filter", "filter",
		 "Provide filter values (e.g. \"until=<timestamp>\")"),
	OPT_FLAG(struct prune_opts, force, 'f', "force", "Do not prompt for confirmation"),
	OPT_END,
};

static int prune_run(const struct command_call *call)
{
	const struct prune_opts *opts = call->opts;
	auto_(prune_result_release) struct prune_result result = {0};
	auto_(error_release) struct error err = {0};

	if (!opts->force &&
	    !confirm(call->cli, "WARNING! This will remove all stopped containers."))
		return 0;
	if (container_prune(call->engine, &opts->filters, &result, &err) < 0)
		return cli_fail(call, &err);
	print_pruned(call->cli->out, "Deleted Containers", &result.ids);
	print_reclaimed(call->cli->out, result.bytes);
	return 0;
}

const struct command cmd_prune = {
	.name = "prune",
	.usage = "[OPTIONS]",
	.summary = "Remove all stopped containers",
	.description =
		"Also removes whatever an earlier crash left in the store, in the state directory "
		"and among the cgroups.\n\n"
		"Filters are until=TIME (made before), label=KEY[=VALUE] and label!=KEY[=VALUE].",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = prune_options,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};
