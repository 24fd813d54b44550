/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_health.h - the health checks of a running container
 *
 * One check at a time; the next is due an interval after the end of the one before (docker's rule), or,
 * while the container is starting, a start interval. A paused container is not checked.
 */
#ifndef SKIFF_MONITOR_MONITOR_HEALTH_H
#define SKIFF_MONITOR_MONITOR_HEALTH_H

#include <stdbool.h>
#include <sys/types.h>

#include "monitor/health.h"
#include "runtime/health_check.h"
#include "sys/event.h"
#include "sys/timer.h"

struct monitor;

struct monitor_health {
	struct health_check check; /* no test: nothing here is ever used */
	struct health health;      /* without results: those are read when one is added */
	struct timer next;
	struct timer kill;              /* a stop of ours takes too long */
	struct event_source answer;     /* of the probe that runs; descriptor owned */
	pid_t probe;                    /* 0: none runs */
	bool wants_restart, wants_stop; /* what --health-on-failure has begun */
};

#define MONITOR_HEALTH_EMPTY                                                                       \
	((struct monitor_health){.next = TIMER_EMPTY, .kill = TIMER_EMPTY, .answer = {.fd = NO_FD}})

/* A run is about to begin: whoever sees it sees that its health is checked. */
void monitor_health_announce(struct monitor *m);

/* A run has begun, or is over. */
void monitor_health_begin(struct monitor *m);
void monitor_health_end(struct monitor *m);

/* Now, whenever the next is due; who has asked is told by client_list_send_health(). */
void monitor_health_run(struct monitor *m);

#endif
