/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs.h - documents made from the command tables
 *
 * gen_docs is a developer's program: the build runs it and installs what it writes.
 *
 *	gen_docs manual FILE...     manual pages; the files must be exactly those that exist
 *	gen_docs bash|zsh|fish      a completion script on standard output
 *	gen_docs options            every command and option, for tools/check-parity
 */
#ifndef SKIFF_TOOLS_DOCS_H
#define SKIFF_TOOLS_DOCS_H

#include <stdio.h>

#include "cli/command.h"
#include "cli/command_table.h"

/* The overview, skiff(1). */
void manual_write_overview(FILE *out);
void manual_write_command(const struct command *command, FILE *out);

/* skiff-oci(1), with all of its commands. */
void manual_write_oci(FILE *out);

void bash_write(FILE *out);
void zsh_write(FILE *out);
void fish_write(FILE *out);
void options_write(FILE *out);

/* What `skiff __complete` is asked for; NULL when the shell finds it without us. */
const char *complete_word(enum complete_kind kind);

/* "ps", "container ls"; the caller frees. */
char *path_text(const struct command_path *path);

#endif
