/* SPDX-License-Identifier: Apache-2.0 */
/* help.h - usage texts from the tables, laid out as docker's */
#ifndef SKIFF_CLI_HELP_H
#define SKIFF_CLI_HELP_H

#include <stddef.h>

#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/command_table.h"

/* `columns` is the width of the terminal. */
void help_format_top(struct strbuf *ret_text, size_t columns);
void help_format_group(const struct command_group *group, struct strbuf *ret_text);
void help_format_command(const struct command *command, const char *typed, size_t columns,
			 struct strbuf *ret_text);

/* "Usage:  skiff run [OPTIONS] IMAGE [COMMAND] [ARG...]" without a line end. */
void help_format_usage(const struct command *command, const char *typed, struct strbuf *ret_text);

/* "skiff container ls, skiff container list, …, skiff ps"; empty with one name only. */
void help_format_aliases(const struct command *command, struct strbuf *ret_text);

/* "-m, --memory bytes" */
void help_format_option(const struct option_spec *spec, struct strbuf *ret_text);

/* The rows of a table as lines of two columns. */
void help_format_options(const struct option_spec *table, size_t columns, struct strbuf *ret_text);

#endif
