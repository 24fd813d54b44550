/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "cli/command_table.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/monitor_link.h"

static const char *const log_levels[] = {"debug", "info", "warn", "error", "fatal"};

static int check_log_level(const char *value, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(log_levels); i++)
		if (strcmp(value, log_levels[i]) == 0)
			return 0;
	return err_set(err, ERR_INVALID, 0, "no such level");
}

const struct option_spec global_options[] = {
	OPT_STRING(struct global_opts, config, 0, "config", "string",
		   "Configuration file, instead of /etc/skiff/skiff.conf and the user's; or the "
		   "directory of docker's config.json",
		   .complete = COMPLETE_FILE),
	OPT_FLAG(struct global_opts, debug, 'D', "debug", "Write debug messages to standard error"),
	OPT_STRING(struct global_opts, log_level, 'l', "log-level", "string",
		   "What to write to standard error beside failures: only \"debug\" adds anything",
		   .default_text = "\"info\"", .choices = "debug info warn error fatal",
		   .check = check_log_level),
	OPT_INCLUDE(struct global_opts, refused, refused_global_options),
	OPT_STRING(struct global_opts, root, 0, "root", "string",
		   "Directory of images and containers", .default_text = "\"/var/lib/skiff\"",
		   .complete = COMPLETE_DIRECTORY),
	OPT_STRING(struct global_opts, state, 0, "state", "string",
		   "Directory of what lasts until the next boot", .default_text = "\"/run/skiff\"",
		   .complete = COMPLETE_DIRECTORY),
	OPT_FLAG(struct global_opts, version, 'v', "version", "Print version information and quit"),
	OPT_END,
};

void cli_init(struct cli *cli, FILE *out, FILE *err)
{
	*cli = (struct cli){.out = out, .err = err};
}

void cli_release(struct cli *cli)
{
	free(cli->root);
	free(cli->state);
	*cli = (struct cli){0};
}

void cli_flush(struct cli *cli)
{
	(void)fflush(cli->out);
	(void)fflush(cli->err);
}

void invocation_release(struct invocation *invocation)
{
	const struct command *command = invocation->command;

	if (command && invocation->opts) {
		if (command->release)
			command->release(invocation->opts);
		options_release(command->options, invocation->opts);
	}
	free(invocation->opts);
	free(invocation->typed);
	strv_release(&invocation->args);
	*invocation = (struct invocation){0};
}

/* ---- what is wrong ---- */

static int status_of(const struct command *command, const struct error *err)
{
	if (command->failure != FAILURE_IS_1) {
		if (err->kind == ERR_NOT_EXECUTABLE)
			return STATUS_NOT_EXECUTABLE;
		if (err->kind == ERR_COMMAND_MISSING)
			return STATUS_COMMAND_MISSING;
	}
	return command->failure == FAILURE_IS_125_OR_PROGRAM ? STATUS_USAGE : STATUS_FAILURE;
}

int cli_fail(const struct command_call *call, const struct error *err)
{
	(void)fflush(call->cli->out);
	(void)fprintf(call->cli->err, PROGRAM_NAME ": %s\n", err_message(err));
	return status_of(call->command, err);
}

int cli_refuse(const struct command_call *call, const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	(void)fflush(call->cli->out);
	(void)fprintf(call->cli->err, PROGRAM_NAME ": %s\n", message);
	return STATUS_FAILURE;
}

int cli_usage_error(const struct command_call *call, const struct error *err)
{
	(void)fflush(call->cli->out);
	(void)fprintf(call->cli->err,
		      PROGRAM_NAME ": %s\n\nRun '" PROGRAM_NAME
				   " %s --help' for more information\n",
		      err_message(err), call->typed);
	return STATUS_USAGE;
}

static void say_unknown(const struct cli *cli, const char *group, const char *name)
{
	const char *space = group ? " " : "";

	group = group ? group : "";
	(void)fprintf(cli->err,
		      PROGRAM_NAME ": unknown command: " PROGRAM_NAME " %s%s%s\n\n"
				   "Run '" PROGRAM_NAME " %s%s--help' for more information\n",
		      group, space, name, group, space);
}

