/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/listing.h"
#include "cli/registry_options.h"
#include "engine/registry.h"

#define DEFAULT_LIMIT 25
#define MAX_LIMIT 100
#define DESCRIPTION_WIDTH 45

struct search_opts {
	struct registry_opts registry;
	struct strv filters;
	const char *format;
	int64_t limit;
	bool no_trunc, list_tags;
};

static const struct option_spec search_options[] = {
	OPT_LIST(struct search_opts, filters, 'f', "filter", "filter",
		 "Only what is so: is-official=true, stars=3"),
	OPT_STRING(struct search_opts, format, 0, "format", "string",
		   "Show a table, json (an object per line), or a text with {{.Field}}"),
	OPT_INT(struct search_opts, limit, 0, "limit", "Number of results at most",
		.default_text = "25"),
	OPT_FLAG(struct search_opts, list_tags, 0, "list-tags",
		 "TERM is a repository: list its tags"),
	OPT_FLAG(struct search_opts, no_trunc, 0, "no-trunc", "Don't truncate output"),
	OPT_INCLUDE(struct search_opts, registry, registry_options),
	OPT_END,
};

static void search_init(void *opts)
{
	struct search_opts *o = opts;

	registry_opts_init(&o->registry);
	o->limit = DEFAULT_LIMIT;
}

/* ---- fields: an item is one object of the registry's answer ---- */

/* What strangers write is shown, not obeyed: no control characters. */
static void add_plain(struct strbuf *text, const char *words)
{
	for (; *words; words++) {
		if ((unsigned char)*words < ' ' || *words == 0x7f)
			strbuf_addc(text, ' ');
		else
			strbuf_addc(text, *words);
	}
}

static const json_t *object_of(const void *item)
{
	return *(json_t *const *)item;
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	add_plain(text, json_get_string(object_of(item), "name", ""));
}

static void text_description(const void *item, const void *context, struct strbuf *text)
{
	const struct search_opts *opts = context;
	auto_(strbuf_release) struct strbuf whole = {0};

	add_plain(&whole, json_get_string(object_of(item), "description", ""));
	if (opts->no_trunc)
		strbuf_adds(text, strbuf_text(&whole));
	else
		human_shorten(strbuf_text(&whole), DESCRIPTION_WIDTH, text);
}

static void text_stars(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_addf(text, "%" PRId64, json_get_int(object_of(item), "star_count", 0));
}

static void text_official(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	if (json_get_bool(object_of(item), "is_official", false))
		strbuf_adds(text, "[OK]");
}

static const struct listing_field search_fields[] = {
	{"Description", "DESCRIPTION", text_description},
	{"IsOfficial", "OFFICIAL", text_official},
	{"Name", "NAME", text_name},
	{"StarCount", "STARS", text_stars},
	{0},
};

static const char *const search_columns[] = {"Name", "Description", "StarCount", "IsOfficial",
					     NULL};

/* ---- filters ---- */

/* 1, 0, or an error. */
static int matches(const json_t *item, const char *filter, struct error *err)
{
	static const char official[] = "is-official=", stars[] = "stars=";
	uint32_t least;
	bool wanted;

	if (strncmp(filter, official, strlen(official)) == 0 &&
	    parse_bool(filter + strlen(official), &wanted) == 0)
		return json_get_bool(item, "is_official", false) == wanted;
	if (strncmp(filter, stars, strlen(stars)) == 0 &&
	    parse_u32(filter + strlen(stars), &least) == 0)
		return json_get_int(item, "star_count", 0) >= least;
	return err_set(err, ERR_INVALID, 0, "invalid filter '%s'", filter);
}

static int keep_wanted(const struct search_opts *opts, json_t *results, struct error *err)
{
	for (size_t i = json_array_size(results); i-- > 0;)
		for (size_t k = 0; k < opts->filters.count; k++) {
			int r = matches(json_array_get(results, i), opts->filters.items[k], err);

			if (r < 0)
				return r;
			if (r == 0) {
				(void)json_array_remove(results, i);
				break;
			}
		}
	return 0;
}

/* ---- the command ---- */

static int print_results(const struct command_call *call, const json_t *results)
{
	const struct search_opts *opts = call->opts;
	const struct listing listing = {
		.fields = search_fields,
		.format = opts->format,
		.columns = search_columns,
		.context = opts,
	};
	size_t count = json_array_size(results);
	auto_free const json_t **items = xcalloc(count + 1, sizeof(*items));
	auto_(error_release) struct error err = {0};

	for (size_t i = 0; i < count; i++)
		items[i] = json_array_get(results, i);
	if (listing_print(&listing, items, sizeof(*items), count, call->cli->out, &err) < 0)
		return cli_fail(call, &err);
	return 0;
}

static int print_tags(const struct command_call *call)
{
	const struct search_opts *opts = call->opts;
	const struct registry_options options = registry_opts_request(&opts->registry);
	auto_(strv_release) struct strv tags = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *whole = NULL;

	if (registry_tags(&options, call->args->items[0], &tags, &whole, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < tags.count && (int64_t)i < opts->limit; i++)
		(void)fprintf(call->cli->out, "%s\n", tags.items[i]);
	return 0;
}

static int search_run(const struct command_call *call)
{
	const struct search_opts *opts = call->opts;
	const struct search_request request = {
		.term = call->args->items[0],
		.limit = opts->limit,
		.registry = registry_opts_request(&opts->registry),
	};
	auto_(json_decref) json_t *results = NULL;
	auto_(error_release) struct error err = {0};

	if (opts->limit < 1 || opts->limit > MAX_LIMIT)
		return cli_refuse(call, "the limit must be between 1 and %d", MAX_LIMIT);
	if (opts->list_tags)
		return print_tags(call);
	if (registry_search(&request, &results, &err) < 0)
		return cli_fail(call, &err);
	if (keep_wanted(opts, results, &err) < 0)
		return cli_fail(call, &err);
	return print_results(call, results);
}

const struct command cmd_search = {
	.name = "search",
	.usage = "[OPTIONS] TERM",
	.summary = "Search a registry for images",
	.description =
		"Asks Docker Hub, or the registry that TERM begins with (\"host:5000/word\"). A "
		"registry without a search is asked for the list of what it has.\n\n"
		"The fields for --format are Description, IsOfficial, Name and StarCount.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.rest_args = COMPLETE_NOTHING,
	.options = search_options,
	.opts_size = sizeof(struct search_opts),
	.init = search_init,
	.run = search_run,
};
