/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refused_options.h - options of docker that cannot mean anything here
 *
 * They are not in help. Who uses one is told why there is no such thing, which "unknown flag" would not
 * say.
 */
#ifndef SKIFF_CLI_REFUSED_OPTIONS_H
#define SKIFF_CLI_REFUSED_OPTIONS_H

#include "cli/option.h"

struct refused_opts {
	const char *text;
	bool flag;
};

extern const struct option_spec refused_options[];        /* of run and create */
extern const struct option_spec refused_global_options[]; /* before the command */

#endif