/* `where` is "", "run ", "container ", …; `usage` is a whole line. */
static void say_bad_option(const struct cli *cli, const struct error *err, const char *usage,
			   const char *where)
{
	(void)fprintf(cli->err,
		      "%s\n\n%s\n\nRun '" PROGRAM_NAME " %s--help' for more information\n",
		      err_message(err), usage, where);
}

static char *argument_rule(const struct command *command)
{
	size_t min = command->min_args, max = command->max_args;
	const char *plural = max == 1 || (max == ARGS_ANY && min == 1) ? "" : "s";

	if (max == 0)
		return xstrdup("accepts no arguments");
	if (min == max)
		return xasprintf("requires %zu argument%s", min, plural);
	if (max == ARGS_ANY)
		return xasprintf("requires at least %zu argument%s", min, plural);
	if (min == 0)
		return xasprintf("requires at most %zu argument%s", max, plural);
	return xasprintf("requires at least %zu and at most %zu arguments", min, max);
}

static void say_bad_count(const struct cli *cli, const struct invocation *invocation)
{
	auto_free char *rule = argument_rule(invocation->command);
	auto_(strbuf_release) struct strbuf usage = {0};

	help_format_usage(invocation->command, invocation->typed, &usage);
	(void)fprintf(cli->err,
		      PROGRAM_NAME ": '" PROGRAM_NAME " %s' %s\n\n%s\n\nRun '" PROGRAM_NAME
				   " %s --help' for more information\n",
		      invocation->typed, rule, strbuf_text(&usage), invocation->typed);
}

/* ---- parsing ---- */

/* The words of a command line that are not read yet. */
struct words {
	size_t count;
	const char *const *items;
};

/* A part of the command line was dealt with, and nothing is to be run. */
static bool finish(int status, int *ret_status)
{
	*ret_status = status;
	return false;
}

static void print_text(const struct cli *cli, const struct strbuf *text)
{
	(void)fputs(strbuf_text(text), cli->out);
	(void)fflush(cli->out);
}

static void print_top_help(const struct cli *cli)
{
	auto_(strbuf_release) struct strbuf text = {0};

	help_format_top(&text, terminal_size().columns);
	print_text(cli, &text);
}

static void print_command_help(const struct cli *cli, const struct command *command,
			       const char *typed)
{
	auto_(strbuf_release) struct strbuf text = {0};

	help_format_command(command, typed, terminal_size().columns, &text);
	print_text(cli, &text);
}

static void print_group_help(const struct cli *cli, const struct command_group *group)
{
	auto_(strbuf_release) struct strbuf text = {0};

	help_format_group(group, &text);
	print_text(cli, &text);
}

/* Our own directory for a command that runs elsewhere, or later: relative names are resolved. */
static char *absolute_path(const char *path)
{
	auto_free char *cwd = NULL;

	if (*path == '/')
		return xstrdup(path);
	cwd = getcwd(NULL, 0);
	return cwd ? xasprintf("%s/%s", cwd, path) : xstrdup(path);
}

static char *directory_option(const char *option, const char *variable)
{
	const char *value = option ? option : getenv(variable);

	return value && *value ? absolute_path(value) : NULL;
}

/*
 * In the environment, so that what we start reads the same. A directory is what docker means by it: that of
 * its config.json.
 */
static void apply_config(const char *path)
{
	auto_free char *config = absolute_path(path);
	struct stat st;
	bool is_directory = stat(config, &st) == 0 && S_ISDIR(st.st_mode);

	(void)setenv(is_directory ? "DOCKER_CONFIG" : "SKIFF_CONFIG", config,
		     /* overwrite= */ true);
}

static void apply_global_options(struct cli *cli)
{
	const char *level = cli->global.log_level;

	if (cli->global.debug || (level && strcmp(level, "debug") == 0))
		(void)setenv("SKIFF_DEBUG", "all", /* overwrite= */ false);
	log_init();
	if (cli->global.config)
		apply_config(cli->global.config);
	cli->root = directory_option(cli->global.root, "SKIFF_ROOT");
	cli->state = directory_option(cli->global.state, "SKIFF_STATE");
}

