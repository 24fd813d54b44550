/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - from argv to an exit status
 *
 *	auto_(cli_release) struct cli cli = {0};
 *	auto_(invocation_release) struct invocation invocation = {0};
 *	int status;
 *
 *	cli_init(&cli, stdout, stderr);
 *	if (cli_parse(&cli, argc, argv, &invocation, &status))
 *		status = cli_run(&cli, &invocation);
 *
 * Exit statuses are docker's: 0, 1 for a command that failed, 125 for options that make no sense
 * and for `run` when the engine failed, 126 and 127 for a container's command that cannot be
 * executed or does not exist.
 */
#ifndef SKIFF_CLI_CLI_H
#define SKIFF_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/option.h"
#include "cli/refused_options.h"

#define PROGRAM_NAME "skiff"

#define STATUS_FAILURE 1
#define STATUS_USAGE 125
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_COMMAND_MISSING 127
#define STATUS_SIGNAL 128 /* and the signal's number */

struct global_opts {
	const char *config, *log_level, *root, *state;
	bool debug, version;
	struct refused_opts refused;
};

extern const struct option_spec global_options[];

struct cli {
	FILE *out, *err; /* borrowed */
	struct global_opts global;
	char *root, *state; /* absolute; owned; NULL: the engine's defaults */
};

void cli_init(struct cli *cli, FILE *out, FILE *err);
void cli_release(struct cli *cli);

/* A command as it was typed. */
struct invocation {
	const struct command *command;
	char *typed;      /* "ps", "container ls" */
	void *opts;       /* the command's options struct */
	struct strv args; /* positional arguments */
};

/*
 * Understands the command line. Returns true when a command is to be run; else everything was
 * said already (help, version, or what is wrong) and *ret_status is the exit status.
 */
bool cli_parse(struct cli *cli, size_t argc, const char *const *argv,
	       struct invocation *ret_invocation, int *ret_status);
void invocation_release(struct invocation *invocation);

/* Provides what the command needs, runs it, and flushes the output. Returns the exit status. */
int cli_run(struct cli *cli, const struct invocation *invocation);

/* ---- for commands ---- */

/* "skiff: message". Returns the exit status that suits the command and the kind. */
int cli_fail(const struct command_call *call, const struct error *err);

/* The same for what the command itself finds wrong: STATUS_FAILURE. */
int cli_refuse(const struct command_call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A value that makes no sense: the message and where help is. Returns STATUS_USAGE. */
int cli_usage_error(const struct command_call *call, const struct error *err);

/* Before somebody else writes to the descriptor beneath. */
void cli_flush(struct cli *cli);

DEFINE_CLEANUP_VALUE(struct cli, cli_release);
DEFINE_CLEANUP_VALUE(struct invocation, invocation_release);

#endif
