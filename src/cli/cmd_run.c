/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/create_options.h"
#include "cli/foreground.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/monitor_link.h"

struct run_opts {
	struct create_opts create;
	const char *detach_keys;
	bool detach, sig_proxy;
};

static const struct option_spec run_options[] = {
	OPT_INCLUDE(struct run_opts, create, create_options),
	OPT_FLAG(struct run_opts, detach, 0, "daemon", "Another spelling of --detach",
		 .hidden = true),
	OPT_FLAG(struct run_opts, detach, 'd', "detach",
		 "Run container in background and print container ID"),
	OPT_STRING(struct run_opts, detach_keys, 0, "detach-keys", "string",
		   "Key sequence that detaches from the container",
		   .default_text = "\"ctrl-p,ctrl-q\"", .check = foreground_check_keys),
	OPT_FLAG(struct run_opts, sig_proxy, 0, "sig-proxy", "Pass signals on to the container",
		 .default_text = "true"),
	OPT_END,
};

static void run_init(void *opts)
{
	struct run_opts *o = opts;

	create_opts_init(&o->create);
	o->sig_proxy = true;
}

static void run_release(void *opts)
{
	struct run_opts *o = opts;

	create_opts_release(&o->create);
}

/* --rm: what is left when the container has ended, or was never started. */
static void remove_container(const struct command_call *call, const char *id)
{
	const struct remove_request request = {.force = true, .volumes = true};
	auto_(error_release) struct error err = {0};

	if (container_remove(call->engine, id, &request, &err) < 0 && err.kind != ERR_NOT_FOUND)
		(void)cli_fail(call, &err);
}

static int start_failed(const struct command_call *call, const char *id, const struct error *err)
{
	const struct run_opts *opts = call->opts;

	if (opts->create.request.auto_remove)
		remove_container(call, id);
	return cli_fail(call, err);
}

static int run_detached(const struct command_call *call, const char *id)
{
	const struct monitor_link_options options = {0};
	auto_(error_release) struct error err = {0};

	if (container_start(call->engine, id, call->link, &options, &err) < 0)
		return start_failed(call, id, &err);
	(void)fprintf(call->cli->out, "%s\n", id);
	return 0;
}

/*
 * With --rm the container is removed by us, after its monitor has taken everything down; when we
 * detach or die, by the monitor.
 */
static int run_foreground(const struct command_call *call, const char *id)
{
	const struct run_opts *opts = call->opts;
	const struct create_request *request = &opts->create.request;
	const struct foreground fg = {
		.input = request->attach_stdin,
		.output = request->attach_stdout,
		.errors = request->attach_stderr,
		.sig_proxy = opts->sig_proxy,
		.client_removes = request->auto_remove,
		.detach_keys = opts->detach_keys,
	};
	const struct monitor_link_options options = foreground_link_options(&fg);
	auto_(error_release) struct error err = {0};
	struct stream_result result;

	if (container_start(call->engine, id, call->link, &options, &err) < 0)
		return start_failed(call, id, &err);
	if (foreground_stream(call, &fg, call->link, &result, &err) < 0)
		return foreground_fail(call, &err);
	if (result.detached)
		return 0;
	if (request->auto_remove && !result.kept) {
		container_discard_writes(call->engine, id);
		if (monitor_link_wait_gone(call->link, &err) < 0)
			return cli_fail(call, &err);
		remove_container(call, id);
	}
	return result.exit_code;
}

static void print_warnings(const struct command_call *call, const struct strv *warnings)
{
	for (size_t i = 0; i < warnings->count; i++)
		(void)fprintf(call->cli->err, "WARNING: %s\n", warnings->items[i]);
}

static int check_options(const struct command_call *call, struct run_opts *opts, struct error *err)
{
	if (opts->detach && opts->create.attach.count > 0)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: cannot specify both --attach and --detach");
	return create_opts_finish(&opts->create, call->args, opts->detach, err);
}

static int run_run(const struct command_call *call)
{
	struct run_opts *opts = call->opts;
	const struct create_request *request = &opts->create.request;
	auto_(create_result_release) struct create_result created = {0};
	auto_(error_release) struct error err = {0};

	if (check_options(call, opts, &err) < 0)
		return cli_usage_error(call, &err);
	if (foreground_check_tty(request->tty, request->attach_stdin, &err) < 0)
		return cli_refuse(call, "%s", err_message(&err));
	if (create_opts_create(&opts->create, call->engine, call->cli->err, &created, &err) < 0)
		return cli_fail(call, &err);
	print_warnings(call, &created.warnings);
	return opts->detach ? run_detached(call, created.id) : run_foreground(call, created.id);
}

const struct command cmd_run = {
	.name = "run",
	.usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	.summary = "Create and run a new container from an image",
	.description =
		"IMAGE is a name or an ID of an image in the store, or transport:path (for example "
		"docker-archive:alpine.tar), which is loaded first. What is not there is pulled "
		"from its "
		"registry.\n\n"
		"Without --detach the container's output is ours, and its exit status too; with "
		"--interactive our input is its input. With --tty it has a terminal of its own. "
		"Typing the detach keys (ctrl-p ctrl-q) leaves the container running.\n\n"
		"The exit status is 125 when the container could not be made, 126 when its command "
		"cannot be executed, 127 when there is no such command.",
	.examples = "A shell in a container that is gone afterwards:\n"
		    "\tskiff run --rm -it alpine:3.18 /bin/sh\n"
		    "A service with limits:\n"
		    "\tskiff run -d --name web --memory 256m --pids-limit 100 web:1\n"
		    "An image that was not loaded before:\n"
		    "\tskiff run -it docker-archive:alpine.tar /bin/sh",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_MONITOR,
	.failure = FAILURE_IS_125_OR_PROGRAM,
	.args = COMPLETE_IMAGE,
	.rest_args = COMPLETE_NOTHING,
	.stop_at_first_arg = true,
	.options = run_options,
	.opts_size = sizeof(struct run_opts),
	.init = run_init,
	.release = run_release,
	.run = run_run,
};
