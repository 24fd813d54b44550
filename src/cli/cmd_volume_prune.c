/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/prune_text.h"
#include "engine/volume.h"

struct volume_prune_opts {
	struct strv filters;
	bool all, force;
};

static const struct option_spec volume_prune_options[] = {
	OPT_FLAG(struct volume_prune_opts, all, 'a', "all",
		 "Remove all unused volumes, not just anonymous ones"),
	OPT_LIST(struct volume_prune_opts, filters, 0, "filter", "filter",
		 "Provide filter values (e.g. \"label=<label>\")"),
	OPT_FLAG(struct volume_prune_opts, force, 'f', "force", "Do not prompt for confirmation"),
	OPT_END,
};

static int volume_prune_run(const struct command_call *call)
{
	const struct volume_prune_opts *opts = call->opts;
	auto_(volume_prune_result_release) struct volume_prune_result result = {0};
	auto_(error_release) struct error err = {0};

	if (!opts->force &&
	    !confirm(call->cli, opts->all
					? "WARNING! This will remove all local volumes not used by "
					  "at least one container."
					: "WARNING! This will remove anonymous local volumes not "
					  "used by at least one container."))
		return 0;
	if (volumes_prune(call->engine, opts->all, &opts->filters, &result, &err) < 0)
		return cli_fail(call, &err);
	print_pruned(call->cli->out, "Deleted Volumes", &result.names);
	print_reclaimed(call->cli->out, result.bytes);
	return 0;
}

const struct command cmd_volume_prune = {
	.name = "volume prune",
	.usage = "[OPTIONS]",
	.summary = "Remove unused local volumes",
	.description =
		"Removes anonymous volumes that no container refers to; with --all also those "
		"with names.\n\n"
		"Filters are label=KEY[=VALUE], label!=KEY[=VALUE] and all=BOOL.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = volume_prune_options,
	.opts_size = sizeof(struct volume_prune_opts),
	.run = volume_prune_run,
};
