/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_complete.c - names for the shell completions
 *
 *	skiff __complete containers|running|stopped|images|objects
 *
 * prints one name per line. Without privileges, or when anything fails, there is nothing to offer
 * and nothing to say: it is run while somebody types.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/image.h"

static bool runs(enum container_status status)
{
	return status == CONTAINER_RUNNING || status == CONTAINER_PAUSED ||
	       status == CONTAINER_RESTARTING || status == CONTAINER_ORPHANED;
}

static void print_containers(struct engine *engine, bool running, bool stopped, FILE *out)
{
	const struct list_request request = {.all = true, .last = -1};
	auto_(container_list_release) struct container_list list = {0};
	auto_(error_release) struct error err = {0};

	if (container_list(engine, &request, &list, &err) < 0)
		return;
	for (size_t i = 0; i < list.count; i++)
		if (runs(list.items[i].status) ? running : stopped)
			(void)fprintf(out, "%s\n", list.items[i].name);
}

static void print_images(struct engine *engine, FILE *out)
{
	auto_(image_records_release) struct image_records records = {0};
	auto_(error_release) struct error err = {0};

	if (image_list(engine, &records, &err) < 0)
		return;
	for (size_t i = 0; i < records.count; i++) {
		for (size_t n = 0; n < records.items[i].names.count; n++) {
			auto_free char *name = image_familiar_name(records.items[i].names.items[n]);

			(void)fprintf(out, "%s\n", name);
		}
	}
}

static int complete_run(const struct command_call *call)
{
	const struct engine_paths paths = {.root = call->cli->root, .state = call->cli->state};
	const char *what = call->args->items[0];
	bool objects = strcmp(what, "objects") == 0;
	bool all = objects || strcmp(what, "containers") == 0;
	auto_(engine_close) struct engine *engine = NULL;
	auto_(error_release) struct error err = {0};

	if (engine_open(&paths, &engine, &err) < 0)
		return STATUS_FAILURE;
	if (all || strcmp(what, "running") == 0 || strcmp(what, "stopped") == 0)
		print_containers(engine, all || strcmp(what, "running") == 0,
				 all || strcmp(what, "stopped") == 0, call->cli->out);
	if (objects || strcmp(what, "images") == 0)
		print_images(engine, call->cli->out);
	return 0;
}

const struct command cmd_complete = {
	.name = "__complete",
	.usage = "containers|running|stopped|images|objects",
	.summary = "Print names for shell completion",
	.min_args = 1,
	.max_args = 1,
	.hidden = true,
	.needs = NEEDS_NOTHING,
	.run = complete_run,
};
