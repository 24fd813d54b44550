/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/event.h"

#include "base/fd.h"

int event_loop_open(struct event_loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void event_loop_close(struct event_loop *loop)
{
	cleanup_close_fd(&loop->epoll_fd);
}

int event_want(struct event_loop *loop, struct event_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	int op = EPOLL_CTL_MOD;

	if (source->events == events)
		return 0;
	if (source->events == 0)
		op = EPOLL_CTL_ADD;
	else if (events == 0)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(loop->epoll_fd, op, source->fd, &event) < 0)
		return -errno;
	source->events = events;
	return 0;
}

int event_loop_step(struct event_loop *loop, int timeout_ms)
{
	struct epoll_event event;
	struct event_source *source;
	int n;

	n = epoll_wait(loop->epoll_fd, &event, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return 0;
	source = event.data.ptr;
	source->handle(source, event.events);
	return 1;
}
