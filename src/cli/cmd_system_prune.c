/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_system_prune.c - everything that is not used
 *
 * What is pruned is a table: the sentence of the warning, and the function that does it. Containers
 * come first, since what they use becomes unused with them.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/prune_text.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/image_prune.h"
#include "engine/volume.h"

struct system_prune_opts {
	struct strv filters;
	bool all, force, volumes;
};

static const struct option_spec system_prune_options[] = {
	OPT_FLAG(struct system_prune_opts, all, 'a', "all",
		 "Remove all unused images not just dangling ones"),
	OPT_LIST(struct system_prune_opts, filters, 0, "filter", "filter",
		 "Provide filter values (e.g. \"label=<key>=<value>\")"),
	OPT_FLAG(struct system_prune_opts, force, 'f', "force", "Do not prompt for confirmation"),
	OPT_FLAG(struct system_prune_opts, volumes, 0, "volumes", "Prune anonymous volumes"),
	OPT_END,
};

/* Prunes one kind of thing, prints what went, and adds the bytes. */
typedef int prune_fn(const struct command_call *call, uint64_t *bytes, struct error *err);

static int prune_containers(const struct command_call *call, uint64_t *bytes, struct error *err)
{
	const struct system_prune_opts *opts = call->opts;
	auto_(prune_result_release) struct prune_result result = {0};
	int r = container_prune(call->engine, &opts->filters, &result, err);

	if (r < 0)
		return r;
	print_pruned(call->cli->out, "Deleted Containers", &result.ids);
	*bytes += result.bytes;
	return 0;
}

static int prune_volumes(const struct command_call *call, uint64_t *bytes, struct error *err)
{
	const struct system_prune_opts *opts = call->opts;
	auto_(volume_prune_result_release) struct volume_prune_result result = {0};
	int r;

	if (!opts->volumes)
		return 0;
	r = volumes_prune(call->engine, /* all= */ false, &opts->filters, &result, err);
	if (r < 0)
		return r;
	print_pruned(call->cli->out, "Deleted Volumes", &result.names);
	*bytes += result.bytes;
	return 0;
}

static int prune_images(const struct command_call *call, uint64_t *bytes, struct error *err)
{
	const struct system_prune_opts *opts = call->opts;
	const struct image_prune_request request = {.all = opts->all, .filters = &opts->filters};
	auto_(image_prune_result_release) struct image_prune_result result = {0};
	int r = image_prune(call->engine, &request, &result, err);

	if (r < 0)
		return r;
	print_pruned(call->cli->out, "Deleted Images", &result.lines);
	*bytes += result.bytes;
	return 0;
}

struct prune_kind {
	const char *warning, *warning_all; /* of --all; NULL: the same */
	prune_fn *prune;
	bool is_volumes; /* only with --volumes */
};

static const struct prune_kind kinds[] = {
	{"all stopped containers", NULL, prune_containers, false},
	{"all anonymous volumes not used by at least one container", NULL, prune_volumes, true},
	{"all dangling images", "all images without at least one container associated to them",
	 prune_images, false},
};

static char *make_warning(const struct system_prune_opts *opts)
{
	auto_(strbuf_release) struct strbuf text = {0};

	strbuf_adds(&text, "WARNING! This will remove:\n");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].is_volumes && !opts->volumes)
			continue;
		strbuf_addf(&text, "  - %s\n",
			    opts->all && kinds[i].warning_all ? kinds[i].warning_all
							      : kinds[i].warning);
	}
	if (opts->filters.count > 0)
		strbuf_adds(&text, "\n  Items to be pruned will be filtered with:\n");
	for (size_t i = 0; i < opts->filters.count; i++)
		strbuf_addf(&text, "  - %s\n", opts->filters.items[i]);
	return strbuf_take(&text);
}

/* A volume does not know when it was used. */
static bool has_until(const struct strv *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		if (strncmp(filters->items[i], "until=", 6) == 0)
			return true;
	return false;
}

static int system_prune_run(const struct command_call *call)
{
	const struct system_prune_opts *opts = call->opts;
	auto_free char *warning = make_warning(opts);
	auto_(error_release) struct error err = {0};
	uint64_t bytes = 0;

	if (opts->volumes && has_until(&opts->filters))
		return cli_refuse(call, "the \"until\" filter is not supported with \"--volumes\"");
	if (!opts->force && !confirm(call->cli, warning))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].prune(call, &bytes, &err) < 0)
			return cli_fail(call, &err);
	print_reclaimed(call->cli->out, bytes);
	return 0;
}

const struct command cmd_system_prune = {
	.name = "system prune",
	.usage = "[OPTIONS]",
	.summary = "Remove unused data",
	.description =
		"Removes stopped containers, and images without a name that no container was made "
		"of; with --all also those with names. With --volumes also anonymous volumes that "
		"no container refers to.\n\n"
		"Filters are until=TIME (made before), label=KEY[=VALUE] and label!=KEY[=VALUE].",
	.max_args = 0,
	.needs = NEEDS_ENGINE,
	.options = system_prune_options,
	.opts_size = sizeof(struct system_prune_opts),
	.run = system_prune_run,
};
