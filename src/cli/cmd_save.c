/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "engine/image_save.h"

struct save_opts {
	const char *output, *platform;
};

static const struct option_spec save_options[] = {
	OPT_STRING(struct save_opts, output, 'o', "output", "string",
		   "Write to a file, instead of STDOUT", .complete = COMPLETE_FILE),
	OPT_STRING(struct save_opts, platform, 0, "platform", "string",
		   "Save only images for the given platform (\"os[/arch[/variant]]\")"),
	OPT_END,
};

static int save_run(const struct command_call *call)
{
	const struct save_opts *opts = call->opts;
	const struct save_request request = {
		.images = call->args,
		.path = opts->output,
		.fd = STDOUT_FILENO,
		.platform = opts->platform,
	};
	auto_(error_release) struct error err = {0};

	if (!opts->output && terminal_is(STDOUT_FILENO))
		return cli_refuse(call, "cowardly refusing to save to a terminal. Use the -o flag "
					"or redirect");
	if (image_save(call->engine, &request, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_save = {
	.name = "save",
	.usage = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Save one or more images to a tar archive (streamed to STDOUT by default)",
	.description =
		"The archive is an OCI image layout and a docker archive at once: docker, podman, "
		"skopeo and skiff itself load it. Configurations, manifests and layers are written "
		"as they came, so their digests stay what they are; a layer that several images "
		"have is written once.\n\n"
		"A name without a tag stands for all tags of that repository. A file named with "
		"-o appears when it is complete.",
	.examples = "To a file:\n\tskiff save -o web.tar web:1 web:2\n"
		    "To another machine:\n\tskiff save web:1 | ssh build docker load",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.options = save_options,
	.opts_size = sizeof(struct save_opts),
	.run = save_run,
};
