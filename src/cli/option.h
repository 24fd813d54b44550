/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option.h - option tables and the parser that fills a struct from them
 *
 * A table is an array of struct option_spec that ends with OPT_END; each row says where in the
 * command's options struct its value goes. The same table gives --help, the manual page and the
 * shell completions. The syntax is that of docker's parser (Go's pflag):
 *
 *	--name=value  --name value  -n value  -nvalue  -n=value     options with a value
 *	--flag  --flag=false  -f  -f=false  -abc                    flags; short ones in one word
 *	--                                                          what follows are arguments
 *
 * Values are borrowed from argv; only lists own memory, which options_release() frees.
 *
 *	static const struct option_spec rm_options[] = {
 *		OPT_FLAG(struct rm_opts, force, 'f', "force", "Kill a running container first"),
 *		OPT_END,
 *	};
 *
 * Further members of a row may follow the help text: OPT_STRING(…, "…", .hidden = true).
 */
#ifndef SKIFF_CLI_OPTION_H
#define SKIFF_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

enum option_type {
	OPTION_FLAG,    /* bool */
	OPTION_STRING,  /* const char *; NULL: not given */
	OPTION_INT,     /* int64_t */
	OPTION_LIST,    /* struct strv; may be repeated */
	OPTION_INCLUDE, /* the rows of another table, whose struct lies at `offset` */
};

/* What a shell offers for a value or an argument. */
enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_DIRECTORY,
	COMPLETE_CONTAINER,         /* any */
	COMPLETE_RUNNING_CONTAINER, /* one that runs */
	COMPLETE_STOPPED_CONTAINER, /* one that does not */
	COMPLETE_IMAGE,
	COMPLETE_OBJECT, /* containers and images */
};

#define COMPLETE_KIND_COUNT 8

struct option_spec {
	size_t offset; /* of the field in the options struct */
	const char *long_name;
	const char *value_name; /* in help: "string", "list", "bytes", … */
	const char *help;
	const char *default_text;          /* shown in help; NULL: none */
	const char *deprecated;            /* "use --x instead": said when used; implies hidden */
	const char *choices;               /* possible values, separated by spaces; NULL: any */
	const struct option_spec *include; /* OPTION_INCLUDE */
	/* Refuses a value while parsing; the message is what is wrong with it. NULL: any will do. */
	int (*check)(const char *value, struct error *err);
	enum option_type type;
	enum complete_kind complete; /* of the value */
	char short_name;
	bool hidden; /* accepted, not in help (other spellings) */
};

/* Fails to compile when the field has not the option's C type. */
#define OPT_FIELD_(opts, field, ctype)                                                             \
	(offsetof(opts, field) +                                                                   \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((opts *)0)->field), ctype)       \
				 ? 1                                                               \
				 : -1]))
#define OPT_ROW_(t, opts, field, ctype, s, l, v, h, ...)                                           \
	{                                                                                          \
		.type = (t), .offset = OPT_FIELD_(opts, field, ctype), .short_name = (s),          \
		.long_name = (l), .value_name = (v), .help = (h), ##__VA_ARGS__                    \
	}
#define OPT_FLAG(opts, field, s, l, h, ...)                                                        \
	OPT_ROW_(OPTION_FLAG, opts, field, bool, s, l, NULL, h, ##__VA_ARGS__)
#define OPT_STRING(opts, field, s, l, v, h, ...)                                                   \
	OPT_ROW_(OPTION_STRING, opts, field, const char *, s, l, v, h, ##__VA_ARGS__)
#define OPT_INT(opts, field, s, l, h, ...)                                                         \
	OPT_ROW_(OPTION_INT, opts, field, int64_t, s, l, "int", h, ##__VA_ARGS__)
#define OPT_LIST(opts, field, s, l, v, h, ...)                                                     \
	OPT_ROW_(OPTION_LIST, opts, field, struct strv, s, l, v, h, ##__VA_ARGS__)
#define OPT_INCLUDE(opts, field, table)                                                            \
	{                                                                                          \
		.type = OPTION_INCLUDE, .offset = offsetof(opts, field), .long_name = "",          \
		.include = (table)                                                                 \
	}
#define OPT_END                                                                                    \
	{                                                                                          \
		.long_name = NULL                                                                  \
	}

struct option_parse {
	const struct option_spec *table; /* NULL: no options */
	void *opts;                      /* the struct that the table describes */
	bool stop_at_first_arg;          /* the rest belongs to somebody else */
	bool help_is_option;             /* "--help", and "-h" when the table has no such letter */
};

struct option_result {
	bool help;         /* --help was met; parsing stopped there */
	struct strv args;  /* what is no option, in order */
	struct strv notes; /* about deprecated options, one line each */
};

/*
 * Parses argv[0..argc). With stop_at_first_arg, the first argument and all that follows are
 * result->args. ERR_INVALID in docker's words ("unknown flag: --foo").
 */
int options_parse(const struct option_parse *parse, size_t argc, const char *const *argv,
		  struct option_result *ret_result, struct error *err);
void option_result_release(struct option_result *result);

/* Frees the lists of an options struct. */
void options_release(const struct option_spec *table, void *opts);

/* The rows of a table and of those it includes, sorted by long name. */
struct option_list {
	struct option_spec *items; /* copies */
	size_t count;
};

/* hidden: also those that help does not show. */
void option_list_collect(const struct option_spec *table, bool hidden, struct option_list *ret);
void option_list_release(struct option_list *list);

/* Whether help shows it. */
bool option_is_shown(const struct option_spec *spec);

DEFINE_CLEANUP_VALUE(struct option_result, option_result_release);
DEFINE_CLEANUP_VALUE(struct option_list, option_list_release);

#endif
