/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/image.h"

static int tag_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};

	if (image_tag(call->engine, call->args->items[0], call->args->items[1], &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_tag = {
	.name = "tag",
	.usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
	.summary = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.run = tag_run,
};