static bool parse_command(struct cli *cli, const struct command *command, const char *typed,
			  const struct words *words, struct invocation *ret, int *ret_status)
{
	auto_(error_release) struct error err = {0};
	auto_(option_result_release) struct option_result result = {0};
	auto_(invocation_release) struct invocation invocation = {
		.command = command,
		.typed = xstrdup(typed),
		.opts = command->opts_size > 0 ? xcalloc(1, command->opts_size) : NULL,
	};
	const struct option_parse parse = {command->options, invocation.opts,
					   command->stop_at_first_arg, /* help_is_option= */ true};

	if (command->init)
		command->init(invocation.opts);
	if (options_parse(&parse, words->count, words->items, &result, &err) < 0) {
		auto_(strbuf_release) struct strbuf usage = {0};
		auto_free char *where = xasprintf("%s ", typed);

		help_format_usage(command, typed, &usage);
		say_bad_option(cli, &err, strbuf_text(&usage), where);
		return finish(STATUS_USAGE, ret_status);
	}
	for (size_t i = 0; i < result.notes.count; i++)
		(void)fprintf(cli->err, "%s\n", result.notes.items[i]);
	if (result.help) {
		print_command_help(cli, command, typed);
		return finish(0, ret_status);
	}
	invocation.args = result.args;
	result.args = (struct strv){0};
	if (invocation.args.count < command->min_args ||
	    invocation.args.count > command->max_args) {
		say_bad_count(cli, &invocation);
		return finish(STATUS_FAILURE, ret_status);
	}
	*ret = invocation;
	invocation = (struct invocation){0};
	return true;
}

static bool parse_group(struct cli *cli, const struct command_group *group,
			const struct words *words, struct invocation *ret, int *ret_status)
{
	auto_(error_release) struct error err = {0};
	auto_(option_result_release) struct option_result result = {0};
	auto_free char *typed = NULL;
	const struct option_parse parse = {.stop_at_first_arg = true, .help_is_option = true};
	const struct command_path *path;
	struct words rest;

	if (options_parse(&parse, words->count, words->items, &result, &err) < 0) {
		auto_free char *usage =
			xasprintf("Usage:  " PROGRAM_NAME " %s COMMAND", group->name);
		auto_free char *where = xasprintf("%s ", group->name);

		say_bad_option(cli, &err, usage, where);
		return finish(STATUS_USAGE, ret_status);
	}
	if (result.help || result.args.count == 0) {
		print_group_help(cli, group);
		return finish(0, ret_status);
	}
	path = command_path_find(group->name, result.args.items[0]);
	if (!path) {
		say_unknown(cli, group->name, result.args.items[0]);
		return finish(STATUS_FAILURE, ret_status);
	}
	typed = xasprintf("%s %s", group->name, path->name);
	rest.count = result.args.count - 1;
	rest.items = words->items + (words->count - rest.count);
	return parse_command(cli, path->command, typed, &rest, ret, ret_status);
}

/* skiff help [COMMAND]: as COMMAND --help. */
static bool parse_help(struct cli *cli, const struct words *words, int *ret_status)
{
	const char *first = words->count > 0 ? words->items[0] : NULL;
	const struct command_group *group = first ? command_group_find(first) : NULL;
	const char *group_name = group && words->count > 1 ? group->name : NULL;
	const char *name = group_name ? words->items[1] : first;
	const struct command_path *path = name ? command_path_find(group_name, name) : NULL;
	auto_free char *typed = NULL;

	if (!first) {
		print_top_help(cli);
		return finish(0, ret_status);
	}
	if (group && !group_name) {
		print_group_help(cli, group);
		return finish(0, ret_status);
	}
	if (!path) {
		say_unknown(cli, group_name, name);
		return finish(STATUS_FAILURE, ret_status);
	}
	typed = group_name ? xasprintf("%s %s", group_name, name) : xstrdup(name);
	print_command_help(cli, path->command, typed);
	return finish(0, ret_status);
}

static bool parse_name(struct cli *cli, const char *name, const struct words *rest,
		       struct invocation *ret, int *ret_status)
{
	const struct command_path *path = command_path_find(NULL, name);
	const struct command_group *group;

	if (path)
		return parse_command(cli, path->command, name, rest, ret, ret_status);
	group = command_group_find(name);
	if (group)
		return parse_group(cli, group, rest, ret, ret_status);
	if (strcmp(name, "help") == 0)
		return parse_help(cli, rest, ret_status);
	say_unknown(cli, NULL, name);
	return finish(STATUS_FAILURE, ret_status);
}

