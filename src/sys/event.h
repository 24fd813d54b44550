/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - a small event loop around epoll(7)
 *
 * A source is a descriptor, the events somebody wants to hear of, and a function. Sources belong to
 * whoever embeds them; the loop keeps only pointers. One event is delivered at a time, so a
 * handler may remove and free any source, its own included.
 *
 * A source that wants no events is taken out of the kernel's set: EPOLLHUP cannot be masked, and a
 * descriptor that is hung up but deliberately not read would otherwise wake us without end.
 */
#ifndef SKIFF_SYS_EVENT_H
#define SKIFF_SYS_EVENT_H

#include <stdint.h>
#include <sys/epoll.h>

#include "base/cleanup.h"

struct event_source {
	int fd;          /* borrowed */
	uint32_t events; /* what the kernel was told; 0: nothing */
	void (*handle)(struct event_source *source, uint32_t events);
	void *owner;
};

struct event_loop {
	int epoll_fd;
};

#define EVENT_LOOP_EMPTY ((struct event_loop){.epoll_fd = NO_FD})

int event_loop_open(struct event_loop *loop);
void event_loop_close(struct event_loop *loop);

/* Sets what the source wants to hear of; 0 removes it. Cheap when nothing changes. */
int event_want(struct event_loop *loop, struct event_source *source, uint32_t events);

/*
 * Waits for one event and handles it. Returns 1, or 0 when timeout_ms (-1: none) passed, or a
 * negative errno.
 */
int event_loop_step(struct event_loop *loop, int timeout_ms);

DEFINE_CLEANUP_VALUE(struct event_loop, event_loop_close);

#endif
