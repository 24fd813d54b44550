/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_exists.c - whether something of that name is there: podman's, for scripts */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/network.h"
#include "engine/secret.h"
#include "engine/volume.h"

/* 1 is an answer here, so that a failure needs another number. */
#define STATUS_ABSENT 1
#define STATUS_NO_ANSWER 125

typedef int inspect_fn(struct engine *engine, const char *name, json_t **ret_object,
		       struct error *err);

static int answer(const struct command_call *call, int r, const struct error *err)
{
	if (r >= 0)
		return 0;
	if (err->kind == ERR_NOT_FOUND)
		return STATUS_ABSENT;
	(void)cli_fail(call, err);
	return STATUS_NO_ANSWER;
}

static int inspected(const struct command_call *call, inspect_fn *inspect)
{
	auto_(json_decref) json_t *object = NULL;
	auto_(error_release) struct error err = {0};
	int r = inspect(call->engine, call->args->items[0], &object, &err);

	return answer(call, r, &err);
}

static int container_exists_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};
	char id[65];
	int r = container_resolve(call->engine, call->args->items[0], id, &err);

	return answer(call, r, &err);
}

static int image_exists_run(const struct command_call *call)
{
	return inspected(call, image_inspect);
}

static int network_exists_run(const struct command_call *call)
{
	return inspected(call, network_inspect);
}

static int secret_exists_run(const struct command_call *call)
{
	auto_(secret_summary_release) struct secret_summary secret = {0};
	auto_(error_release) struct error err = {0};
	int r = secret_get(call->engine, call->args->items[0], &secret, &err);

	return answer(call, r, &err);
}

static int volume_exists_run(const struct command_call *call)
{
	return inspected(call, volumes_inspect);
}

#define EXISTS_COMMAND(what, argument, completion)                                                 \
	const struct command cmd_##what##_exists = {                                               \
		.name = #what " exists",                                                           \
		.usage = (argument),                                                               \
		.summary = "Tell by the exit status whether a " #what " exists",                   \
		.description = "The exit status is 0 when it does, 1 when it does not, and 125 "   \
			       "when that could not be found out. Nothing is printed but "         \
			       "failures.",                                                        \
		.min_args = 1,                                                                     \
		.max_args = 1,                                                                     \
		.needs = NEEDS_ENGINE,                                                             \
		.args = (completion),                                                              \
		.rest_args = COMPLETE_NOTHING,                                                     \
		.run = what##_exists_run,                                                          \
	}

EXISTS_COMMAND(container, "CONTAINER", COMPLETE_CONTAINER);
EXISTS_COMMAND(image, "IMAGE", COMPLETE_IMAGE);
EXISTS_COMMAND(network, "NETWORK", COMPLETE_NOTHING);
EXISTS_COMMAND(secret, "SECRET", COMPLETE_NOTHING);
EXISTS_COMMAND(volume, "VOLUME", COMPLETE_NOTHING);