bool cli_parse(struct cli *cli, size_t argc, const char *const *argv,
	       struct invocation *ret_invocation, int *ret_status)
{
	auto_(error_release) struct error err = {0};
	auto_(option_result_release) struct option_result result = {0};
	const struct option_parse parse = {global_options, &cli->global,
					   /* stop_at_first_arg= */ true,
					   /* help_is_option= */ true};
	struct words rest;

	if (argc > 0 && options_parse(&parse, argc - 1, argv + 1, &result, &err) < 0) {
		say_bad_option(cli, &err, "Usage:  " PROGRAM_NAME " [OPTIONS] COMMAND [ARG...]",
			       "");
		return finish(STATUS_USAGE, ret_status);
	}
	if (!result.help && cli->global.version) {
		(void)fputs(PROGRAM_NAME " version " SKIFF_VERSION "\n", cli->out);
		(void)fflush(cli->out);
		return finish(0, ret_status);
	}
	if (result.help || result.args.count == 0) {
		print_top_help(cli);
		return finish(0, ret_status);
	}
	apply_global_options(cli);
	rest.count = result.args.count - 1;
	rest.items = argv + (argc - rest.count);
	return parse_name(cli, result.args.items[0], &rest, ret_invocation, ret_status);
}

/* ---- running ---- */

/* Output that could not be written is a failure of the command, whatever it returned. */
static int flush_output(const struct command_call *call, int status)
{
	auto_(error_release) struct error err = {0};
	FILE *out = call->cli->out;

	if (fflush(out) == 0 && !ferror(out))
		return status;
	(void)err_set(&err, ERR_SYSTEM, errno, "write to standard output");
	(void)cli_fail(call, &err);
	return status != 0 ? status : STATUS_FAILURE;
}

static int open_engine(const struct cli *cli, struct command_call *call, struct error *err)
{
	const struct engine_paths paths = {.root = cli->root, .state = cli->state};

	return engine_open(&paths, &call->engine, err);
}

/*
 * The monitor is started first, so that it loads while the engine is opened. What the engine has to
 * say (we are not root) explains more than why there is no monitor.
 */
static int open_engine_and_monitor(const struct cli *cli, struct command_call *call,
				   struct monitor_link *link, struct error *err)
{
	auto_(error_release) struct error link_err = {0};
	int spawned, r;

	spawned = monitor_link_spawn(link, &link_err);
	r = open_engine(cli, call, err);
	if (r < 0)
		return r;
	if (spawned < 0)
		return err_move(err, &link_err);
	call->link = link;
	return 0;
}

/* As above. */
static int open_engine_and_agent(const struct cli *cli, struct command_call *call,
				 struct error *err)
{
	auto_(error_release) struct error agent_err = {0};
	int begun, r;

	begun = exec_begin(&call->agent, &agent_err);
	r = open_engine(cli, call, err);
	if (r < 0)
		return r;
	return begun < 0 ? err_move(err, &agent_err) : 0;
}

static int provide(const struct cli *cli, struct command_call *call, struct monitor_link *link,
		   struct error *err)
{
	switch (call->command->needs) {
	case NEEDS_NOTHING:
		return 0;
	case NEEDS_ENGINE:
		return open_engine(cli, call, err);
	case NEEDS_MONITOR:
		return open_engine_and_monitor(cli, call, link, err);
	case NEEDS_EXEC:
		return open_engine_and_agent(cli, call, err);
	}
	return err_set(err, ERR_INTERNAL, 0, "command needs nothing we know");
}

int cli_run(struct cli *cli, const struct invocation *invocation)
{
	auto_(error_release) struct error err = {0};
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	auto_(exec_end) struct exec_agent *agent = NULL;
	auto_(engine_close) struct engine *engine = NULL;
	struct command_call call = {
		.cli = cli,
		.command = invocation->command,
		.typed = invocation->typed,
		.opts = invocation->opts,
		.args = &invocation->args,
	};
	int r;

	r = provide(cli, &call, &link, &err);
	engine = call.engine;
	agent = call.agent;
	if (r < 0)
		return cli_fail(&call, &err);
	return flush_output(&call, call.command->run(&call));
}
