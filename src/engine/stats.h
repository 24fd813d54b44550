/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - what containers use
 *
 *	r = stats_new(engine, &request, &stats, &err);
 *	while (r >= 0) {
 *		r = stats_sample(stats, &err);
 *		… stats_get(stats, i) for i < stats_count(stats) …
 *		wait a second
 *	}
 *	stats_free(stats);
 *
 * Each sample looks anew at which containers there are. Rates are those between two samples, so the
 * first one has none. Rows are in the order of `ps`, or of the selectors; they are borrowed until
 * the next sample.
 */
#ifndef SKIFF_ENGINE_STATS_H
#define SKIFF_ENGINE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"

#define STATS_HISTORY_MAX 256

struct stats_request {
	const struct strv *selectors; /* borrowed; empty: all that run */
	bool all;                     /* without selectors: also those that do not run */
};

struct stats_pressure {
	double some,
		full; /* percent of the last ten seconds that some, that all processes waited */
	uint64_t some_us, full_us; /* since the start */
};

struct stats_row {
	const char *id, *name;
	const char *selector; /* as typed; the id without selectors */
	bool is_running;      /* else all that follows is 0 */
	double cpu_percent;   /* of one processor */
	double memory_percent;
	uint64_t cpu_ns, cpu_user_ns, cpu_system_ns;
	uint64_t throttled_periods, throttled_ns;
	uint64_t memory_bytes;       /* without page cache that can be dropped at once, as docker */
	uint64_t memory_limit_bytes; /* that of the machine when there is none */
	uint64_t received_bytes, sent_bytes; /* 0 with the host's network */
	/* Of block devices; where the kernel does not count it for groups, by processes that live. */
	uint64_t read_bytes, write_bytes;
	uint64_t pids, oom_kills;
	bool has_pressure;
	struct stats_pressure cpu_pressure, memory_pressure, io_pressure;
	const float *cpu_history; /* percent, oldest first */
	size_t cpu_history_count;
};

struct stats;

/* ERR_NOT_FOUND when a selector names nothing. */
int stats_new(struct engine *engine, const struct stats_request *request, struct stats **ret_stats,
	      struct error *err);
void stats_free(struct stats *stats);

int stats_sample(struct stats *stats, struct error *err);
size_t stats_count(const struct stats *stats);
const struct stats_row *stats_get(const struct stats *stats, size_t index);

/* Received and sent bytes of /proc/PID/net/dev, all but the loopback device. */
void stats_sum_network(const char *text, uint64_t *ret_received, uint64_t *ret_sent);

DEFINE_CLEANUP(struct stats *, stats_free);

#endif
