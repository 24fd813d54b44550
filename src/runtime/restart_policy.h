/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart_policy.h - --restart: whether a container that has ended is started again
 *
 * Written as docker writes it: no, always, unless-stopped, on-failure, on-failure:5.
 */
#ifndef SKIFF_RUNTIME_RESTART_POLICY_H
#define SKIFF_RUNTIME_RESTART_POLICY_H

#include <stdint.h>

#include "base/error.h"

enum restart_kind {
	RESTART_NO,
	RESTART_ALWAYS,
	RESTART_ON_FAILURE,
	RESTART_UNLESS_STOPPED,
};

#define RESTART_KIND_COUNT 4

struct restart_policy {
	enum restart_kind kind;
	uint32_t max_retries; /* of on-failure; 0: no bound */
};

/* NULL and "" are "no". ERR_INVALID with docker's words. */
int restart_policy_parse(const char *text, struct restart_policy *ret_policy, struct error *err);

/* "no", "always", … without the number. */
const char *restart_policy_name(enum restart_kind kind);

#endif
