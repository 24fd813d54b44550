/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h - what is known of a container's health
 *
 * theory: docker's rules. A run begins as "starting". A check that succeeds (exit code 0) makes it
 * "healthy". One that fails counts, but not while it is starting within its start period; as many in
 * a row as `retries` make it "unhealthy". The last five results are kept, over restarts too.
 *
 * ROOT/containers/ID/health.json is docker's State.Health, written after each check:
 * {"Status": …, "FailingStreak": …, "Log": [{"Start", "End", "ExitCode", "Output"}, …]}. What a list
 * wants is in STATE/containers/ID/health, a symbolic link whose text is the status.
 */
#ifndef SKIFF_MONITOR_HEALTH_H
#define SKIFF_MONITOR_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/health_check.h"

#define HEALTH_RESULTS_MAX 5
#define HEALTH_OUTPUT_MAX 4096

struct health_result {
	int64_t start_ns, end_ns;
	int exit_code; /* -1: it could not be executed, or took too long */
	char *output;  /* owned; UTF-8 */
};

struct health {
	enum health_status status;
	uint32_t failing_streak;
	struct health_result results[HEALTH_RESULTS_MAX]; /* oldest first */
	size_t count;
};

/* A run begins. */
void health_begin(struct health *health);

/* Adds a result, whose output it takes. True when the status has changed. */
bool health_add(struct health *health, const struct health_check *check, int64_t run_started_ns,
		struct health_result *result);

/* Both files. state_fd NO_FD: there is no run. 0 or a negative errno. */
int health_save(const struct health *health, int container_fd, int state_fd);

/* What an earlier run has left; nothing is success. */
void health_load(int container_fd, struct health *ret_health);

void health_release(struct health *health);

DEFINE_CLEANUP_VALUE(struct health, health_release);

#endif
