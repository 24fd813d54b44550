/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "engine/container_files.h"

struct export_opts {
	const char *output;
};

static const struct option_spec export_options[] = {
	OPT_STRING(struct export_opts, output, 'o', "output", "string",
		   "Write to a file, instead of STDOUT", .complete = COMPLETE_FILE),
	OPT_END,
};

static int export_run(const struct command_call *call)
{
	const struct export_opts *opts = call->opts;
	const struct export_request request = {.path = opts->output, .fd = STDOUT_FILENO};
	auto_(error_release) struct error err = {0};

	if (!opts->output && terminal_is(STDOUT_FILENO))
		return cli_refuse(call, "cowardly refusing to save to a terminal. Use the -o flag "
					"or redirect");
	if (container_export(call->engine, call->args->items[0], &request, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_export = {
	.name = "export",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Export a container's filesystem as a tar archive",
	.description =
		"What the archive holds is the root filesystem as the container has it now, "
		"running "
		"or not, without volumes and other mounts: their mount points are empty. Files are "
		"in the order of their names, so the same files make the same archive.\n\n"
		"A file named with -o appears when it is complete.",
	.examples = "To a file:\n\tskiff export -o web.tar web\n"
		    "Look what is in it:\n\tskiff export web | tar -t",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.options = export_options,
	.opts_size = sizeof(struct export_opts),
	.run = export_run,
};
