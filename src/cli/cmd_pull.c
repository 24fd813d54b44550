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

struct pull_opts {
	struct registry_opts registry;
	const char *platform;
	bool all_tags, quiet, foreign_layers;
};

static const struct option_spec pull_options[] = {
	OPT_FLAG(struct pull_opts, all_tags, 'a', "all-tags",
		 "Download all tags of the repository"),
	OPT_FLAG(struct pull_opts, foreign_layers, 0, "foreign-layers",
		 "Also fetch layers from where the manifest says that they lie"),
	OPT_STRING(struct pull_opts, platform, 0, "platform", "string",
		   "Platform of the image, if there are several (os/arch[/variant])"),
	OPT_FLAG(struct pull_opts, quiet, 'q', "quiet", "Suppress the progress display"),
	OPT_INCLUDE(struct pull_opts, registry, registry_options),
	OPT_END,
};

static void pull_init(void *opts)
{
	struct pull_opts *o = opts;

	registry_opts_init(&o->registry);
}

static int pull_one(const struct command_call *call, const char *name)
{
	const struct pull_opts *opts = call->opts;
	auto_(transfer_view_release) struct transfer_view view = TRANSFER_VIEW(call->cli->out);
	const struct pull_request request = {
		.name = name,
		.platform = opts->platform,
		.foreign_layers = opts->foreign_layers,
		.registry = registry_opts_request(&opts->registry),
		.progress = opts->quiet ? NULL : transfer_view_progress(&view),
	};
	auto_(pull_result_release) struct pull_result result = {0};
	auto_(error_release) struct error err = {0};

	if (image_pull(call->engine, &request, &result, &err) < 0)
		return cli_fail(call, &err);
	if (result.alien)
		(void)fprintf(
			call->cli->err,
			"WARNING: image '%s' is for %s, which is not this machine's platform\n",
			name, result.alien);
	if (!opts->quiet) {
		auto_free char *familiar = image_familiar_name(result.name);

		(void)fprintf(call->cli->out, "Digest: %s\nStatus: %s %s\n", result.digest,
			      result.was_there ? "Image is up to date for"
					       : "Downloaded newer image for",
			      familiar);
	}
	(void)fprintf(call->cli->out, "%s\n", result.name);
	return 0;
}

/* What has a name in the archive or directory keeps it. */
static int pull_from_file(const struct command_call *call, const char *place)
{
	const struct pull_opts *opts = call->opts;
	auto_(transfer_view_release) struct transfer_view view = TRANSFER_VIEW(call->cli->out);
	const struct image_want want = {
		.name = place,
		.platform = opts->platform,
		.progress = opts->quiet ? NULL : transfer_view_progress(&view),
	};
	auto_(load_result_release) struct load_result result = {0};
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv ids = {0};

	if (image_load_place(call->engine, &want, &ids, &result, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n",
		      result.names.count ? result.names.items[0] : ids.items[0]);
	return 0;
}

static int pull_all(const struct command_call *call, const char *repository)
{
	const struct pull_opts *opts = call->opts;
	const struct registry_options options = registry_opts_request(&opts->registry);
	auto_(strv_release) struct strv tags = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *whole = NULL;

	if (registry_tags(&options, repository, &tags, &whole, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < tags.count; i++) {
		auto_free char *name = xasprintf("%s:%s", whole, tags.items[i]);
		int status = pull_one(call, name);

		if (status != 0)
			return status;
	}
	return 0;
}

static int pull_run(const struct command_call *call)
{
	const struct pull_opts *opts = call->opts;
	const char *name = call->args->items[0];
	const char *last = strrchr(name, '/');

	if (image_copy_is_file_place(name))
		return opts->all_tags ? cli_refuse(call, "--all-tags/-a is for registries")
				      : pull_from_file(call, name);
	if (!opts->all_tags)
		return pull_one(call, name);
	if (strpbrk(last ? last : name, ":@"))
		return cli_refuse(call, "tag can't be used with --all-tags/-a");
	return pull_all(call, name);
}

const struct command cmd_pull = {
	.name = "pull",
	.usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
	.summary = "Download an image from a registry",
	.description =
		"NAME may also be a place on this machine: oci:DIRECTORY[:NAME], dir:DIRECTORY, "
		"oci-archive:FILE[:NAME] or docker-archive:FILE[:NAME[:TAG]].",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.options = pull_options,
	.opts_size = sizeof(struct pull_opts),
	.init = pull_init,
	.run = pull_run,
};
