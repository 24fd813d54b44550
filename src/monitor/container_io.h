/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_io.h - the monitor's ends of the container's standard streams
 *
 * With a terminal there is one descriptor, the master, which is read as standard output; without
 * one there are two or three pipes. All are non-blocking.
 *
 * theory: Output is read when it comes and nobody asked for a pause. A pause takes the descriptors
 * out of the event loop, the pipe fills, and the container waits: that is the back-pressure.
 *
 * The other end of a terminal is kept open here for as long as the container lives: a master
 * whose last slave was closed answers every poll with a hang-up, and a container may well close and
 * reopen its terminal. So the end of output is not an end of file but the end of the container:
 * when PID 1 of a pid namespace is seen dead, every other process in it is dead too, what they
 * wrote is in the pipe or the terminal's buffer, and container_io_drain() reads until it is empty.
 * It does not wait for an end of file: a process outside may have inherited a pipe.
 */
#ifndef SKIFF_MONITOR_CONTAINER_IO_H
#define SKIFF_MONITOR_CONTAINER_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/json_log.h"
#include "sys/event.h"
#include "sys/tty.h"

struct container_io {
	struct event_loop *loop;                           /* borrowed */
	struct event_source output[JSON_LOG_STREAM_COUNT]; /* descriptors owned */
	struct event_source input;                         /* descriptor owned */
	int slave_fd;                                      /* owned; see above */
	bool tty, paused;

	uint8_t *buffer; /* borrowed: reads go here, behind the byte that is a message's type */
	size_t buffer_size;

	/* `len` bytes of output are in buffer[1…]. */
	void (*on_output)(void *context, enum json_log_stream stream, size_t len);
	/* The container takes input again. */
	void (*on_room)(void *context);
	void *context;
};

void container_io_init(struct container_io *io);

/* The container's ends of the pipes. */
struct container_ends {
	int fd[3]; /* owned */
};

#define CONTAINER_ENDS_EMPTY ((struct container_ends){{NO_FD, NO_FD, NO_FD}})

void container_ends_close(struct container_ends *ends);

/*
 * Without a terminal: makes the pipes. The other ends are for the runtime; they are closed as soon
 * as the container has them, or the end of file would never come. No standard input without
 * open_stdin.
 */
int container_io_open_pipes(struct container_io *io, bool open_stdin,
			    struct container_ends *ret_ends);

/* With a terminal: takes the master, also when it fails. */
int container_io_take_console(struct container_io *io, int console_fd, bool open_stdin);

/* Begins to listen. */
int container_io_start(struct container_io *io, struct event_loop *loop);

void container_io_pause(struct container_io *io, bool paused);

/* Reads all that is there, without waiting. For the time after the container's end. */
void container_io_drain(struct container_io *io);

/*
 * Writes what the container takes now and returns how much that is; everything, when it takes no
 * input at all any more. When less than `len` was taken on_room() tells when to go on.
 */
size_t container_io_write(struct container_io *io, const void *data, size_t len);

/* The container reads an end of file, once it has read what is in the pipe. Not with a terminal. */
void container_io_close_input(struct container_io *io);

/* Nothing without a terminal. */
void container_io_resize(struct container_io *io, struct tty_size size);

void container_io_release(struct container_io *io);

DEFINE_CLEANUP_VALUE(struct container_io, container_io_release);
DEFINE_CLEANUP_VALUE(struct container_ends, container_ends_close);

#endif
