/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_internal.h - between our terminal or pipes and whatever is at the other end
 *
 *	stream.c           the loop: our descriptors, signals, terminal, detach keys
 *	stream_output.c    writing to our own descriptors without getting stuck in it
 *	stream_monitor.c   a peer: the connection to a monitor
 *	stream_console.c   a peer: a terminal's master that we hold (exec -t)
 */
#ifndef SKIFF_ENGINE_STREAM_INTERNAL_H
#define SKIFF_ENGINE_STREAM_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "engine/monitor_link.h"
#include "sys/tty.h"

#define STREAM_BUFFER_SIZE 65536

/* What a peer had to say. */
enum stream_news {
	STREAM_NOTHING,
	STREAM_OUTPUT, /* ret_chunk is filled */
	STREAM_END,
};

/* Borrows from the buffer it was received into. */
struct stream_chunk {
	int stream; /* STDOUT_FILENO or STDERR_FILENO */
	const uint8_t *data;
	size_t len;
};

struct stream_peer {
	int fds[2];   /* heard when readable; NO_FD: none */
	short events; /* more that is wanted of fds[0] */
	bool tty;
	int exit_code; /* after STREAM_END */
	bool kept;     /* the same; see struct stream_result */

	/* enum stream_news or a negative errno. `buffer` has STREAM_BUFFER_SIZE bytes. */
	int (*receive)(struct stream_peer *peer, uint8_t *buffer, struct stream_chunk *ret_chunk,
		       struct error *err);
	size_t (*room)(const struct stream_peer *peer); /* how much input it takes now */
	void (*send)(struct stream_peer *peer, const uint8_t *data, size_t len);
	void (*send_eof)(struct stream_peer *peer);
	void (*resize)(struct stream_peer *peer, struct tty_size size);
	void (*signal)(struct stream_peer *peer, int signal);
	void (*writable)(struct stream_peer *peer); /* fds[0] has POLLOUT; may be NULL */
};

int stream_run(struct stream_peer *peer, const struct stream_request *request,
	       struct stream_result *ret_result, struct error *err);

/* Every signal that is forwarded, and SIGWINCH. */
void stream_signals(sigset_t *ret_set);

/* ---- stream_output.c ---- */

struct stream_output {
	int fd; /* borrowed; NO_FD: what is written vanishes */
	mode_t type;
	bool cannot_nowait;
};

void stream_output_init(struct stream_output *output, int fd);

/*
 * Writes what goes without waiting; `is_ready` tells that poll(2) has just said POLLOUT. Returns
 * the number of bytes, -EAGAIN when poll(2) must be asked first, or another negative errno.
 */
ssize_t stream_output_write(struct stream_output *output, const uint8_t *data, size_t len,
			    bool is_ready);

#endif
