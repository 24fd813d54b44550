/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_SECOND INT64_C(1000000000)

static void handle(struct event_source *source, uint32_t events)
{
	struct timer *timer = source->owner;

	(void)events;
	timer_disarm(timer); /* before it fires: it may be armed again, or freed */
	timer->fire(timer->context);
}

int timer_arm(struct timer *timer, struct event_loop *loop, int64_t delay_ns)
{
	struct itimerspec when = {0};
	int r;

	timer_disarm(timer);
	if (delay_ns < 1)
		delay_ns = 1;
	when.it_value.tv_sec = delay_ns / NS_PER_SECOND;
	when.it_value.tv_nsec = delay_ns % NS_PER_SECOND;
	timer->source = (struct event_source){.handle = handle, .owner = timer};
	timer->source.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer->source.fd < 0)
		return -errno;
	timer->loop = loop;
	r = timerfd_settime(timer->source.fd, 0, &when, NULL) < 0 ? -errno : 0;
	if (r == 0)
		r = event_want(loop, &timer->source, EPOLLIN);
	if (r < 0)
		timer_disarm(timer);
	return r;
}

void timer_disarm(struct timer *timer)
{
	if (timer->source.fd < 0)
		return;
	if (timer->source.events)
		(void)event_want(timer->loop, &timer->source, 0);
	cleanup_close_fd(&timer->source.fd);
}
