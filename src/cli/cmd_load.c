/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "engine/image.h"

#define SHORT_DIGEST 12
#define SIZE_DIGITS 4
#define CLEAR_LINE "\r\x1b[K"

struct load_opts {
	const char *input, *platform;
	bool quiet;
};

static const struct option_spec load_options[] = {
	OPT_STRING(struct load_opts, input, 'i', "input", "string",
		   "Read from this archive or directory, instead of STDIN",
		   .complete = COMPLETE_FILE),
	OPT_STRING(struct load_opts, platform, 0, "platform", "string",
		   "Load only the given platform variant (\"os[/arch[/variant]]\")"),
	OPT_FLAG(struct load_opts, quiet, 'q', "quiet", "Suppress the progress display"),
	OPT_END,
};

/* One line on the terminal that is written over and over. */
static void show_layer(void *context, const char *digest, const char *what, uint64_t done_bytes,
		       uint64_t total_bytes)
{
	const struct cli *cli = context;
	auto_(strbuf_release) struct strbuf text = {0};
	const char *colon = strchr(digest, ':');

	strbuf_addf(&text, "%.*s: %s  ", SHORT_DIGEST, colon ? colon + 1 : digest, what);
	human_size(done_bytes, SIZE_DIGITS, &text);
	if (total_bytes > 0) {
		strbuf_addc(&text, '/');
		human_size(total_bytes, SIZE_DIGITS, &text);
	}
	(void)fprintf(cli->err, CLEAR_LINE "%s", strbuf_text(&text));
	(void)fflush(cli->err);
}

static void print_result(const struct cli *cli, const struct load_result *result)
{
	for (size_t i = 0; i < result->names.count; i++)
		(void)fprintf(cli->out, "Loaded image: %s\n", result->names.items[i]);
	for (size_t i = 0; i < result->ids.count; i++)
		(void)fprintf(cli->out, "Loaded image ID: %s\n", result->ids.items[i]);
}

static int load_run(const struct command_call *call)
{
	const struct load_opts *opts = call->opts;
	const struct image_progress progress = {show_layer, call->cli};
	bool show = !opts->quiet && terminal_is(STDERR_FILENO);
	const struct load_request request = {
		.path = opts->input,
		.fd = STDIN_FILENO,
		.platform = opts->platform,
		.progress = show ? &progress : NULL,
	};
	auto_(load_result_release) struct load_result result = {0};
	auto_(error_release) struct error err = {0};
	int r;

	if (!opts->input && terminal_is(STDIN_FILENO))
		return cli_refuse(call, "requested load from stdin, but stdin is a terminal");
	r = image_load(call->engine, &request, &result, &err);
	if (show)
		(void)fputs(CLEAR_LINE, call->cli->err);
	if (r < 0)
		return cli_fail(call, &err);
	print_result(call->cli, &result);
	return 0;
}

const struct command cmd_load = {
	.name = "load",
	.usage = "[OPTIONS]",
	.summary = "Load an image from a tar archive or STDIN",
	.description =
		"Understands what docker save, podman save, skopeo, buildah and umoci write: "
		"Docker "
		"archives of both layouts, OCI archives and OCI layout directories, plain or "
		"compressed with gzip, zstd, xz or bzip2; also an archive that was unpacked "
		"already. "
		"Every digest is verified.",
	.examples = "From a file:\n\tskiff load -i alpine.tar\n"
		    "From another machine:\n\tssh build docker save web:1 | skiff load",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = load_options,
	.opts_size = sizeof(struct load_opts),
	.run = load_run,
};
