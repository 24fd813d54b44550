/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/foreground.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/monitor_link.h"

struct attach_opts {
	const char *detach_keys;
	bool no_stdin, sig_proxy;
};

static const struct option_spec attach_options[] = {
	OPT_STRING(struct attach_opts, detach_keys, 0, "detach-keys", "string",
		   "Key sequence that detaches from the container",
		   .default_text = "\"ctrl-p,ctrl-q\"", .check = foreground_check_keys),
	OPT_FLAG(struct attach_opts, no_stdin, 0, "no-stdin", "Do not attach STDIN"),
	OPT_FLAG(struct attach_opts, sig_proxy, 0, "sig-proxy",
		 "Pass signals on to the container when it has no terminal",
		 .default_text = "true"),
	OPT_END,
};

static void attach_init(void *opts)
{
	struct attach_opts *o = opts;

	o->sig_proxy = true;
}

static int attach_run(const struct command_call *call)
{
	const struct attach_opts *opts = call->opts;
	struct foreground fg = {
		.input = !opts->no_stdin,
		.output = true,
		.errors = true,
		.detach_keys = opts->detach_keys,
	};
	const struct monitor_link_options options = foreground_link_options(&fg);
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	auto_(error_release) struct error err = {0};
	struct stream_result result;

	if (container_attach(call->engine, call->args->items[0], &options, &link, &err) < 0)
		return cli_fail(call, &err);
	if (foreground_check_tty(link.tty, fg.input, &err) < 0)
		return cli_refuse(call, "%s", err_message(&err));
	fg.sig_proxy = opts->sig_proxy &&
		       !link.tty; /* a terminal has its own way of sending them */
	if (foreground_stream(call, &fg, &link, &result, &err) < 0)
		return foreground_fail(call, &err);
	return result.detached ? 0 : result.exit_code;
}

const struct command cmd_attach = {
	.name = "attach",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Attach local standard input, output, and error streams to a running container",
	.description = "Several may be attached at once. The detach keys (ctrl-p ctrl-q) leave the "
		       "container running; else the exit status is that of the container.",
	.min_args = 1,
	.max_args = 1,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.options = attach_options,
	.opts_size = sizeof(struct attach_opts),
	.init = attach_init,
	.run = attach_run,
};
