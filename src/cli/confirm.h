/* SPDX-License-Identifier: Apache-2.0 */
/* confirm.h - asking before something is destroyed */
#ifndef SKIFF_CLI_CONFIRM_H
#define SKIFF_CLI_CONFIRM_H

#include <stdbool.h>

#include "cli/cli.h"

/* Prints the warning and the question. Anything but "y" is no; so is the end of the input. */
bool confirm(const struct cli *cli, const char *warning);

#endif
