/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart.h - whether to start again, and when
 *
 * theory: docker's rules. The first restart comes after 100 ms, each further one after twice as long,
 * at most after a minute; a run of ten seconds or more makes the next wait short again. on-failure
 * starts again after an exit code other than 0, and at most as often as it was told. Whoever ends a
 * container by hand cancels its restarts until it is started by hand. A signal that was sent by hand
 * and is not the container's stop signal cancels nothing, but unless-stopped remembers it.
 */
#ifndef SKIFF_MONITOR_RESTART_H
#define SKIFF_MONITOR_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/restart_policy.h"

#define RESTART_DELAY_MIN_NS INT64_C(100000000)
#define RESTART_DELAY_MAX_NS INT64_C(60000000000)
#define RESTART_RAN_LONG_NS INT64_C(10000000000)

struct restart_history {
	uint32_t count;   /* restarts since it was started by hand */
	int64_t delay_ns; /* before the last one; 0: none yet */
};

struct restart_end {
	int exit_code;
	bool is_cancelled, stopped_by_hand;
	int64_t ran_ns;
};

/* Whether it is to be started again, in history->delay_ns; counts it then. */
bool restart_decide(struct restart_history *history, const struct restart_policy *policy,
		    const struct restart_end *end);

#endif
