/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "engine/container.h"
#include "engine/engine.h"

#define SIZE_DIGITS 4

struct prune_opts {
	bool force;
};

static const struct option_spec prune_options[] = {
	OPT_FLAG(struct prune_opts, force, 'f', "force", "Do not prompt for confirmation"),
	OPT_END,
};

/* Anything but "y" is no; so is the end of the input. */
static bool confirmed(const struct cli *cli)
{
	char answer[8];

	(void)fputs("WARNING! This will remove all stopped containers.\n"
		    "Are you sure you want to continue? [y/N] ",
		    cli->out);
	(void)fflush(cli->out);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0;
}

static void print_result(FILE *out, const struct prune_result *result)
{
	auto_(strbuf_release) struct strbuf size = {0};

	if (result->ids.count > 0) {
		(void)fputs("Deleted Containers:\n", out);
		for (size_t i = 0; i < result->ids.count; i++)
			(void)fprintf(out, "%s\n", result->ids.items[i]);
		(void)fputc('\n', out);
	}
	human_size(result->bytes, SIZE_DIGITS, &size);
	(void)fprintf(out, "Total reclaimed space: %s\n", strbuf_text(&size));
}

static int prune_run(const struct command_call *call)
{
	const struct prune_opts *opts = call->opts;
	auto_(prune_result_release) struct prune_result result = {0};
	auto_(error_release) struct error err = {0};

	if (!opts->force && !confirmed(call->cli))
		return 0;
	if (container_prune(call->engine, &result, &err) < 0)
		return cli_fail(call, &err);
	print_result(call->cli->out, &result);
	return 0;
}

const struct command cmd_prune = {
	.name = "prune",
	.usage = "[OPTIONS]",
	.summary = "Remove all stopped containers",
	.description = "Also removes whatever an earlier crash left in the store, in the state "
		       "directory and among the cgroups.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = prune_options,
	.opts_size = sizeof(struct prune_opts),
	.run = prune_run,
};
