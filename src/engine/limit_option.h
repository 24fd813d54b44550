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
#include "engine/limit_request.h"

struct create_request;

/* Fills the limits of a new `config`. */
int limit_options_apply(const struct create_request *request, struct container_config *config,
			struct error *err);

/*
 * Puts what was asked for in the place of what `config` has, and checks the outcome. On failure
 * `config` is of no use.
 */
int limit_request_merge(const struct limit_request *request, struct container_config *config,
			struct error *err);

/* Memory and swap together: as asked for, or twice the memory; 0: no limit, -1: none of swap. */
int64_t limit_swap_bytes(const struct container_config *config);

/* "0-3,7": numbers below 8192, every one of them also in `available` (a list of the same form). */
int cpu_list_check(const char *text, const char *available);

#endif
