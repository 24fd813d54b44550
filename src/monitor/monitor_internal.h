/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_internal.h - the stages of a monitor's life
 *
 * theory: A monitor lives through these stages, one file each, in this order.
 *
 *	launch (monitor_launch.c)  reads LAUNCH, takes the container's lock, starts the container.
 *	                           May fail: then everything is taken back and FAILED is sent.
 *	serve (monitor.c)          moves bytes until the container's first process has ended.
 *	restart (monitor_restart.c) with a restart policy: ends the run, waits, launches the next
 *	                           one, and serves again.
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
#include "events/event_log.h"
#include "monitor/client.h"
#include "monitor/container_io.h"
#include "monitor/json_log.h"
#include "monitor/log_remote.h"
#include "monitor/monitor_health.h"
#include "monitor/monitor_network.h"
#include "monitor/protocol.h"
#include "monitor/restart.h"
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
	struct monitor_network *network; /* NULL: none of its own */
	struct container_io io;
	struct json_log log;
	struct log_remote *log_remote; /* owned; NULL: the log is a file, or there is none */
	struct client_list clients;

	struct event_loop loop;
	struct event_source children; /* signalfd of SIGCHLD; descriptor owned */
	uint8_t *buffer;              /* MONITOR_MESSAGE_MAX bytes; a mapping of its own */
	bool calm_at_once;            /* nothing more is expected: no second of waiting */
	bool is_calm;                 /* memory was given back and nothing happened since */
	uint16_t tty_rows, tty_cols;  /* the terminal's first size */

	/* the run */
	int64_t started_ns, started_monotonic_ns;
	bool has_ended;
	bool is_finished; /* what follows is noted: the last output is delivered */
	int exit_code;
	bool oom_killed;
	int64_t finished_ns;
	char *failure; /* why it could not be started again; NULL */

	struct monitor_health health;
	struct restart_policy policy;
	struct restart_history history;
	struct stop_mark stop; /* as it was when the run had ended */
	bool is_between_runs;
	char *event_attributes;      /* of every event of this container; see launch.h */
	struct launch_mounts mounts; /* for the events of its volumes */
};

/* Says what happened to the container (events/event_log.h); `more` may be NULL. */
void monitor_emit(const struct monitor *m, const char *action, const struct event_attribute *more);

/* That its volumes are mounted; monitor_emit_end() says that they no longer are. */
void monitor_emit_mounts(const struct monitor *m);

/* That its run has ended: "die", after "oom" when the kernel was short of memory. */
void monitor_emit_end(const struct monitor *m);

/* Reads LAUNCH. 1, or 0 when the command went away without it, or a negative errno. */
int monitor_receive(struct monitor *m, int control_sock, struct error *err);

/* Starts the container; on failure nothing is left but exit.json. */
int monitor_launch(struct monitor *m, struct error *err);

/* Starts it once more, with a configuration that was just written; on failure no process is left. */
int monitor_launch_again(struct monitor *m, struct error *err);

/* The exit code of a container that could not be started. */
int monitor_failure_code(const struct error *err);

/* The streams of a run that has not begun. */
void monitor_init_io(struct monitor *m);

/* Whoever talks to us talks to this run from now on. */
void monitor_announce_run(struct monitor *m);

/* One event, or a calm. */
void monitor_serve_once(struct monitor *m);

/*
 * The container's first process has ended. With a restart policy that wants it: ends the run, waits,
 * and starts the next one. False when that is not to be, or failed: monitor_end() follows.
 */
bool monitor_restart(struct monitor *m);

/* The last output of the run goes to the log and the clients, and how it ended is known. */
void monitor_finish_run(struct monitor *m);

/* Writes exit.json. */
void monitor_note_exit(struct monitor *m);

/* Reaps whoever has ended and notes the end of the container. */
void monitor_reap(struct monitor *m);

/* Everything that comes after the end of the last run. */
void monitor_end(struct monitor *m);

/* Removes what monitor_launch() made in the state directory, the lock last. */
void monitor_forget_state(struct monitor *m);

#endif
