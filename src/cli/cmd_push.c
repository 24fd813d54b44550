/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/registry_options.h"
#include "cli/transfer_view.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/image_copy.h"
#include "engine/registry.h"

struct push_opts {
	struct registry_opts registry;
	const char *platform;
	bool all_tags, quiet;
};

static const struct option_spec push_options[] = {
	OPT_FLAG(struct push_opts, all_tags, 'a', "all-tags",
		 "Push all tags of the repository that are here"),
	OPT_STRING(struct push_opts, platform, 0, "platform", "string",
		   "Push the image only if it is for this platform (os[/arch[/variant]])"),
	OPT_FLAG(struct push_opts, quiet, 'q', "quiet", "Suppress the progress display"),
	OPT_INCLUDE(struct push_opts, registry, registry_options),
	OPT_END,
};

static void push_init(void *opts)
{
	struct push_opts *o = opts;

	registry_opts_init(&o->registry);
}

static int push_one(const struct command_call *call, const char *image, const char *name)
{
	const struct push_opts *opts = call->opts;
	auto_(transfer_view_release) struct transfer_view view = TRANSFER_VIEW(call->cli->out);
	const struct push_request request = {
		.name = name,
		.image = image,
		.platform = opts->platform,
		.registry = registry_opts_request(&opts->registry),
		.progress = opts->quiet ? NULL : transfer_view_progress(&view),
	};
	auto_(push_result_release) struct push_result result = {0};
	auto_(error_release) struct error err = {0};
	const char *tag = strrchr(name, ':');

	if (image_push(call->engine, &request, &result, &err) < 0)
		return cli_fail(call, &err);
	if (opts->quiet)
		(void)fprintf(call->cli->out, "%s\n", name);
	else
		(void)fprintf(call->cli->out, "%s: digest: %s size: %llu\n",
			      tag && !strchr(tag, '/') ? tag + 1 : "latest", result.digest,
			      (unsigned long long)result.size_bytes);
	return 0;
}

/* Into a directory or an archive. */
static int push_to_file(const struct command_call *call, const char *image, const char *place)
{
	const struct push_opts *opts = call->opts;
	auto_(transfer_view_release) struct transfer_view view = TRANSFER_VIEW(call->cli->out);
	auto_(image_copy_result_release) struct image_copy_result result = {0};
	auto_(error_release) struct error err = {0};
	const struct image_copy_request request = {
		.source = image,
		.target = place,
		.platform = opts->platform,
		.progress = opts->quiet ? NULL : transfer_view_progress(&view),
	};

	if (image_copy(call->engine, &request, &result, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", place);
	return 0;
}

/* Every tag that this repository has in the store. */
static int push_all(const struct command_call *call, const char *repository)
{
	auto_(strv_release) struct strv names = {0};
	auto_(error_release) struct error err = {0};

	if (image_names_of_repository(call->engine, repository, &names, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < names.count; i++) {
		int status = push_one(call, NULL, names.items[i]);

		if (status != 0)
			return status;
	}
	return 0;
}

/* "docker://host/name" is "host/name". */
static const char *bare_name(const char *name)
{
	static const char transport[] = "docker://";

	return strncmp(name, transport, strlen(transport)) == 0 ? name + strlen(transport) : name;
}

static int push_run(const struct command_call *call)
{
	const struct push_opts *opts = call->opts;
	const struct strv *args = call->args;
	const char *target = bare_name(args->items[args->count - 1]);

	if (image_copy_is_file_place(target)) {
		if (opts->all_tags)
			return cli_refuse(call, "--all-tags/-a is for registries");
		if (args->count < 2)
			return cli_refuse(call, "which image is to be pushed to '%s'?", target);
		return push_to_file(call, args->items[0], target);
	}
	if (opts->all_tags && args->count > 1)
		return cli_refuse(call, "--all-tags/-a takes a repository and no destination");
	if (opts->all_tags)
		return push_all(call, target);
	return push_one(call, args->count > 1 ? args->items[0] : NULL, target);
}

const struct command cmd_push = {
	.name = "push",
	.usage = "[OPTIONS] NAME[:TAG] | IMAGE DESTINATION",
	.summary = "Upload an image to a registry",
	.description =
		"What was pulled is pushed byte for byte: the digests stay the same. Layers that "
		"the "
		"registry has are not sent, those of its other repositories are mounted from "
		"there.\n\n"
		"With two arguments the image need not have the name under which it is pushed. The "
		"destination may also be oci:DIRECTORY[:NAME], dir:DIRECTORY, "
		"oci-archive:FILE[:NAME] or docker-archive:FILE[:NAME[:TAG]].",
	.examples = "To a registry of one's own:\n"
		    "\tskiff tag web:1 registry.example.com/web:1\n"
		    "\tskiff push registry.example.com/web:1",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_NOTHING,
	.options = push_options,
	.opts_size = sizeof(struct push_opts),
	.init = push_init,
	.run = push_run,
};
