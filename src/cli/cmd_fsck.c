/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "engine/engine.h"
#include "engine/store_check.h"

#define SIZE_DIGITS 4

struct fsck_opts {
	bool repair;
};

static const struct option_spec fsck_options[] = {
	OPT_FLAG(struct fsck_opts, repair, 0, "repair", "Set right what can be set right"),
	OPT_END,
};

static void print_finding(void *context, const struct store_finding *finding)
{
	FILE *out = context;

	(void)fprintf(out, "%s: %s", store_fault_name(finding->fault), finding->what);
	if (*finding->images)
		(void)fprintf(out, " (%s)", finding->images);
	if (*finding->detail)
		(void)fprintf(out, ": %s", finding->detail);
	if (finding->repaired)
		(void)fputs("; repaired", out);
	else if (*finding->remedy)
		(void)fprintf(out, "; %s", finding->remedy);
	(void)fputc('\n', out);
	(void)fflush(out);
}

static int fsck_run(const struct command_call *call)
{
	const struct fsck_opts *opts = call->opts;
	const struct store_check_request request = {
		.repair = opts->repair,
		.found = print_finding,
		.context = call->cli->out,
	};
	auto_(strbuf_release) struct strbuf size = {0};
	auto_(error_release) struct error err = {0};
	struct store_check_result result;

	if (store_check(call->engine, &request, &result, &err) < 0)
		return cli_fail(call, &err);
	human_size(result.bytes, SIZE_DIGITS, &size);
	(void)fprintf(call->cli->out,
		      "Checked %" PRIu64 " images, %" PRIu64 " layers, %" PRIu64 " blobs (%s): ",
		      result.images, result.layers, result.blobs, strbuf_text(&size));
	if (result.findings == 0)
		(void)fputs("clean\n", call->cli->out);
	else
		(void)fprintf(call->cli->out, "%" PRIu64 " wrong, %" PRIu64 " repaired\n",
			      result.findings, result.repaired);
	return result.findings > result.repaired ? STATUS_FAILURE : 0;
}

const struct command cmd_fsck = {
	.name = "system fsck",
	.usage = "[OPTIONS]",
	.summary = "Check that the store holds what its records say",
	.description =
		"Reads every blob and compares it with its digest, unpacks every layer once more "
		"and "
		"compares the files, and looks for what belongs to nobody. One line for each thing "
		"that is wrong; the exit status is 0 when nothing is, or everything was "
		"repaired.\n\n"
		"--repair unpacks damaged layers again from their blobs, and fetches blobs that "
		"are "
		"damaged or missing from the registry that the image was pulled from or pushed to. "
		"What cannot be fetched and is not what its name says is taken away, so that the "
		"next load or pull of the image brings it again. Leftovers are removed. Volumes "
		"are never touched. The room of the largest layer is needed for "
		"a "
		"while.",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = fsck_options,
	.opts_size = sizeof(struct fsck_opts),
	.run = fsck_run,
};
