/* SPDX-License-Identifier: Apache-2.0 */
/* each_argument.h - commands that do one thing to each of several containers */
#ifndef SKIFF_CLI_EACH_ARGUMENT_H
#define SKIFF_CLI_EACH_ARGUMENT_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/command.h"

/*
 * Calls `act` for each argument and prints the argument when it succeeded; a failure is reported
 * and the others still get their turn. Returns the exit status: 0, or that of the last failure.
 */
typedef int each_argument_fn(const struct command_call *call, const char *argument,
			     struct error *err);
int each_argument(const struct command_call *call, each_argument_fn *act);

/*
 * The same side by side (engine/parallel.h), reported in the order of the arguments. With several of
 * them `act` runs in other processes: it must not print, nor change what the call points at.
 * ignore_missing: what is not there is reported and is no failure.
 */
int each_argument_at_once(const struct command_call *call, each_argument_fn *act,
			  bool ignore_missing);

#endif
