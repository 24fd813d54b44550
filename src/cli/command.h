/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - a command is a value
 *
 * Each command is one file: an options struct, a table of its options, and a run function. Parsing,
 * --help, shell completion and the manual page come from the table. Nothing lives in file-level
 * variables, so a command can run twice in one process. docs/adding-a-command.md shows one whole.
 */
#ifndef SKIFF_CLI_COMMAND_H
#define SKIFF_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"
#include "cli/option.h"

#define ARGS_ANY SIZE_MAX

enum command_needs {
	NEEDS_NOTHING,
	NEEDS_ENGINE,  /* an opened engine: root privileges, state and root directories */
	NEEDS_MONITOR, /* an engine, and a monitor that loads while the engine is opened */
	NEEDS_EXEC,    /* the same with a process that will enter a container */
};

/* What the exit status is when the engine fails. */
enum command_failure {
	FAILURE_IS_1,
	FAILURE_IS_1_OR_PROGRAM,   /* 126, 127 when the container's command is the reason, else 1 */
	FAILURE_IS_125_OR_PROGRAM, /* the same with 125 */
};

struct cli;
struct engine;
struct exec_agent;
struct monitor_link;

struct command_call {
	struct cli *cli;
	const struct command *command;
	const char *typed;         /* how it was named: "ps", "container ls" */
	struct engine *engine;     /* NULL with NEEDS_NOTHING */
	struct monitor_link *link; /* NULL without NEEDS_MONITOR; owned by the caller of run */
	struct exec_agent *agent;  /* the same, NEEDS_EXEC */
	void *opts;                /* the command's options struct, filled */
	const struct strv *args;   /* positional arguments */
};

struct command {
	const char *name;        /* in the manual: "ps", "image inspect" */
	const char *usage;       /* "[OPTIONS] CONTAINER [CONTAINER...]" */
	const char *summary;     /* one line, no final dot */
	const char *description; /* for the manual: paragraphs separated by empty lines, or NULL */
	const char *examples;    /* for the manual: "what\n\tcommand line" pairs, or NULL */
	size_t min_args, max_args;
	enum command_needs needs;
	enum command_failure failure;
	enum complete_kind args;      /* what the arguments are */
	enum complete_kind rest_args; /* the second and later ones */
	bool stop_at_first_arg;       /* options after the first argument are the container's */
	bool hidden;                  /* not in help */
	const struct option_spec *options;
	size_t opts_size;
	void (*init)(void *opts);    /* sets defaults that are not zero; may be NULL */
	void (*release)(void *opts); /* frees what is no option; may be NULL */
	/* Returns the exit status. Prints its own results; failures go through cli_fail(). */
	int (*run)(const struct command_call *call);
};

#endif
