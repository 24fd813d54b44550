/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/filter.h"
#include "template/template.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define STATUS_BAD_TEMPLATE 64

struct events_opts {
	struct strv filters;
	const char *format, *since, *until;
};

static const struct option_spec events_options[] = {
	OPT_LIST(struct events_opts, filters, 'f', "filter", "filter",
		 "Show events for which key=value holds (container, daemon, event, image, label, "
		 "network, scope, type, volume)",
		 .check = filter_check),
	OPT_STRING(struct events_opts, format, 0, "format", "string",
		   "Format the output: \"json\" or a Go TEMPLATE"),
	OPT_STRING(struct events_opts, since, 0, "since", "string",
		   "Show all events created since timestamp"),
	OPT_STRING(struct events_opts, until, 0, "until", "string",
		   "Stream events until this timestamp"),
	OPT_END,
};

struct printing {
	const struct command_call *call;
	struct template *template;
	bool json;
	struct error err;
};

/* ---- a line ---- */

/* In local time, with all nine digits. */
static void add_time(int64_t ns, struct strbuf *text)
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	struct tm local;
	char date[32], zone[16];

	if (!localtime_r(&seconds, &local) ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &local) == 0 ||
	    strftime(zone, sizeof(zone), "%z", &local) != 5)
		return;
	strbuf_addf(text, "%s.%09" PRId64, date, ns % NS_PER_SECOND);
	if (local.tm_gmtoff == 0)
		strbuf_addc(text, 'Z');
	else
		strbuf_addf(text, "%.3s:%s", zone, zone + 3);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* " (image=busybox, name=web)" */
static void add_attributes(const json_t *attributes, struct strbuf *text)
{
	auto_(strv_release) struct strv pairs = {0};
	auto_free char *joined = NULL;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)attributes, key, value)
		strv_addf(&pairs, "%s=%s", key, json_string_value(value) ?: "");
	if (pairs.count == 0)
		return;
	qsort(pairs.items, pairs.count, sizeof(char *), compare_keys);
	joined = strv_join(&pairs, ", ");
	strbuf_addf(text, " (%s)", joined);
}

static void add_plain(const json_t *event, struct strbuf *text)
{
	const json_t *actor = json_object_get(event, "Actor");

	add_time(json_get_int(event, "timeNano", 0), text);
	strbuf_addf(text, " %s %s %s", json_get_string(event, "Type", ""),
		    json_get_string(event, "Action", ""), json_get_string(actor, "ID", ""));
	add_attributes(json_object_get(actor, "Attributes"), text);
}

static bool print_event(void *context, const json_t *event)
{
	struct printing *printing = context;
	const struct template_data data = {.value = event, .type = &event_type};
	auto_(strbuf_release) struct strbuf text = {0};
	FILE *out = printing->call->cli->out;

	if (printing->json)
		template_json(event, &event_type, &text);
	else if (!printing->template)
		add_plain(event, &text);
	else if (template_run(printing->template, &data, &text, &printing->err) < 0)
		return false;
	strbuf_addc(&text, '\n');
	(void)fwrite(text.data, 1, text.len, out);
	return fflush(out) == 0;
}

/* ---- the command ---- */

static int read_time(const char *option, const char *text, int64_t *ret_ns, struct error *err)
{
	if (!text || !*text)
		return 0;
	if (clock_parse_user(text, clock_now_ns(), ret_ns) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid value for \"%s\": failed to parse \"%s\" as a time or a "
			       "duration",
			       option, text);
	return 0;
}

static int events_run(const struct command_call *call)
{
	const struct events_opts *opts = call->opts;
	struct printing printing = {.call = call};
	auto_(template_free) struct template *template = NULL;
	auto_(error_release) struct error err = {0};
	struct events_request request = {
		.filters = opts->filters,
		.each = print_event,
		.context = &printing,
	};
	int r;

	printing.json = opts->format && strcmp(opts->format, "json") == 0;
	if (opts->format && *opts->format && !printing.json &&
	    template_parse(opts->format, &template, &err) < 0) {
		(void)cli_refuse(call, "template parsing error: %s", err_message(&err));
		return STATUS_BAD_TEMPLATE;
	}
	printing.template = template;
	r = read_time("since", opts->since, &request.since_ns, &err);
	if (r >= 0)
		r = read_time("until", opts->until, &request.until_ns, &err);
	if (r >= 0)
		r = events_follow(call->engine, &request, &err);
	if (r >= 0 && printing.err.kind != ERR_NONE)
		r = err_move(&err, &printing.err);
	return r < 0 ? cli_fail(call, &err) : 0;
}

const struct command cmd_events = {
	.name = "events",
	.usage = "[OPTIONS]",
	.summary = "Get real time events from the server",
	.description =
		"Prints what happens to containers, images, networks and volumes while it happens, "
		"and with --since what has happened before. Whoever acts writes it down; the last "
		"one or two megabytes are kept until the next boot.\n\n"
		"Times are RFC 3339, seconds since 1970, or a duration before now (10m).",
	.examples = "The ends of all containers within the last hour:\n"
		    "\tskiff events --since 1h --until 0s --filter event=die",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = events_options,
	.opts_size = sizeof(struct events_opts),
	.run = events_run,
};
