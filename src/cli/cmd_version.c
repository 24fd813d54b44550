/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/system.h"

static int version_run(const struct command_call *call)
{
	auto_(system_version_release) struct system_version version = {0};
	FILE *out = call->cli->out;

	system_version(&version);
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
	.usage = "",
	.summary = "Show the version information",
	.max_args = 0,
	.needs = NEEDS_NOTHING,
	.run = version_run,
};
