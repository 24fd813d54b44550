/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/object_format.h"
#include "engine/system.h"
#include "engine/system_json.h"

struct version_opts {
	const char *format;
};

static const struct option_spec version_options[] = {
	OPT_STRING(struct version_opts, format, 'f', "format", "string",
		   "Format the output: \"json\" or a Go TEMPLATE"),
	OPT_END,
};

static int print_formatted(const struct command_call *call, const struct system_version *version,
			   const char *format)
{
	auto_(json_decref) json_t *object = system_version_object(version);

	return object_format_print(call, format, object, &system_version_type);
}

static int version_run(const struct command_call *call)
{
	auto_(system_version_release) struct system_version version = {0};
	const struct version_opts *opts = call->opts;
	FILE *out = call->cli->out;

	system_version(&version);
	if (opts->format && *opts->format)
		return print_formatted(call, &version, opts->format);
	(void)fprintf(out, PROGRAM_NAME ":\n");
	(void)fprintf(out, " Version:           %s\n", version.version);
	(void)fprintf(out, " OS/Arch:           %s/%s\n", version.os, version.architecture);
	(void)fprintf(out, " Kernel:            %s\n", version.kernel_version);
	(void)fprintf(out, " OCI runtime spec:  %s\n", version.oci_runtime_spec);
	(void)fprintf(out, " OCI image spec:    %s\n", version.oci_image_spec);
	(void)fprintf(out, " Compiler:          %s\n", version.compiler);
	(void)fprintf(out, " SQLite:            %s\n", version.sqlite_version);
	(void)fprintf(out, " libseccomp:        %s\n", version.seccomp_version);
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.usage = "[OPTIONS]",
	.summary = "Show the version information",
	.max_args = 0,
	.needs = NEEDS_NOTHING,
	.options = version_options,
	.opts_size = sizeof(struct version_opts),
	.run = version_run,
};
