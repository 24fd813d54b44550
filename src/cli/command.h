/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - a command is a value
 *
 * Each command is one file: an options struct, a table of its options, and a run function. Parsing,
 * --help, shell completion and the manual page come from the table. Nothing lives in file-level
 * variables, so a command can run twice in one process.
 */
#ifndef SKIFF_CLI_COMMAND_H
#define SKIFF_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

enum option_type {
	OPTION_FLAG,   /* bool; --x, --x=false */
	OPTION_STRING, /* const char * */
	OPTION_INT,    /* int64_t */
	OPTION_LIST,   /* struct strv; may be repeated */
};

struct option_spec {
	enum option_type type;
	size_t offset; /* of the field in the options struct */
	char short_name;
	const char *long_name;
	const char *value_name; /* in help: "string", "list", "bytes", … */
	const char *help;
	const char *default_text; /* shown in help; NULL: none */
	size_t set_offset;        /* of a bool that tells the option was given; SIZE_MAX: none */
	bool hidden;              /* accepted, not in help (other spellings) */
};

/* static_assert-checked: the field has the option's C type. */
#define OPT_FIELD_(opts, field, ctype)                                                             \
	(offsetof(opts, field) +                                                                   \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((opts *)0)->field), ctype)       \
				 ? 1                                                               \
				 : -1]))
#define OPT_FLAG(opts, field, s, l, h)                                                             \
	{                                                                                          \
		.type = OPTION_FLAG, .offset = OPT_FIELD_(opts, field, bool), .short_name = (s),   \
		.long_name = (l), .help = (h), .set_offset = SIZE_MAX                              \
	}
#define OPT_STRING(opts, field, s, l, v, h)                                                        \
	{                                                                                          \
		.type = OPTION_STRING, .offset = OPT_FIELD_(opts, field, const char *),            \
		.short_name = (s), .long_name = (l), .value_name = (v), .help = (h),               \
		.set_offset = SIZE_MAX                                                             \
	}
#define OPT_INT(opts, field, s, l, h)                                                              \
	{                                                                                          \
		.type = OPTION_INT, .offset = OPT_FIELD_(opts, field, int64_t), .short_name = (s), \
		.long_name = (l), .value_name = "int", .help = (h), .set_offset = SIZE_MAX         \
	}
#define OPT_LIST(opts, field, s, l, v, h)                                                          \
	{                                                                                          \
		.type = OPTION_LIST, .offset = OPT_FIELD_(opts, field, struct strv),               \
		.short_name = (s), .long_name = (l), .value_name = (v), .help = (h),               \
		.set_offset = SIZE_MAX                                                             \
	}
#define OPT_END                                                                                    \
	{                                                                                          \
		.long_name = NULL                                                                  \
	}

#define ARGS_ANY SIZE_MAX

enum command_needs {
	NEEDS_NOTHING,
	NEEDS_ENGINE, /* an opened engine: root privileges, state and root directories */
};

struct cli; /* global options, streams */

struct command_call {
	struct cli *cli;
	struct engine *engine; /* NULL with NEEDS_NOTHING */
	const void *opts;      /* the command's options struct, filled */
	size_t argc;
	const char *const *argv; /* positional arguments */
};

struct command {
	const char *name;        /* "ps"; for groups "container ls" */
	const char *usage;       /* "[OPTIONS] CONTAINER [CONTAINER...]" */
	const char *summary;     /* one line */
	const char *description; /* for the manual; paragraphs; NULL: the summary */
	size_t min_args, max_args;
	enum command_needs needs;
	bool stop_at_first_arg; /* options after the first positional belong to the container (run,
				   exec) */
	bool enters_container; /* main() first executes us again from a read-only place (self_exe.h)
				*/
	const struct option_spec *options;
	size_t opts_size;
	void (*init)(void *opts); /* sets defaults that are not zero; may be NULL */
	/* Returns the exit status: 0, 125, …; prints its own results; errors go through
	 * cli_report(). */
	int (*run)(const struct command_call *call);
};

#endif
