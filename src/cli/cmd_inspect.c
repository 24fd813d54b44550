/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c - inspect, container inspect, image inspect */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/image.h"

#define INDENT 4
#define TYPE_CONTAINER "container"
#define TYPE_IMAGE "image"

struct inspect_opts {
	const char *type;
};

static int check_type(const char *value, struct error *err)
{
	if (strcmp(value, TYPE_CONTAINER) == 0 || strcmp(value, TYPE_IMAGE) == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0, "must be " TYPE_CONTAINER " or " TYPE_IMAGE);
}

static const struct option_spec inspect_options[] = {
	OPT_STRING(struct inspect_opts, type, 0, "type", "string",
		   "Only inspect objects of the given type (container|image)",
		   .choices = TYPE_CONTAINER " " TYPE_IMAGE, .check = check_type),
	OPT_END,
};

/* `type` NULL: a container, else an image of that name. */
static int inspect_one(struct engine *engine, const char *type, const char *selector,
		       json_t **ret_object, struct error *err)
{
	int r;

	if (type && strcmp(type, TYPE_IMAGE) == 0)
		return image_inspect(engine, selector, ret_object, err);
	r = container_inspect(engine, selector, ret_object, err);
	if (r >= 0 || type || err->kind != ERR_NOT_FOUND)
		return r;
	r = image_inspect(engine, selector, ret_object, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, 0, "No such object: %s", selector);
	return r;
}

/* What was found is printed also when something else was not. */
static int inspect_all(const struct command_call *call, const char *type)
{
	auto_(json_decref) json_t *objects = json_array();
	auto_(strv_release) struct strv failures = {0};
	auto_free char *text = NULL;
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		auto_(error_release) struct error err = {0};
		json_t *object = NULL;

		if (inspect_one(call->engine, type, call->args->items[i], &object, &err) < 0) {
			strv_add(&failures, err_message(&err));
			status = STATUS_FAILURE;
			continue;
		}
		(void)json_array_append_new(objects, object);
	}
	text = json_text_pretty(objects, INDENT);
	(void)fprintf(call->cli->out, "%s\n", text);
	for (size_t i = 0; i < failures.count; i++)
		(void)cli_refuse(call, "%s", failures.items[i]);
	return status;
}

static int inspect_run(const struct command_call *call)
{
	const struct inspect_opts *opts = call->opts;

	return inspect_all(call, opts->type);
}

static int container_inspect_run(const struct command_call *call)
{
	return inspect_all(call, TYPE_CONTAINER);
}

static int image_inspect_run(const struct command_call *call)
{
	return inspect_all(call, TYPE_IMAGE);
}

const struct command cmd_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] NAME|ID [NAME|ID...]",
	.summary = "Return low-level information on containers and images",
	.description =
		"Prints a JSON array with the fields that docker has. A name that is both a "
		"container's and an image's means the container, unless --type says otherwise.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_OBJECT,
	.rest_args = COMPLETE_OBJECT,
	.options = inspect_options,
	.opts_size = sizeof(struct inspect_opts),
	.run = inspect_run,
};

const struct command cmd_container_inspect = {
	.name = "container inspect",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Display detailed information on one or more containers",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.run = container_inspect_run,
};

const struct command cmd_image_inspect = {
	.name = "image inspect",
	.usage = "IMAGE [IMAGE...]",
	.summary = "Display detailed information on one or more images",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.run = image_inspect_run,
};
