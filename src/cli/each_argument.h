/* SPDX-License-Identifier: Apache-2.0 */
/* each_argument.h - commands that do one thing to each of several containers */
#ifndef SKIFF_CLI_EACH_ARGUMENT_H
#define SKIFF_CLI_EACH_ARGUMENT_H

#include "base/error.h"
#include "cli/command.h"

/*
 * Calls `act` for each argument and prints the argument when it succeeded; a failure is reported
 * and the others still get their turn. Returns the exit status: 0, or that of the last failure.
 */
int each_argument(const struct command_call *call,
		  int (*act)(const struct command_call *call, const char *argument,
			     struct error *err));

#endif
