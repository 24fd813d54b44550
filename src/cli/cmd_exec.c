/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/env_file.h"
#include "cli/foreground.h"
#include "engine/container.h"
#include "engine/engine.h"

#define ENTER_ALL "namespaces"
#define ENTER_CHROOT "chroot"

struct exec_opts {
	const char *detach_keys, *user, *workdir, *enter;
	struct strv env, env_files;
	bool detach, interactive, privileged, tty, as_child;
};

static int check_enter(const char *value, struct error *err)
{
	if (strcmp(value, ENTER_ALL) == 0 || strcmp(value, ENTER_CHROOT) == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0, "must be " ENTER_ALL " or " ENTER_CHROOT);
}

static const struct option_spec exec_options_table[] = {
	OPT_FLAG(struct exec_opts, as_child, 0, "as-child",
		 "Make the command a child of the container's first process"),
	OPT_FLAG(struct exec_opts, detach, 'd', "detach",
		 "Detached mode: run command in the background"),
	OPT_STRING(struct exec_opts, detach_keys, 0, "detach-keys", "string",
		   "Key sequence that detaches from the command",
		   .default_text = "\"ctrl-p,ctrl-q\"", .check = foreground_check_keys),
	OPT_STRING(struct exec_opts, enter, 0, "enter", "string",
		   "What to enter: all namespaces, or only the root directory (chroot)",
		   .default_text = "\"" ENTER_ALL "\"", .choices = ENTER_ALL " " ENTER_CHROOT,
		   .check = check_enter),
	OPT_LIST(struct exec_opts, env, 'e', "env", "list",
		 "Set environment variables (KEY alone: inherit ours)", .check = env_arg_check),
	OPT_LIST(struct exec_opts, env_files, 0, "env-file", "list",
		 "Read environment variables from a file", .complete = COMPLETE_FILE),
	OPT_FLAG(struct exec_opts, interactive, 'i', "interactive",
		 "Keep STDIN open even if not attached"),
	OPT_FLAG(struct exec_opts, privileged, 0, "privileged",
		 "Give extended privileges to the command"),
	OPT_FLAG(struct exec_opts, tty, 't', "tty", "Allocate a pseudo-TTY"),
	OPT_STRING(struct exec_opts, user, 'u', "user", "string",
		   "User name or UID (<name|uid>[:<group|gid>])"),
	OPT_STRING(struct exec_opts, workdir, 'w', "workdir", "string",
		   "Working directory inside the container"),
	OPT_END,
};

static int read_env(const struct exec_opts *opts, struct strv *env, struct error *err)
{
	for (size_t i = 0; i < opts->env_files.count; i++) {
		int r = env_file_read(opts->env_files.items[i], environ, env, err);

		if (r < 0)
			return r;
	}
	env_args_resolve(&opts->env, environ, env);
	return 0;
}

static int exec_in_container(const struct command_call *call, const struct exec_options *options)
{
	auto_(error_release) struct error err = {0};
	int code = 0;

	cli_flush(call->cli);
	if (container_exec(call->engine, call->agent, call->args->items[0], options, &code, &err) <
	    0)
		return cli_fail(call, &err);
	return options->detach ? 0 : code;
}

static int exec_run(const struct command_call *call)
{
	const struct exec_opts *opts = call->opts;
	auto_(strv_release) struct strv args = {0};
	auto_(strv_release) struct strv env = {0};
	auto_(error_release) struct error err = {0};
	struct exec_options options = {
		.user = opts->user,
		.workdir = opts->workdir,
		.tty = opts->tty,
		.open_stdin = opts->interactive,
		.detach = opts->detach,
		.privileged = opts->privileged,
		.as_child = opts->as_child,
		.chroot_only = opts->enter && strcmp(opts->enter, ENTER_CHROOT) == 0,
		.detach_keys = opts->detach_keys,
	};

	if (read_env(opts, &env, &err) < 0)
		return cli_usage_error(call, &err);
	if (foreground_check_tty(opts->tty, opts->interactive && !opts->detach, &err) < 0)
		return cli_refuse(call, "%s", err_message(&err));
	for (size_t i = 1; i < call->args->count; i++)
		strv_add(&args, call->args->items[i]);
	options.args = args;
	options.env = env;
	return exec_in_container(call, &options);
}

const struct command cmd_exec = {
	.name = "exec",
	.usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
	.summary = "Execute a command in a running container",
	.description =
		"Enters all namespaces of the container. The command gets the environment of the "
		"container's first process, then --env-file and --env. Its exit status is ours; "
		"126 "
		"when it cannot be executed, 127 when there is no such command.\n\n"
		"--enter=chroot enters only the container's root directory: the rest of the view "
		"is the "
		"host's, which is for debugging.",
	.examples = "A shell in a container:\n\tskiff exec -it web /bin/sh\n"
		    "As another user, with a variable:\n\tskiff exec -u www-data -e LANG=C web env",
	.min_args = 2,
	.max_args = ARGS_ANY,
	.needs = NEEDS_EXEC,
	.failure = FAILURE_IS_1_OR_PROGRAM,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.stop_at_first_arg = true,
	.options = exec_options_table,
	.opts_size = sizeof(struct exec_opts),
	.run = exec_run,
};
