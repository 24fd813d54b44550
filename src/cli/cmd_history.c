/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "engine/engine.h"
#include "engine/image_history.h"

#define SIZE_DIGITS 3
#define SHORT_ID 12
#define SHORT_COMMAND 45
#define DIGEST_PREFIX "sha256:"
#define NOBODY_KNOWS "<missing>"

struct history_opts {
	const char *format, *platform;
	bool human, no_trunc, quiet;
};

static void history_init(void *opts)
{
	((struct history_opts *)opts)->human = true;
}

static const struct option_spec history_options[] = {
	OPT_STRING(struct history_opts, format, 0, "format", "string",
		   "Format the output: \"table\", \"table TEMPLATE\", \"json\" or a Go TEMPLATE"),
	OPT_FLAG(struct history_opts, human, 'H', "human",
		 "Print sizes and dates in human readable format", .default_text = "true"),
	OPT_FLAG(struct history_opts, no_trunc, 0, "no-trunc", "Don't truncate output"),
	OPT_STRING(struct history_opts, platform, 0, "platform", "string",
		   "Show history for the given platform (\"os[/arch[/variant]]\")"),
	OPT_FLAG(struct history_opts, quiet, 'q', "quiet", "Only show image IDs"),
	OPT_END,
};

struct history_context {
	const struct history_opts *opts;
	int64_t now_ns;
};

static void text_comment(const void *item, const void *context, struct strbuf *text)
{
	const struct history_step *step = item;

	(void)context;
	strbuf_adds(text, step->comment);
}

/* RFC 3339 in local time, whole seconds. */
static void text_created_at(const void *item, const void *context, struct strbuf *text)
{
	const struct history_step *step = item;
	time_t seconds = (time_t)(step->created_ns / 1000000000);
	char buffer[64];
	struct tm tm;
	size_t len;

	(void)context;
	if (!localtime_r(&seconds, &tm))
		return;
	if (tm.tm_gmtoff == 0) {
		len = strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%SZ", &tm);
		strbuf_add(text, buffer, len);
		return;
	}
	len = strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%S%z", &tm);
	strbuf_add(text, buffer, len - 2); /* "+0100" */
	strbuf_addf(text, ":%s", buffer + len - 2);
}

static void text_created_since(const void *item, const void *context, struct strbuf *text)
{
	const struct history_step *step = item;
	const struct history_context *c = context;

	/* docker: with --human=false this field is the other one. */
	if (!c->opts->human) {
		text_created_at(item, context, text);
		return;
	}
	if (step->created_ns == 0) {
		strbuf_adds(text, "N/A");
		return;
	}
	human_duration(c->now_ns - step->created_ns, text);
	strbuf_adds(text, " ago");
}

static void text_created_by(const void *item, const void *context, struct strbuf *text)
{
	const struct history_step *step = item;
	const struct history_context *c = context;
	auto_free char *command = xstrdup(step->created_by);

	for (char *p = command; *p; p++)
		if (*p == '\t')
			*p = ' ';
	if (c->opts->no_trunc)
		strbuf_adds(text, command);
	else
		human_shorten(command, SHORT_COMMAND, text);
}

static void text_id(const void *item, const void *context, struct strbuf *text)
{
	const struct history_step *step = item;
	const struct history_context *c = context;
	const size_t prefix = strlen(DIGEST_PREFIX);

	if (!step->id)
		strbuf_adds(text, NOBODY_KNOWS);
	else if (c->opts->no_trunc || strncmp(step->id, DIGEST_PREFIX, prefix) != 0)
		strbuf_adds(text, step->id);
	else
		strbuf_add(text, step->id + prefix, strnlen(step->id + prefix, SHORT_ID));
}

static void text_size(const void *item, const void *context, struct strbuf *text)
{
	const struct history_step *step = item;
	const struct history_context *c = context;

	if (c->opts->human)
		human_size(step->size_bytes, SIZE_DIGITS, text);
	else
		strbuf_addf(text, "%" PRIu64, step->size_bytes);
}

static const struct listing_field history_fields[] = {
	{"Comment", "COMMENT", text_comment, 0},
	{"CreatedAt", "CREATED AT", text_created_at, 0},
	{"CreatedBy", "CREATED BY", text_created_by, 0},
	{"CreatedSince", "CREATED", text_created_since, 0},
	{"ID", "IMAGE", text_id, 0},
	{"Size", "SIZE", text_size, 0},
	{0},
};

static const char *const human_columns[] = {"ID",   "CreatedSince", "CreatedBy",
					    "Size", "Comment",      NULL};
static const char *const plain_columns[] = {"ID",   "CreatedAt", "CreatedBy",
					    "Size", "Comment",   NULL};

static int history_run(const struct command_call *call)
{
	const struct history_opts *opts = call->opts;
	const struct history_context context = {opts, clock_now_ns()};
	const struct listing listing = {
		.fields = history_fields,
		.format = opts->format,
		.columns = opts->human ? human_columns : plain_columns,
		.context = &context,
		.quiet = opts->quiet,
		.type_name = "*formatter.historyContext",
	};
	auto_(image_history_release) struct image_history history = {0};
	auto_(error_release) struct error err = {0};

	if (image_history(call->engine, call->args->items[0], opts->platform, &history, &err) < 0)
		return cli_fail(call, &err);
	if (listing_print(&listing, history.items, sizeof(history.items[0]), history.count,
			  call->cli->out, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

const struct command cmd_history = {
	.name = "history",
	.usage = "[OPTIONS] IMAGE",
	.summary = "Show the history of an image",
	.description =
		"The last step first. Only the last one has an image: what came before it was "
		"never stored here.\n\n"
		"The fields for --format are Comment, CreatedAt, CreatedBy, CreatedSince, ID and "
		"Size.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_NOTHING,
	.options = history_options,
	.opts_size = sizeof(struct history_opts),
	.init = history_init,
	.run = history_run,
};
