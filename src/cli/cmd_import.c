/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "engine/image_import.h"

struct import_opts {
	struct strv changes;
	const char *message, *platform;
};

static const struct option_spec import_options[] = {
	OPT_LIST(struct import_opts, changes, 'c', "change", "list",
		 "Apply Dockerfile instruction to the created image"),
	OPT_STRING(struct import_opts, message, 'm', "message", "string",
		   "Set commit message for imported image"),
	OPT_STRING(struct import_opts, platform, 0, "platform", "string",
		   "Set platform if the archive is for another one"),
	OPT_END,
};

static bool is_url(const char *source)
{
	return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

static int import_run(const struct command_call *call)
{
	const struct import_opts *opts = call->opts;
	const char *source = call->args->items[0];
	bool standard = strcmp(source, "-") == 0;
	const struct import_request request = {
		.path = standard ? NULL : source,
		.fd = STDIN_FILENO,
		.name = call->args->count > 1 ? call->args->items[1] : NULL,
		.changes = &opts->changes,
		.message = opts->message,
		.platform = opts->platform,
	};
	auto_(error_release) struct error err = {0};
	auto_free char *id = NULL;

	if (is_url(source))
		return cli_refuse(call,
				  "'%s': only files and '-' can be imported; download it first",
				  source);
	if (standard && terminal_is(STDIN_FILENO))
		return cli_refuse(call, "requested import from stdin, but stdin is a terminal");
	if (image_import(call->engine, &request, &id, &err) < 0)
		return cli_fail(call, &err);
	(void)fprintf(call->cli->out, "%s\n", id);
	return 0;
}

const struct command cmd_import = {
	.name = "import",
	.usage = "[OPTIONS] file|- [REPOSITORY[:TAG]]",
	.summary = "Import the contents from a tarball to create a filesystem image",
	.description =
		"The archive of a root filesystem, plain or compressed with gzip, zstd, xz or "
		"bzip2, "
		"becomes an image of one layer.\n\n"
		"--change takes CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, "
		"STOPSIGNAL, USER, VOLUME and WORKDIR as a Dockerfile has them.",
	.examples = "A file:\n\tskiff import -c 'CMD [\"sh\"]' rootfs.tar mine:1\n"
		    "What a container became:\n\tskiff export box | skiff import - box:flat",
	.min_args = 1,
	.max_args = 2,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_FILE,
	.rest_args = COMPLETE_IMAGE,
	.options = import_options,
	.opts_size = sizeof(struct import_opts),
	.run = import_run,
};
