/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/stream_internal.h"
#include "monitor/protocol.h"
#include "sys/process.h"

/* How long a monitor that closed our connection may take to be seen dead. */
#define DEATH_MS 1000

struct monitor_peer {
	struct stream_peer peer;
	struct monitor_link *link; /* borrowed */
	size_t under_way;          /* bytes of input that the container has not taken */
};

/* EPIPE and the like are not reported here: what the monitor said last is still to be read. */
static void say(const struct stream_peer *peer, const void *message, size_t len)
{
	(void)fd_send(peer->fds[0], message, len, NULL, 0);
}

static size_t monitor_room(const struct stream_peer *peer)
{
	const struct monitor_peer *m = (const struct monitor_peer *)peer;

	return MONITOR_STDIN_WINDOW - m->under_way;
}

static void monitor_send(struct stream_peer *peer, const uint8_t *data, size_t len)
{
	struct monitor_peer *m = (struct monitor_peer *)peer;
	uint8_t type = MONITOR_STDIN;
	struct iovec iov[] = {
		{.iov_base = &type, .iov_len = 1},
		{.iov_base = (void *)data, .iov_len = len},
	};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	do
		n = sendmsg(peer->fds[0], &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	m->under_way += len;
}

static void monitor_send_eof(struct stream_peer *peer)
{
	uint8_t type = MONITOR_STDIN_EOF;

	say(peer, &type, sizeof(type));
}

static void monitor_resize(struct stream_peer *peer, struct tty_size size)
{
	struct monitor_resize message = {
		.type = MONITOR_RESIZE, .rows = size.rows, .cols = size.cols};

	say(peer, &message, sizeof(message));
}

static void monitor_signal(struct stream_peer *peer, int signal)
{
	struct monitor_signal message = {.type = MONITOR_SIGNAL, .signal = signal};

	say(peer, &message, sizeof(message));
}

static int end_without_exit(const struct monitor_peer *m, struct error *err)
{
	if (m->link->pidfd >= 0 && process_wait_end(m->link->pidfd, DEATH_MS) == 0)
		return err_set(err, ERR_UNAVAILABLE, ECONNABORTED,
			       "the output was not read in time, the connection is closed");
	return err_set(err, ERR_UNAVAILABLE, ECONNRESET,
		       "the container's monitor ended unexpectedly");
}

static int understand(struct monitor_peer *m, const struct monitor_packet *packet,
		      struct stream_chunk *ret_chunk, struct error *err)
{
	if (packet->type == MONITOR_STDOUT || packet->type == MONITOR_STDERR) {
		ret_chunk->stream = packet->type == MONITOR_STDERR ? STDERR_FILENO : STDOUT_FILENO;
		ret_chunk->data = packet->data;
		ret_chunk->len = packet->len;
		return STREAM_OUTPUT;
	}
	if (packet->type == MONITOR_EXIT) {
		m->peer.exit_code = packet->exit.exit_code;
		m->peer.kept = packet->exit.kept;
		return STREAM_END;
	}
	if (packet->type == MONITOR_STDIN_TAKEN && packet->taken.bytes <= m->under_way) {
		m->under_way -= packet->taken.bytes;
		return STREAM_NOTHING;
	}
	return err_set(err, ERR_INTERNAL, EBADMSG, "the container's monitor sent message %d",
		       (int)packet->type);
}

static int monitor_receive(struct stream_peer *peer, uint8_t *buffer,
			   struct stream_chunk *ret_chunk, struct error *err)
{
	struct monitor_peer *m = (struct monitor_peer *)peer;
	struct monitor_packet packet;
	ssize_t n;

	n = recv(peer->fds[0], buffer, STREAM_BUFFER_SIZE, MSG_DONTWAIT);
	/* ECONNRESET, once: it went without reading all we sent. What it sent is still there. */
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET))
		return STREAM_NOTHING;
	if (n <= 0)
		return end_without_exit(m, err);
	if (monitor_packet_parse(buffer, (size_t)n, &packet) < 0)
		return err_set(err, ERR_INTERNAL, EBADMSG,
			       "the container's monitor sent what is no message");
	return understand(m, &packet, ret_chunk, err);
}

int monitor_link_stream(struct monitor_link *link, const struct stream_request *request,
			struct stream_result *ret_result, struct error *err)
{
	struct monitor_peer m = {
		.peer = {.fds = {link->sock, NO_FD},
			 .tty = link->tty,
			 .receive = monitor_receive,
			 .room = monitor_room,
			 .send = monitor_send,
			 .send_eof = monitor_send_eof,
			 .resize = monitor_resize,
			 .signal = monitor_signal},
		.link = link,
	};

	return stream_run(&m.peer, request, ret_result, err);
}
