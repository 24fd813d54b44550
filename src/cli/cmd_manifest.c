/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_manifest.c - manifest inspect, create, annotate, push and rm */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/manifest_list.h"

struct manifest_opts {
	bool amend, insecure, purge, verbose;
	const char *os, *architecture, *variant, *os_version;
	struct strv os_features;
};

static struct registry_options options_of(const struct manifest_opts *opts)
{
	return (struct registry_options){.skip_tls_verify = opts->insecure};
}

/* ---- inspect ---- */

static const struct option_spec inspect_options[] = {
	OPT_FLAG(struct manifest_opts, insecure, 0, "insecure",
		 "Allow communication with an insecure registry"),
	OPT_FLAG(struct manifest_opts, verbose, 'v', "verbose",
		 "Output additional info including layers and platform"),
	OPT_END,
};

static int inspect_run(const struct command_call *call)
{
	const struct manifest_opts *opts = call->opts;
	const struct strv *args = call->args;
	const struct manifest_inspect_request request = {
		.list = args->count > 1 ? args->items[0] : NULL,
		.name = args->items[args->count - 1],
		.verbose = opts->verbose,
		.registry = options_of(opts),
	};
	auto_(error_release) struct error err = {0};
	auto_free char *text = NULL;

	if (manifest_inspect(call->engine, &request, &text, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", text);
	return 0;
}

const struct command cmd_manifest_inspect = {
	.name = "manifest inspect",
	.usage = "[OPTIONS] [MANIFEST_LIST] MANIFEST",
	.summary = "Display an image manifest, or manifest list",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.options = inspect_options,
	.opts_size = sizeof(struct manifest_opts),
	.run = inspect_run,
};

/* ---- create ---- */

static const struct option_spec create_options[] = {
	OPT_FLAG(struct manifest_opts, amend, 'a', "amend", "Amend an existing manifest list"),
	OPT_FLAG(struct manifest_opts, insecure, 0, "insecure",
		 "Allow communication with an insecure registry"),
	OPT_END,
};

static int create_run(const struct command_call *call)
{
	const struct manifest_opts *opts = call->opts;
	const struct registry_options options = options_of(opts);
	auto_(strv_release) struct strv names = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *name = NULL;

	for (size_t i = 1; i < call->args->count; i++)
		strv_add(&names, call->args->items[i]);
	if (manifest_create(call->engine, call->args->items[0], &names, opts->amend, &options,
			    &name, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "Created manifest list %s\n", name);
	return 0;
}

const struct command cmd_manifest_create = {
	.name = "manifest create",
	.usage = "[OPTIONS] MANIFEST_LIST MANIFEST [MANIFEST...]",
	.summary = "Create a local manifest list for annotating and pushing to a registry",
	.min_args = 2,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.options = create_options,
	.opts_size = sizeof(struct manifest_opts),
	.run = create_run,
};

/* ---- annotate ---- */

static const struct option_spec annotate_options[] = {
	OPT_STRING(struct manifest_opts, architecture, 0, "arch", "string", "Set architecture"),
	OPT_STRING(struct manifest_opts, os, 0, "os", "string", "Set operating system"),
	OPT_LIST(struct manifest_opts, os_features, 0, "os-features", "strings",
		 "Set operating system feature"),
	OPT_STRING(struct manifest_opts, os_version, 0, "os-version", "string",
		   "Set operating system version"),
	OPT_STRING(struct manifest_opts, variant, 0, "variant", "string",
		   "Set architecture variant"),
	OPT_END,
};

static int annotate_run(const struct command_call *call)
{
	const struct manifest_opts *opts = call->opts;
	auto_(strv_release) struct strv features = {0};
	const struct manifest_annotation annotation = {
		.os = opts->os,
		.architecture = opts->architecture,
		.variant = opts->variant,
		.os_version = opts->os_version,
		.os_features = &features,
	};
	auto_(error_release) struct error err = {0};

	/* Several may stand in one option, with commas between. */
	for (size_t i = 0; i < opts->os_features.count; i++)
		strv_split(&features, opts->os_features.items[i], ',');
	if (manifest_annotate(call->engine, call->args->items[0], call->args->items[1], &annotation,
			      &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_manifest_annotate = {
	.name = "manifest annotate",
	.usage = "[OPTIONS] MANIFEST_LIST MANIFEST",
	.summary = "Add additional information to a local image manifest",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.options = annotate_options,
	.opts_size = sizeof(struct manifest_opts),
	.run = annotate_run,
};

/* ---- push ---- */

static const struct option_spec push_options[] = {
	OPT_FLAG(struct manifest_opts, insecure, 0, "insecure",
		 "Allow push to an insecure registry"),
	OPT_FLAG(struct manifest_opts, purge, 'p', "purge",
		 "Remove the local manifest list after push"),
	OPT_END,
};

static int push_run(const struct command_call *call)
{
	const struct manifest_opts *opts = call->opts;
	const struct registry_options options = options_of(opts);
	auto_(error_release) struct error err = {0};
	auto_free char *digest = NULL;

	if (manifest_push(call->engine, call->args->items[0], opts->purge, &options, &digest,
			  &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", digest);
	return 0;
}

const struct command cmd_manifest_push = {
	.name = "manifest push",
	.usage = "[OPTIONS] MANIFEST_LIST",
	.summary = "Push a manifest list to a repository",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.options = push_options,
	.opts_size = sizeof(struct manifest_opts),
	.run = push_run,
};

/* ---- rm ---- */

static int rm_run(const struct command_call *call)
{
	int status = 0;

	for (size_t i = 0; i < call->args->count; i++) {
		auto_(error_release) struct error err = {0};

		if (manifest_remove(call->engine, call->args->items[i], &err) < 0)
			status = cli_fail(call, &err);
	}
	return status;
}

const struct command cmd_manifest_rm = {
	.name = "manifest rm",
	.usage = "MANIFEST_LIST [MANIFEST_LIST...]",
	.summary = "Delete one or more manifest lists from local storage",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.run = rm_run,
};
