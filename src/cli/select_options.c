/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/select_options.h"

#include "cli/cli.h"
#include "engine/container.h"

#define ALL_HELP "All containers that this can be done to"
#define FILTER_HELP "Those that match a filter of ps"
#define LATEST_HELP "The container that was created last"

const struct option_spec select_options[] = {
	OPT_FLAG(struct select_opts, all, 'a', "all", ALL_HELP),
	OPT_LIST(struct select_opts, filters, 'f', "filter", "filter", FILTER_HELP),
	OPT_FLAG(struct select_opts, latest, 'l', "latest", LATEST_HELP),
	OPT_END,
};

const struct option_spec select_start_options[] = {
	OPT_FLAG(struct select_opts, all, 0, "all", ALL_HELP),
	OPT_LIST(struct select_opts, filters, 'f', "filter", "filter", FILTER_HELP),
	OPT_FLAG(struct select_opts, latest, 'l', "latest", LATEST_HELP),
	OPT_END,
};

const struct option_spec select_rm_options[] = {
	OPT_FLAG(struct select_opts, all, 'a', "all", ALL_HELP),
	OPT_LIST(struct select_opts, filters, 0, "filter", "filter", FILTER_HELP),
	OPT_FLAG(struct select_opts, latest, 'l', "latest", LATEST_HELP),
	OPT_END,
};

static bool is_of_kind(const struct container_summary *s, enum select_kind kind)
{
	bool runs = s->status == CONTAINER_RUNNING || s->status == CONTAINER_PAUSED ||
		    s->status == CONTAINER_RESTARTING || s->status == CONTAINER_ORPHANED;

	switch (kind) {
	case SELECT_ANY:
		return true;
	case SELECT_RUNNING:
		return runs;
	case SELECT_STOPPED:
		return !runs;
	case SELECT_PAUSED:
		return s->status == CONTAINER_PAUSED;
	}
	return false;
}

/* In the words of the parser, which cannot know what options ask for. */
static int refuse_nothing(const struct command_call *call)
{
	return cli_refuse(call,
			  "'skiff %s' requires at least 1 argument\n\n"
			  "Usage:  skiff %s %s\n\n"
			  "Run 'skiff %s --help' for more information",
			  call->typed, call->typed, call->command->usage, call->typed);
}

int select_containers(const struct command_call *call, const struct select_opts *opts,
		      enum select_kind kind, struct strv *ret_names)
{
	bool selects = opts->all || opts->latest || opts->filters.count > 0;
	const struct list_request request = {
		.all = true, .filters = opts->filters, .last = opts->latest ? 1 : -1};
	auto_(container_list_release) struct container_list list = {0};
	auto_(error_release) struct error err = {0};

	if (selects && call->args->count > 0)
		return cli_refuse(call, "--all, --latest and --filter cannot be used together with "
					"names");
	if (!selects && call->args->count == 0)
		return refuse_nothing(call);
	if (!selects) {
		strv_copy(ret_names, call->args);
		return 0;
	}
	if (container_list(call->engine, &request, &list, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < list.count; i++)
		if (is_of_kind(&list.items[i], kind))
			strv_add(ret_names, list.items[i].name);
	return 0;
}

int each_selected(const struct command_call *call, const struct select_opts *opts,
		  enum select_kind kind, each_argument_fn *act)
{
	auto_(strv_release) struct strv names = {0};
	struct command_call selected = *call;
	int status = select_containers(call, opts, kind, &names);

	selected.args = &names;
	return status != 0 ? status : each_argument(&selected, act);
}

int each_selected_at_once(const struct command_call *call, const struct select_opts *opts,
			  enum select_kind kind, each_argument_fn *act, bool ignore_missing)
{
	auto_(strv_release) struct strv names = {0};
	struct command_call selected = *call;
	int status = select_containers(call, opts, kind, &names);

	selected.args = &names;
	return status != 0 ? status : each_argument_at_once(&selected, act, ignore_missing);
}
