/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/registry_options.h"
#include "cli/transfer_view.h"
#include "engine/image_copy.h"

struct copy_opts {
	struct registry_opts registry; /* of both */
	const char *source_creds, *target_creds;
	const char *platform, *digest_file;
	bool all, preserve_digests, quiet;
};

static const struct option_spec copy_options[] = {
	OPT_FLAG(struct copy_opts, all, 'a', "all",
		 "Copy an index with all its images, and what refers to them"),
	OPT_STRING(struct copy_opts, registry.authfile, 0, "authfile", "string",
		   "File with the credentials", .complete = COMPLETE_FILE),
	OPT_STRING(struct copy_opts, registry.cert_dir, 0, "cert-dir", "string",
		   "Directory with the registries' authorities and our certificate",
		   .complete = COMPLETE_DIRECTORY),
	OPT_STRING(struct copy_opts, target_creds, 0, "dest-creds", "string",
		   "Credentials for the target's registry (user:password)"),
	OPT_STRING(struct copy_opts, digest_file, 0, "digestfile", "string",
		   "Write the digest of what was copied to this file", .complete = COMPLETE_FILE),
	OPT_STRING(struct copy_opts, platform, 0, "platform", "string",
		   "Which image of an index (os/arch[/variant])"),
	OPT_FLAG(struct copy_opts, preserve_digests, 0, "preserve-digests",
		 "Fail rather than change a digest (none is ever changed)"),
	OPT_FLAG(struct copy_opts, quiet, 'q', "quiet", "Print the digest only"),
	OPT_STRING(struct copy_opts, source_creds, 0, "src-creds", "string",
		   "Credentials for the source's registry (user:password)"),
	OPT_FLAG(struct copy_opts, registry.tls_verify, 0, "tls-verify",
		 "Require HTTPS and check the registries' certificates", .default_text = "true"),
	OPT_END,
};

static void copy_init(void *opts)
{
	struct copy_opts *o = opts;

	registry_opts_init(&o->registry);
}

static int write_digest(const struct command_call *call, const char *path, const char *digest)
{
	auto_fclose FILE *file = fopen(path, "we");

	if (!file || fputs(digest, file) < 0 || fflush(file) != 0)
		return cli_refuse(call, "write '%s': %s", path, errno_text(errno));
	return 0;
}

static int copy_run(const struct command_call *call)
{
	const struct copy_opts *opts = call->opts;
	/* The digest alone is the output. */
	auto_(transfer_view_release) struct transfer_view view = TRANSFER_VIEW(call->cli->err);
	auto_(image_copy_result_release) struct image_copy_result result = {0};
	auto_(error_release) struct error err = {0};
	struct image_copy_request request = {
		.source = call->args->items[0],
		.target = call->args->items[1],
		.platform = opts->platform,
		.all = opts->all,
		.source_registry = registry_opts_request(&opts->registry),
		.target_registry = registry_opts_request(&opts->registry),
		.progress = opts->quiet ? NULL : transfer_view_progress(&view),
	};

	request.source_registry.creds = opts->source_creds;
	request.target_registry.creds = opts->target_creds;
	if (image_copy(call->engine, &request, &result, &err) < 0)
		return cli_fail(call, &err);
	if (result.digest)
		(void)fprintf(call->cli->out, "%s\n", result.digest);
	if (opts->digest_file && result.digest)
		return write_digest(call, opts->digest_file, result.digest);
	return 0;
}

const struct command cmd_copy = {
	.name = "copy",
	.usage = "[OPTIONS] SOURCE TARGET",
	.summary = "Copy an image between registries, directories, archives and the store",
	.description =
		"Places are docker://NAME (a registry), oci:DIRECTORY[:NAME], dir:DIRECTORY, "
		"oci-archive:FILE[:NAME], docker-archive:FILE[:NAME[:TAG]], or the NAME of an "
		"image in the store.\n\n"
		"Manifests and layers are copied as they are, so every digest stays what it is. Of "
		"an index the image for this machine is copied, with --all everything. Artifacts "
		"are "
		"copied as images are.",
	.examples = "From one registry to another\n"
		    "\tskiff copy --all docker://a.example/app:1 docker://b.example/app:1\n"
		    "Into a directory\n"
		    "\tskiff copy docker://alpine oci:/srv/images:alpine\n",
	.min_args = 2,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_IMAGE,
	.options = copy_options,
	.opts_size = sizeof(struct copy_opts),
	.init = copy_init,
	.run = copy_run,
};
