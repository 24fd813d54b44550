/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_option.h - --log-driver and --log-opt
 *
 * json-file: max-size (10m; -1: never rotated), max-file (3), compress (true). none: no log.
 */
#ifndef SKIFF_ENGINE_LOG_OPTION_H
#define SKIFF_ENGINE_LOG_OPTION_H

#include "base/error.h"
#include "base/strv.h"

struct launch;

/* Sets the log members of `launch`. `driver` NULL: json-file. */
int log_options_apply(const char *driver, const struct strv *options, struct launch *launch,
		      struct error *err);

#endif
