/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/object_format.h"
#include "engine/engine.h"
#include "engine/system.h"
#include "engine/system_json.h"

static void print_list(FILE *out, const char *title, const struct strv *list)
{
	auto_free char *joined = strv_join(list, " ");

	(void)fprintf(out, "%s: %s\n", title, list->count > 0 ? joined : "none");
}

static void print_store(FILE *out, const struct system_info *info)
{
	(void)fprintf(out, "Containers: %" PRIu64 "\n", info->containers);
	(void)fprintf(out, " Running: %" PRIu64 "\n", info->running);
	(void)fprintf(out, " Paused: %" PRIu64 "\n", info->paused);
	(void)fprintf(out, " Stopped: %" PRIu64 "\n", info->stopped);
	(void)fprintf(out, "Images: %" PRIu64 "\n", info->images);
	(void)fprintf(out, "Server Version: %s\n", info->version);
	(void)fprintf(out, "Storage Driver: %s\n", info->storage_driver);
	(void)fprintf(out, " Backing Filesystem: %s\n", info->root_filesystem);
	print_list(out, "Logging Drivers", &info->log_drivers);
}

static void print_security(FILE *out, const struct system_info *info)
{
	(void)fprintf(out, "Security Options:\n");
	for (size_t i = 0; i < info->security_options.count; i++)
		(void)fprintf(out, " %s\n", info->security_options.items[i]);
}

static void print_machine(FILE *out, const struct system_info *info)
{
	auto_(strbuf_release) struct strbuf memory = {0};

	human_binary_size(info->memory_bytes, &memory);
	(void)fprintf(out, "Kernel Version: %s\n", info->kernel_version);
	(void)fprintf(out, "Operating System: %s\n", info->operating_system);
	(void)fprintf(out, "OSType: linux\n");
	(void)fprintf(out, "Architecture: %s\n", info->architecture);
	(void)fprintf(out, "CPUs: %" PRIu32 "\n", info->cpus);
	(void)fprintf(out, "Total Memory: %s\n", strbuf_text(&memory));
	(void)fprintf(out, "Name: %s\n", info->host_name);
	(void)fprintf(out, "Root Dir: %s\n", info->root_path);
	(void)fprintf(out, "State Dir: %s\n", info->state_path);
}

static void print_settings(FILE *out, const struct system_info *info)
{
	if (info->settings.count == 0)
		return;
	(void)fprintf(out, "Configuration:\n");
	for (size_t i = 0; i < info->settings.count; i++)
		(void)fprintf(out, " %s\n", info->settings.items[i]);
}

struct info_opts {
	const char *format;
};

static const struct option_spec info_options[] = {
	OPT_STRING(struct info_opts, format, 'f', "format", "string",
		   "Format the output: \"json\" or a Go TEMPLATE"),
	OPT_END,
};

static int print_formatted(const struct command_call *call, const struct system_info *info,
			   const char *format)
{
	auto_(json_decref) json_t *object = system_info_object(info);

	return object_format_print(call, format, object, &system_info_type);
}

static int info_run(const struct command_call *call)
{
	auto_(system_info_release) struct system_info info = {0};
	auto_(error_release) struct error err = {0};
	const struct info_opts *opts = call->opts;
	FILE *out = call->cli->out;

	if (system_info(call->engine, &info, &err) < 0)
		return cli_fail(call, &err);
	if (opts->format && *opts->format)
		return print_formatted(call, &info, opts->format);
	print_store(out, &info);
	(void)fprintf(out, "Cgroup Version: %s\n", info.cgroup_version);
	print_list(out, "Cgroup Controllers", &info.controllers);
	(void)fprintf(out, "Default Network: %s\n", info.default_network);
	print_list(out, "Networks", &info.networks);
	print_security(out, &info);
	print_machine(out, &info);
	print_settings(out, &info);
	for (size_t i = 0; i < info.warnings.count; i++)
		(void)fprintf(call->cli->err, "WARNING: %s\n", info.warnings.items[i]);
	return 0;
}

const struct command cmd_info = {
	.name = "info",
	.usage = "[OPTIONS]",
	.summary = "Display system-wide information",
	.description = "What is in the store, what this machine can enforce, and where things lie.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = info_options,
	.opts_size = sizeof(struct info_opts),
	.run = info_run,
};
