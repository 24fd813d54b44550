/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env_file.h - --env-file, --label-file, -e and --label
 *
 * A file has one KEY=value per line; the value is taken literally, quotes included. Empty lines and
 * lines that begin with '#' are skipped, as is white space before a key. A line "KEY" stands for
 * the value of KEY in our own environment, and for nothing when there is none; in a label file it
 * is a label without a value.
 */
#ifndef SKIFF_CLI_ENV_FILE_H
#define SKIFF_CLI_ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

#define ENV_FILE_MAX_BYTES ((size_t)1 << 20)

/*
 * Appends the lines of a file's text. `environment` (NULL: lines without '=' are kept as they are)
 * gives the values of bare keys. `name` is for messages. ERR_INVALID.
 */
int env_text_parse(const char *text, size_t len, const char *name, char *const *environment,
		   struct strv *ret_list, struct error *err);

/* The same for the file at `path`. */
int env_file_read(const char *path, char *const *environment, struct strv *ret_list,
		  struct error *err);

/* Appends -e arguments: KEY=value as it is, a bare KEY with its value in `environment`. */
void env_args_resolve(const struct strv *args, char *const *environment, struct strv *ret_list);

/* For the option tables: ERR_INVALID when there is no key before '='. */
int env_arg_check(const char *value, struct error *err);

#endif
