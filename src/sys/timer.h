/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.h - something that happens later, in an event loop
 *
 * A timer that is not armed has no descriptor and costs nothing. It fires once; whoever wants more
 * arms it again. The clock stands still while the machine is suspended.
 */
#ifndef SKIFF_SYS_TIMER_H
#define SKIFF_SYS_TIMER_H

#include <stdint.h>

#include "base/cleanup.h"
#include "sys/event.h"

struct timer {
	struct event_loop *loop;    /* borrowed */
	struct event_source source; /* descriptor owned; NO_FD: not armed */
	void (*fire)(void *context);
	void *context;
};

#define TIMER_EMPTY ((struct timer){.source = {.fd = NO_FD}})

/* Fires once in delay_ns (at least one), also when it was armed already. 0 or a negative errno. */
int timer_arm(struct timer *timer, struct event_loop *loop, int64_t delay_ns);

/* Never fires after this. */
void timer_disarm(struct timer *timer);

DEFINE_CLEANUP_VALUE(struct timer, timer_disarm);

#endif
