/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/parallel.h"

#define ALL_LINES (-1)

struct logs_opts {
	const char *since, *until, *tail;
	bool details, follow, names, timestamps;
};

static int check_time(const char *value, struct error *err)
{
	int64_t ns;

	if (clock_parse_user(value, 0, &ns) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "must be a time (2013-01-02T13:23:37Z), seconds since 1970, or a "
			       "duration (42m)");
	return 0;
}

static const struct option_spec logs_options[] = {
	OPT_FLAG(struct logs_opts, details, 0, "details", "Show extra details provided to logs"),
	OPT_FLAG(struct logs_opts, follow, 'f', "follow", "Follow log output"),
	OPT_FLAG(struct logs_opts, names, 0, "names", "Put the container's name before each line"),
	OPT_STRING(struct logs_opts, since, 0, "since", "string",
		   "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. "
		   "\"42m\" for 42 minutes)",
		   .check = check_time),
	OPT_STRING(struct logs_opts, tail, 'n', "tail", "string",
		   "Number of lines to show from the end of the logs", .default_text = "\"all\""),
	OPT_FLAG(struct logs_opts, timestamps, 't', "timestamps", "Show timestamps"),
	OPT_STRING(struct logs_opts, until, 0, "until", "string",
		   "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative "
		   "(e.g. \"42m\" for 42 minutes)",
		   .check = check_time),
	OPT_END,
};

/* docker: what is no number means all. */
static int64_t lines_of(const char *text)
{
	int64_t lines;

	if (!text || parse_i64(text, &lines) < 0 || lines < 0)
		return ALL_LINES;
	return lines;
}

/* Checked while parsing. */
static int64_t time_of(const char *text, int64_t now_ns)
{
	int64_t ns = 0;

	if (text)
		(void)clock_parse_user(text, now_ns, &ns);
	return ns;
}

static int show_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct logs_opts *opts = call->opts;
	int64_t now = clock_now_ns();
	const struct logs_request request = {
		.follow = opts->follow,
		.timestamps = opts->timestamps,
		.details = opts->details,
		.tail = lines_of(opts->tail),
		.since_ns = time_of(opts->since, now),
		.until_ns = time_of(opts->until, now),
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.prefix = opts->names ? selector : NULL,
	};

	return container_logs(call->engine, selector, &request, err);
}

struct several {
	const struct command_call *call;
	int status;
};

/* In a process of its own: each may be followed for ever. */
static int show_in_parallel(struct engine *engine, size_t index, const void *context,
			    struct error *err)
{
	const struct several *several = context;
	struct command_call call = *several->call;

	call.engine = engine;
	return show_one(&call, call.args->items[index], err);
}

static void report(size_t index, const struct error *err, void *context)
{
	struct several *several = context;

	(void)index;
	if (err->kind != ERR_NONE)
		several->status = cli_fail(several->call, err);
}

static int show_several(const struct command_call *call)
{
	struct several several = {.call = call};
	const struct parallel_job job = {
		.act = show_in_parallel, .report = report, .context = &several};
	auto_(error_release) struct error err = {0};

	if (engine_parallel(call->engine, call->args->count, &job, &err) < 0)
		return cli_fail(call, &err);
	return several.status;
}

static int logs_run(const struct command_call *call)
{
	auto_(error_release) struct error err = {0};

	cli_flush(call->cli);
	if (call->args->count > 1)
		return show_several(call);
	if (show_one(call, call->args->items[0], &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_logs = {
	.name = "logs",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Fetch the logs of a container",
	.description =
		"What the container wrote to its standard output comes on ours, what it wrote "
		"to its standard error on ours. Several containers are shown side by side, as "
		"their lines come.",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_CONTAINER,
	.rest_args = COMPLETE_CONTAINER,
	.options = logs_options,
	.opts_size = sizeof(struct logs_opts),
	.run = logs_run,
};
