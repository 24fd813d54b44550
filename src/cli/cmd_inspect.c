/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c - inspect, container inspect, image inspect */
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "engine/container.h"
#include "engine/container_size.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/inspect_types.h"
#include "engine/network.h"
#include "engine/volume.h"

#define FORMAT_HELP "Format the output: \"json\" in one line, or a Go TEMPLATE for each object"

struct inspect_opts {
	const char *format, *type, *platform;
	bool size;
};

/* In the order in which a name is looked up; more kinds are more rows. */
static const struct inspect_kind kinds[] = {
	{"container", container_inspect, &inspect_container_type, .add_size = container_add_size},
	{"image", image_inspect, &inspect_image_type, image_inspect_platform},
	{"network", network_inspect},
	{"volume", volumes_inspect},
	{0},
};

static const struct inspect_kind *find_kind(const char *name)
{
	for (const struct inspect_kind *kind = kinds; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

static char *kind_names(const char *quote, const char *separator)
{
	auto_(strbuf_release) struct strbuf names = {0};

	for (const struct inspect_kind *kind = kinds; kind->name; kind++)
		strbuf_addf(&names, "%s%s%s%s", names.len ? separator : "", quote, kind->name,
			    quote);
	return strbuf_take(&names);
}

static const struct option_spec inspect_options[] = {
	OPT_STRING(struct inspect_opts, format, 'f', "format", "string", FORMAT_HELP),
	OPT_FLAG(struct inspect_opts, size, 's', "size",
		 "Display total file sizes if the type is container"),
	OPT_STRING(struct inspect_opts, type, 0, "type", "string",
		   "Only inspect objects of the given type",
		   .choices = "container image network volume"),
	OPT_END,
};

static const struct option_spec container_inspect_options[] = {
	OPT_STRING(struct inspect_opts, format, 'f', "format", "string", FORMAT_HELP),
	OPT_FLAG(struct inspect_opts, size, 's', "size", "Display total file sizes"),
	OPT_END,
};

static const struct option_spec image_inspect_options[] = {
	OPT_STRING(struct inspect_opts, format, 'f', "format", "string", FORMAT_HELP),
	OPT_STRING(struct inspect_opts, platform, 0, "platform", "string",
		   "Inspect the image only if it is for this platform (os[/arch[/variant]])"),
	OPT_END,
};

static int inspect_one_kind(const struct command_call *call, const char *name)
{
	const struct inspect_opts *opts = call->opts;
	const struct inspect_options options = {
		.format = opts->format,
		.platform = opts->platform,
		.size = opts->size,
	};
	struct inspect_kind one[2] = {*find_kind(name), {0}};

	return inspect_print(call, one, &options);
}

static int inspect_run(const struct command_call *call)
{
	const struct inspect_opts *opts = call->opts;
	const struct inspect_options options = {.format = opts->format, .size = opts->size};
	auto_free char *names = NULL;

	if (!opts->type)
		return inspect_print(call, kinds, &options);
	if (find_kind(opts->type))
		return inspect_one_kind(call, opts->type);
	names = kind_names("\"", ", ");
	return cli_refuse(call, "unknown type: \"%s\": must be one of %s", opts->type, names);
}

static int container_inspect_run(const struct command_call *call)
{
	return inspect_one_kind(call, "container");
}

static int image_inspect_run(const struct command_call *call)
{
	return inspect_one_kind(call, "image");
}

const struct command cmd_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] NAME|ID [NAME|ID...]",
	.summary = "Return low-level information on containers and images",
	.description =
		"Prints a JSON array with the fields that docker has. A name that is both a "
		"container's and an image's means the container, unless --type says otherwise.",
	.examples = "The state of a container:\n"
		    "\tskiff inspect -f '{{.State.Status}} {{.State.ExitCode}}' web\n"
		    "One label of an image:\n"
		    "\tskiff inspect -f '{{index .Config.Labels \"maintainer\"}}' debian",
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
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Display detailed information on one or more containers",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.options = container_inspect_options,
	.opts_size = sizeof(struct inspect_opts),
	.run = container_inspect_run,
};

const struct command cmd_image_inspect = {
	.name = "image inspect",
	.usage = "[OPTIONS] IMAGE [IMAGE...]",
	.summary = "Display detailed information on one or more images",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.options = image_inspect_options,
	.opts_size = sizeof(struct inspect_opts),
	.run = image_inspect_run,
};
