/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command_table.h - every command and every way to name it
 *
 * docker has two names for most commands ("ps", "container ls"), and some more as aliases. A path
 * is one name of a command; help, completion and the list of aliases come from this table.
 */
#ifndef SKIFF_CLI_COMMAND_TABLE_H
#define SKIFF_CLI_COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

struct command_path {
	const char *group; /* "container"; NULL: top level */
	const char *name;  /* "ls" */
	const struct command *command;
	bool alias;  /* not listed in help */
	bool common; /* top level: among the first in help */
};

struct command_group {
	const char *name, *summary;
};

/* Sorted by group (top level first), then by name; *ret_count entries. */
const struct command_path *command_paths(size_t *ret_count);
const struct command_group *command_groups(size_t *ret_count);

/* NULL when there is none. */
const struct command_path *command_path_find(const char *group, const char *name);
const struct command_group *command_group_find(const char *name);

#endif
