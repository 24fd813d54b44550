/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_internal.h - the stages of a monitor's life
 *
 * theory: A monitor lives through three stages, one file each, in this order.
 *
 *	launch (monitor_launch.c)  reads LAUNCH, takes the container's lock, starts the container.
 *	                           May fail: then everything is taken back and FAILED is sent.
 *	serve (monitor.c)          moves bytes until the container's first process has ended.
 *	end (monitor_end.c)        delivers the last output, writes down the exit, removes what was
 *	                           made in /run and in the cgroups, and goes.
 *
 * Dying is harmless before the first stage is over (the container's process is killed with us), and
 * in the second costs the exit status and the output: the container goes on as an orphan.
 *
 * The lock: STATE_DIR/containers/ID/lock is held by flock(2) from launch to end, and its directory
 * is removed with it. Somebody may have opened the file just before it went, and would hold a lock
 * on a file that nobody else can find. Hence two rules for all who take it: only its holder
 * removes it, and who has got it looks whether the file still has a name (st_nlink), and
 * begins again when it has none.
 */
#ifndef SKIFF_MONITOR_MONITOR_INTERNAL_H
#define SKIFF_MONITOR_MONITOR_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "monitor/client.h"
#include "monitor/container_io.h"
#include "monitor/json_log.h"
#include "monitor/protocol.h"
#include "runtime/container.h"
#include "sys/event.h"

struct monitor {
	struct monitor_launch *request; /* freed when the container runs */
	char id[65];
	char *root, *state; /* paths, for the commands that we run */
	int root_fd, container_fd, state_fd, lock_fd;
	int start_lock_fd; /* the starter's lock; ours until we have our own */
	bool auto_remove;

	struct runtime_process process;
	struct container_io io;
	struct json_log log;
	struct client_list clients;

	struct event_loop loop;
	struct event_source children; /* signalfd of SIGCHLD; descriptor owned */
	uint8_t *buffer;              /* MONITOR_MESSAGE_MAX bytes; a mapping of its own */
	bool is_calm;                 /* memory was given back and nothing happened since */
	int64_t started_ns;
	bool has_ended;
	int exit_code;
};

/* Reads LAUNCH. 1, or 0 when the command went away without it, or a negative errno. */
int monitor_receive(struct monitor *m, int control_sock, struct error *err);

/* Starts the container; on failure nothing is left but exit.json. */
int monitor_launch(struct monitor *m, struct error *err);

/* Reaps whoever has ended and notes the end of the container. */
void monitor_reap(struct monitor *m);

/* Everything that comes after the end of the container's first process. */
void monitor_end(struct monitor *m);

/* Removes what monitor_launch() made in the state directory, the lock last. */
void monitor_forget_state(struct monitor *m);

#endif
