/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory. The peer of a stream has two descriptors to be heard; here are three (standard output,
 * standard error, the process) and a fourth that wants to be written. They stand in an epoll set,
 * which is itself readable when one of them is ready. The end is the end of the process: children that
 * it left behind may keep the pipes open, and are not waited for.
 */
#include "engine/exec_pipes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "engine/stream_internal.h"
#include "sys/process.h"

#define BACKLOG_MAX 65536

int exec_pipes_open(struct exec_pipes *pipes, bool input, struct error *err)
{
	for (int i = input ? 0 : 1; i < 3; i++) {
		int ends[2], r;

		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_set(err, ERR_SYSTEM, errno, "make a pipe");
		pipes->ours[i] = i == 0 ? ends[1] : ends[0];
		pipes->theirs[i] = i == 0 ? ends[0] : ends[1];
		r = fd_set_nonblock(pipes->ours[i], true);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "set up a pipe");
	}
	return 0;
}

void exec_pipes_close_theirs(struct exec_pipes *pipes)
{
	for (int i = 0; i < 3; i++)
		cleanup_close_fd(&pipes->theirs[i]);
}

void exec_pipes_release(struct exec_pipes *pipes)
{
	exec_pipes_close_theirs(pipes);
	for (int i = 0; i < 3; i++)
		cleanup_close_fd(&pipes->ours[i]);
}

struct pipes_peer {
	struct stream_peer peer; /* first */
	struct exec_pipes *pipes;
	int epoll_fd, pidfd;
	int next; /* the stream to be read first: neither starves the other */
	bool writing, eof_wanted;
	struct strbuf backlog; /* input that the pipe has not taken */
};

static void watch(struct pipes_peer *p, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	if (fd >= 0)
		(void)epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Closing takes a descriptor out of the set too: nobody else has it. */
static void close_ours(struct pipes_peer *p, int stream)
{
	cleanup_close_fd(&p->pipes->ours[stream]);
	if (stream == STDIN_FILENO) {
		strbuf_clear(&p->backlog);
		p->writing = false;
	}
}

static void want_to_write(struct pipes_peer *p, bool want)
{
	if (want && !p->writing)
		watch(p, p->pipes->ours[0], EPOLLOUT);
	else if (!want && p->writing)
		(void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, p->pipes->ours[0], NULL);
	p->writing = want;
}

/* Input that nobody reads any more is dropped. */
static void write_backlog(struct pipes_peer *p)
{
	size_t done = 0;

	while (p->pipes->ours[0] >= 0 && done < p->backlog.len) {
		ssize_t n = write(p->pipes->ours[0], p->backlog.data + done, p->backlog.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			close_ours(p, STDIN_FILENO);
			return;
		}
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (p->pipes->ours[0] < 0)
		return;
	if (done > 0)
		memmove(p->backlog.data, p->backlog.data + done, p->backlog.len - done);
	p->backlog.len -= done;
	if (p->backlog.len == 0 && p->eof_wanted)
		close_ours(p, STDIN_FILENO);
	else
		want_to_write(p, p->backlog.len > 0);
}

static size_t pipes_room(const struct stream_peer *peer)
{
	const struct pipes_peer *p = (const struct pipes_peer *)peer;

	return BACKLOG_MAX - p->backlog.len;
}

static void pipes_send(struct stream_peer *peer, const uint8_t *data, size_t len)
{
	struct pipes_peer *p = (struct pipes_peer *)peer;

	if (p->pipes->ours[0] < 0)
		return;
	strbuf_add(&p->backlog, data, len);
	write_backlog(p);
}

static void pipes_send_eof(struct stream_peer *peer)
{
	struct pipes_peer *p = (struct pipes_peer *)peer;

	p->eof_wanted = true;
	write_backlog(p);
}

static void pipes_resize(struct stream_peer *peer, struct tty_size size)
{
	(void)peer;
	(void)size;
}

static void pipes_signal(struct stream_peer *peer, int signal)
{
	(void)process_signal(((struct pipes_peer *)peer)->pidfd, signal);
}

/* One read from one of the two; 0 when neither has anything. */
static ssize_t read_some(struct pipes_peer *p, uint8_t *buffer, int *ret_stream)
{
	for (int i = 0; i < 2; i++) {
		int stream = 1 + (p->next + i) % 2;
		ssize_t n;

		if (p->pipes->ours[stream] < 0)
			continue;
		n = read(p->pipes->ours[stream], buffer, STREAM_BUFFER_SIZE);
		if (n > 0) {
			p->next = stream % 2;
			*ret_stream = stream;
			return n;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			close_ours(p, stream);
	}
	return 0;
}

static int pipes_receive(struct stream_peer *peer, uint8_t *buffer, struct stream_chunk *ret_chunk,
			 struct error *err)
{
	struct pipes_peer *p = (struct pipes_peer *)peer;
	/* Asked before the pipes: what was written before the end is then in them. */
	bool ended = process_wait_end(p->pidfd, 0) == 1;
	int stream;
	ssize_t n;

	(void)err;
	if (p->writing)
		write_backlog(p);
	n = read_some(p, buffer, &stream);
	if (n > 0) {
		*ret_chunk =
			(struct stream_chunk){.stream = stream, .data = buffer, .len = (size_t)n};
		return STREAM_OUTPUT;
	}
	return ended ? STREAM_END : STREAM_NOTHING;
}

int exec_pipes_stream(struct exec_pipes *pipes, int pidfd, const struct stream_request *request,
		      struct error *err)
{
	auto_close int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct pipes_peer p = {
		.peer = {.fds = {epoll_fd, NO_FD},
			 .receive = pipes_receive,
			 .room = pipes_room,
			 .send = pipes_send,
			 .send_eof = pipes_send_eof,
			 .resize = pipes_resize,
			 .signal = pipes_signal},
		.pipes = pipes,
		.epoll_fd = epoll_fd,
		.pidfd = pidfd,
	};
	struct stream_result result;
	int r;

	if (epoll_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "wait for a command");
	watch(&p, pidfd, EPOLLIN);
	watch(&p, pipes->ours[1], EPOLLIN);
	watch(&p, pipes->ours[2], EPOLLIN);
	r = stream_run(&p.peer, request, &result, err);
	strbuf_release(&p.backlog);
	return r;
}
