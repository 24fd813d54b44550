/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/each_argument.h"
#include "cli/foreground.h"
#include "cli/select_options.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/monitor_link.h"

struct start_opts {
	struct select_opts select;
	const char *detach_keys;
	bool attach, interactive;
};

static const struct option_spec start_options[] = {
	OPT_FLAG(struct start_opts, attach, 'a', "attach",
		 "Attach STDOUT/STDERR and forward signals"),
	OPT_STRING(struct start_opts, detach_keys, 0, "detach-keys", "string",
		   "Key sequence that detaches from the container",
		   .default_text = "\"ctrl-p,ctrl-q\"", .check = foreground_check_keys),
	OPT_INCLUDE(struct start_opts, select, select_start_options),
	OPT_FLAG(struct start_opts, interactive, 'i', "interactive", "Attach container's STDIN"),
	OPT_END,
};

/* What inspect says about the container as it was made. */
struct made_as {
	char id[65];
	bool tty, open_stdin, running;
};

static int look(const struct command_call *call, const char *selector, struct made_as *ret,
		struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	const json_t *config, *state;
	int r;

	r = container_resolve(call->engine, selector, ret->id, err);
	if (r < 0)
		return r;
	r = container_inspect(call->engine, ret->id, &object, err);
	if (r < 0)
		return r;
	config = json_object_get(object, "Config");
	ret->tty = json_get_bool(config, "Tty", false);
	ret->open_stdin = json_get_bool(config, "OpenStdin", false);
	state = json_object_get(object, "State");
	ret->running = json_get_bool(state, "Running", false) &&
		       !json_get_bool(state, "Paused", false);
	return 0;
}

/* One that runs already is as good as started. */
static int start_one(const struct command_call *call, const char *selector, struct error *err)
{
	const struct monitor_link_options options = {0};
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	auto_(error_release) struct error ignored = {0};
	struct made_as made;
	int r;

	r = monitor_link_spawn(&link, err);
	if (r < 0)
		return r;
	r = container_start(call->engine, selector, &link, &options, err);
	if (r < 0 && err->kind == ERR_CONFLICT && look(call, selector, &made, &ignored) == 0 &&
	    made.running) {
		error_release(err);
		return 0;
	}
	return r;
}

static int connect_container(const struct command_call *call, const struct made_as *made,
			     const struct foreground *fg, struct monitor_link *link,
			     struct error *err)
{
	const struct monitor_link_options options = foreground_link_options(fg);
	int r;

	if (made->running)
		return container_attach(call->engine, made->id, &options, link, err);
	r = monitor_link_spawn(link, err);
	if (r < 0)
		return r;
	return container_start(call->engine, made->id, link, &options, err);
}

static int start_attached(const struct command_call *call, const char *selector)
{
	const struct start_opts *opts = call->opts;
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	auto_(error_release) struct error err = {0};
	struct stream_result result;
	struct foreground fg = {
		.output = true,
		.errors = true,
		.detach_keys = opts->detach_keys,
	};
	struct made_as made;

	if (look(call, selector, &made, &err) < 0)
		return cli_fail(call, &err);
	fg.input = opts->interactive && made.open_stdin;
	fg.sig_proxy = !made.tty;
	if (foreground_check_tty(made.tty, fg.input, &err) < 0)
		return cli_refuse(call, "%s", err_message(&err));
	if (connect_container(call, &made, &fg, &link, &err) < 0)
		return cli_fail(call, &err);
	if (foreground_stream(call, &fg, &link, &result, &err) < 0)
		return foreground_fail(call, &err);
	return result.detached ? 0 : result.exit_code;
}

static int start_run(const struct command_call *call)
{
	const struct start_opts *opts = call->opts;
	auto_(strv_release) struct strv names = {0};
	struct command_call selected = *call;
	int status = select_containers(call, &opts->select, SELECT_STOPPED, &names);

	if (status != 0)
		return status;
	selected.args = &names;
	if (!opts->attach && !opts->interactive)
		return each_argument(&selected, start_one);
	if (names.count != 1)
		return cli_refuse(call, "you cannot start and attach multiple containers at once");
	return start_attached(call, names.items[0]);
}

const struct command cmd_start = {
	.name = "start",
	.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Start one or more stopped containers",
	.description = "A container that runs already is left as it is. With --attach or "
		       "--interactive the exit status is that of the container.",
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_STOPPED_CONTAINER,
	.rest_args = COMPLETE_STOPPED_CONTAINER,
	.options = start_options,
	.opts_size = sizeof(struct start_opts),
	.run = start_run,
};
