/* SPDX-License-Identifier: Apache-2.0 */
/* limit_options.h - the options of run, create and update that limit resources */
#ifndef SKIFF_CLI_LIMIT_OPTIONS_H
#define SKIFF_CLI_LIMIT_OPTIONS_H

#include "base/error.h"
#include "cli/option.h"

/* Fills a struct limit_request (engine/limit_request.h). */
extern const struct option_spec limit_options[];

/* A number of bytes with or without a unit. */
int limit_check_size(const char *value, struct error *err);

#endif
