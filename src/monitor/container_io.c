/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/container_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

/* A terminal gives at most a page per read; several are collected while there is more. */
#define TTY_READ_FULL 1024
#define TTY_READ_ROOM 4096

/* More than the kernel keeps for one terminal (64 KiB of flip buffers and a line discipline). */
#define TTY_DRAIN_MAX (256U << 10)

void container_io_init(struct container_io *io)
{
	*io = (struct container_io){.slave_fd = NO_FD};
	io->input.fd = NO_FD;
	for (size_t i = 0; i < JSON_LOG_STREAM_COUNT; i++)
		io->output[i].fd = NO_FD;
}

static void close_source(struct container_io *io, struct event_source *source)
{
	if (io->loop && source->fd >= 0)
		(void)event_want(io->loop, source, 0);
	cleanup_close_fd(&source->fd);
}

/* One read, or several of a terminal; 0 at the end, -EAGAIN when there is nothing. */
static ssize_t read_output(struct container_io *io, int fd)
{
	size_t room = io->buffer_size - 1, used = 0;
	ssize_t n;

	do {
		do
			n = read(fd, io->buffer + 1 + used, room - used);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			break;
		used += (size_t)n;
	} while (io->tty && n >= TTY_READ_FULL && room - used >= TTY_READ_ROOM);

	if (used > 0)
		return (ssize_t)used;
	/* EIO: the other end of the terminal is closed. */
	return n == 0 || errno == EIO ? 0 : -errno;
}

static enum json_log_stream stream_of(const struct container_io *io,
				      const struct event_source *source)
{
	return source == &io->output[JSON_LOG_STDERR] ? JSON_LOG_STDERR : JSON_LOG_STDOUT;
}

static void handle_output(struct event_source *source, uint32_t events)
{
	struct container_io *io = source->owner;
	ssize_t n = read_output(io, source->fd);

	(void)events;
	if (n > 0)
		io->on_output(io->context, stream_of(io, source), (size_t)n);
	else if (n != -EAGAIN)
		close_source(io, source);
}

static void handle_room(struct event_source *source, uint32_t events)
{
	struct container_io *io = source->owner;

	(void)events;
	(void)event_want(io->loop, source, 0);
	io->on_room(io->context);
}

void container_ends_close(struct container_ends *ends)
{
	for (size_t i = 0; i < 3; i++)
		cleanup_close_fd(&ends->fd[i]);
}

/* Only our end is non-blocking: that is a property of each end, not of the pipe. */
static int make_pipe(bool we_read, int *ret_ours, int *ret_theirs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = fds[we_read ? 0 : 1];
	*ret_theirs = fds[we_read ? 1 : 0];
	return fd_set_nonblock(*ret_ours, true);
}

int container_io_open_pipes(struct container_io *io, bool open_stdin,
			    struct container_ends *ret_ends)
{
	auto_(container_ends_close) struct container_ends ends = CONTAINER_ENDS_EMPTY;
	int r = 0;

	if (open_stdin)
		r = make_pipe(/* we_read= */ false, &io->input.fd, &ends.fd[STDIN_FILENO]);
	if (r == 0)
		r = make_pipe(/* we_read= */ true, &io->output[JSON_LOG_STDOUT].fd,
			      &ends.fd[STDOUT_FILENO]);
	if (r == 0)
		r = make_pipe(/* we_read= */ true, &io->output[JSON_LOG_STDERR].fd,
			      &ends.fd[STDERR_FILENO]);
	if (r < 0)
		return r;
	*ret_ends = ends;
	ends = CONTAINER_ENDS_EMPTY;
	return 0;
}

int container_io_take_console(struct container_io *io, int console_fd, bool open_stdin)
{
	int r;

	io->tty = true;
	io->output[JSON_LOG_STDOUT].fd = console_fd;
	r = fd_set_nonblock(console_fd, true);
	if (r < 0)
		return r;
	io->slave_fd = ioctl(console_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (io->slave_fd < 0)
		return -errno;
	if (!open_stdin)
		return 0;
	/* A number of its own: epoll knows each descriptor once, and reading may pause. */
	io->input.fd = fd_dup(console_fd);
	return io->input.fd < 0 ? io->input.fd : 0;
}

int container_io_start(struct container_io *io, struct event_loop *loop)
{
	io->loop = loop;
	io->input.handle = handle_room;
	io->input.owner = io;
	for (size_t i = 0; i < JSON_LOG_STREAM_COUNT; i++) {
		int r;

		io->output[i].handle = handle_output;
		io->output[i].owner = io;
		if (io->output[i].fd < 0)
			continue;
		r = event_want(loop, &io->output[i], EPOLLIN);
		if (r < 0)
			return r;
	}
	return 0;
}

void container_io_pause(struct container_io *io, bool paused)
{
	if (io->paused == paused)
		return;
	io->paused = paused;
	for (size_t i = 0; i < JSON_LOG_STREAM_COUNT; i++)
		if (io->output[i].fd >= 0)
			(void)event_want(io->loop, &io->output[i], paused ? 0 : EPOLLIN);
}

/* What was written before the end fits into this much; more can only come from outside. */
static size_t drain_limit(const struct container_io *io, int fd)
{
	int capacity;

	if (io->tty)
		return TTY_DRAIN_MAX;
	capacity = fcntl(fd, F_GETPIPE_SZ);
	return capacity > 0 ? (size_t)capacity : 0;
}

void container_io_drain(struct container_io *io)
{
	for (size_t i = 0; i < JSON_LOG_STREAM_COUNT; i++) {
		int fd = io->output[i].fd;
		size_t left;
		ssize_t n;

		if (fd < 0)
			continue;
		for (left = drain_limit(io, fd); left > 0;
		     left -= (size_t)n < left ? (size_t)n : left) {
			n = read_output(io, fd);
			if (n <= 0)
				break;
			io->on_output(io->context, (enum json_log_stream)i, (size_t)n);
		}
		close_source(io, &io->output[i]);
	}
}

size_t container_io_write(struct container_io *io, const void *data, size_t len)
{
	size_t done = 0;

	while (done < len && io->input.fd >= 0) {
		ssize_t n = write(io->input.fd, (const char *)data + done, len - done);

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || errno == EAGAIN) {
			(void)event_want(io->loop, &io->input, EPOLLOUT);
			return done;
		}
		close_source(io, &io->input); /* EPIPE: it has closed its standard input */
	}
	return len;
}

void container_io_close_input(struct container_io *io)
{
	if (!io->tty)
		close_source(io, &io->input);
}

void container_io_resize(struct container_io *io, struct tty_size size)
{
	if (io->tty && io->output[JSON_LOG_STDOUT].fd >= 0)
		(void)tty_set_size(io->output[JSON_LOG_STDOUT].fd, size);
}

void container_io_release(struct container_io *io)
{
	close_source(io, &io->input);
	for (size_t i = 0; i < JSON_LOG_STREAM_COUNT; i++)
		close_source(io, &io->output[i]);
	cleanup_close_fd(&io->slave_fd);
}
