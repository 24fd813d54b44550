/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/prune_text.h"
#include "engine/engine.h"
#include "engine/image_prune.h"

struct image_prune_opts {
	struct strv filters;
	bool all, force;
};

static const struct option_spec image_prune_options[] = {
	OPT_FLAG(struct image_prune_opts, all, 'a', "all",
		 "Remove all unused images, not just dangling ones"),
	OPT_LIST(struct image_prune_opts, filters, 0, "filter", "filter",
		 "Provide filter values (e.g. \"until=<timestamp>\")"),
	OPT_FLAG(struct image_prune_opts, force, 'f', "force", "Do not prompt for confirmation"),
	OPT_END,
};

static int image_prune_run(const struct command_call *call)
{
	const struct image_prune_opts *opts = call->opts;
	const struct image_prune_request request = {.all = opts->all, .filters = &opts->filters};
	auto_(image_prune_result_release) struct image_prune_result result = {0};
	auto_(error_release) struct error err = {0};

	if (!opts->force &&
	    !confirm(call->cli,
		     opts->all ? "WARNING! This will remove all images without at least one "
				 "container associated to them."
			       : "WARNING! This will remove all dangling images."))
		return 0;
	if (image_prune(call->engine, &request, &result, &err) < 0)
		return cli_fail(call, &err);
	print_pruned(call->cli->out, "Deleted Images", &result.lines);
	print_reclaimed(call->cli->out, result.bytes);
	return 0;
}

const struct command cmd_image_prune = {
	.name = "image prune",
	.usage = "[OPTIONS]",
	.summary = "Remove unused images",
	.description =
		"Removes images without a name that no container was made of; with --all also "
		"those with names.\n\n"
		"Filters are until=TIME (made before), label=KEY[=VALUE], label!=KEY[=VALUE] and "
		"dangling=false, which is --all.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = image_prune_options,
	.opts_size = sizeof(struct image_prune_opts),
	.run = image_prune_run,
};
