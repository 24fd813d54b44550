/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_volume_update.c - what docker has for volumes of a swarm; here there are none, and it says so */
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/volume.h"

static int volume_update_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};

	(void)volumes_update(call->engine, call->args->items[0], &err);
	return cli_fail(call, &err);
}

const struct command cmd_volume_update = {
	.name = "volume update",
	.usage = "VOLUME",
	.summary = "Update a volume (cluster volumes only)",
	.description = "Only volumes of a swarm can be updated, and there is no swarm: it always "
		       "fails, as "
		       "docker's does outside of one.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_NOTHING,
	.run = volume_update_run,
};
