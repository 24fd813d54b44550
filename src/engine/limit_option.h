/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_option.h - --memory, --cpus, --pids-limit and their relatives
 *
 * Values are checked against docker's rules, and against the machine: a limit whose controller is
 * not there, or CPUs that do not exist, are refused by name at create.
 */
#ifndef SKIFF_ENGINE_LIMIT_OPTION_H
#define SKIFF_ENGINE_LIMIT_OPTION_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/container_config.h"

struct create_request;

/* Fills the limits of `config`. */
int limit_options_apply(const struct create_request *request, struct container_config *config,
			struct error *err);

/* "0-3,7": numbers below 8192, every one of them also in `available` (a list of the same form). */
int cpu_list_check(const char *text, const char *available);

#endif
