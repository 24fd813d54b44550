/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_check.h - how a container's health is checked
 *
 * Part of launch.json:
 *
 *	"health": {"test": ["/bin/sh", "-c", "…"], "interval": 30000000000, "timeout": 30000000000,
 *	           "startPeriod": 0, "startInterval": 5000000000, "retries": 3,
 *	           "onFailure": "kill", "stopSignal": 15, "stopTimeout": 10}
 */
#ifndef SKIFF_RUNTIME_HEALTH_CHECK_H
#define SKIFF_RUNTIME_HEALTH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

enum health_status {
	HEALTH_NONE, /* there is no check */
	HEALTH_STARTING,
	HEALTH_HEALTHY,
	HEALTH_UNHEALTHY,
};

#define HEALTH_STATUS_COUNT 4

/* "none", "starting", "healthy", "unhealthy". */
const char *health_status_name(enum health_status status);

/* What is done when the container has become unhealthy; podman's --health-on-failure. */
enum health_action {
	HEALTH_ACTION_NONE,
	HEALTH_ACTION_KILL,    /* the restart policy has the word then */
	HEALTH_ACTION_RESTART, /* whatever the policy says */
	HEALTH_ACTION_STOP,    /* for good */
};

#define HEALTH_ACTION_COUNT 4

struct health_check {
	struct strv test; /* program and arguments; empty: there is no check */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;
	uint32_t retries;
	enum health_action on_failure;
	int stop_signal; /* of STOP and RESTART */
	int64_t stop_timeout_s;
};

const char *health_action_name(enum health_action action);

/* -EINVAL when there is no such action. */
int health_action_parse(const char *text, enum health_action *ret_action);

/* NULL when there is no check; a new reference. */
json_t *health_check_to_json(const struct health_check *check);

/* `object` NULL: no check. ERR_INTERNAL for what health_check_to_json() did not make. */
int health_check_from_json(const json_t *object, struct health_check *ret_check, struct error *err);

void health_check_release(struct health_check *check);

DEFINE_CLEANUP_VALUE(struct health_check, health_check_release);

#endif
