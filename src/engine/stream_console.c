/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "engine/stream_internal.h"
#include "sys/process.h"

#define BACKLOG_MAX 65536

/*
 * theory: The end is the end of the process, not of the terminal, which its children may hold
 * open: when the process has ended, what is in the terminal is read until it is empty.
 */
struct console_peer {
	struct stream_peer peer;
	int console_fd, pidfd; /* borrowed */
	struct strbuf backlog; /* input that the terminal has not taken */
};

static void write_backlog(struct stream_peer *peer)
{
	struct console_peer *c = (struct console_peer *)peer;
	size_t done = 0;

	if (c->backlog.len == 0)
		return;
	while (done < c->backlog.len) {
		ssize_t n = write(c->console_fd, c->backlog.data + done, c->backlog.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	memmove(c->backlog.data, c->backlog.data + done, c->backlog.len - done);
	c->backlog.len -= done;
	peer->events = c->backlog.len > 0 ? POLLOUT : 0;
}

static size_t console_room(const struct stream_peer *peer)
{
	const struct console_peer *c = (const struct console_peer *)peer;

	return BACKLOG_MAX - c->backlog.len;
}

static void console_send(struct stream_peer *peer, const uint8_t *data, size_t len)
{
	struct console_peer *c = (struct console_peer *)peer;

	strbuf_add(&c->backlog, data, len);
	write_backlog(peer);
}

/* A terminal has no end of file: what the user types there decides. */
static void console_send_eof(struct stream_peer *peer)
{
	(void)peer;
}

static void console_resize(struct stream_peer *peer, struct tty_size size)
{
	(void)tty_set_size(((struct console_peer *)peer)->console_fd, size);
}

static void console_signal(struct stream_peer *peer, int signal)
{
	(void)process_signal(((struct console_peer *)peer)->pidfd, signal);
}

static int console_receive(struct stream_peer *peer, uint8_t *buffer,
			   struct stream_chunk *ret_chunk, struct error *err)
{
	struct console_peer *c = (struct console_peer *)peer;
	bool has_ended = process_wait_end(c->pidfd, 0) == 1;
	ssize_t n;

	(void)err;
	n = read(c->console_fd, buffer, STREAM_BUFFER_SIZE);
	if (n > 0) {
		*ret_chunk = (struct stream_chunk){
			.stream = STDOUT_FILENO, .data = buffer, .len = (size_t)n};
		return STREAM_OUTPUT;
	}
	if (has_ended)
		return STREAM_END;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STREAM_NOTHING;
	/* Nobody has the other end open; only the end of the process can follow. */
	peer->fds[0] = NO_FD;
	return STREAM_NOTHING;
}

int stream_console(int console_fd, int pidfd, const struct stream_request *request,
		   struct stream_result *ret_result, struct error *err)
{
	struct console_peer c = {
		.peer = {.fds = {console_fd, pidfd},
			 .tty = true,
			 .receive = console_receive,
			 .room = console_room,
			 .send = console_send,
			 .send_eof = console_send_eof,
			 .resize = console_resize,
			 .signal = console_signal,
			 .writable = write_backlog},
		.console_fd = console_fd,
		.pidfd = pidfd,
	};
	int r;

	r = fd_set_nonblock(console_fd, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "use terminal");
	r = stream_run(&c.peer, request, ret_result, err);
	strbuf_release(&c.backlog);
	return r;
}
