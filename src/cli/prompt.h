/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - asking the person at the terminal */
#ifndef SKIFF_CLI_PROMPT_H
#define SKIFF_CLI_PROMPT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Shows `question` on `out` and reads a line from standard input, without its line end; `secret` hides
 * what is typed. A signal meanwhile ends us as it would have, with the terminal as it was. Caller
 * wipes and frees. 0, -ENOTTY, or -ENODATA at the end of input.
 */
int prompt_line(FILE *out, const char *question, bool secret, char **ret_line);

#endif
