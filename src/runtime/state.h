/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what a running container leaves for others to read, and what it leaves behind
 *
 * STATE_DIR/containers/ID/state.json is written by the monitor once the container's command runs,
 * replaced atomically, and removed with its directory at the end: it lives in /run. Whether it
 * still speaks the truth is asked of the kernel: a process is the one meant only when its pid and
 * its start time (field 22 of /proc/PID/stat, in clock ticks since boot) both match.
 *
 * ROOT/containers/ID/exit.json is written at the end of each run and lives as long as the
 * container.
 */
#ifndef SKIFF_RUNTIME_STATE_H
#define SKIFF_RUNTIME_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Names inside STATE_DIR/containers/ID/ and ROOT/containers/ID/. */
#define STATE_LOCK_NAME "lock" /* held by the monitor for its whole life, and by rm */
#define STATE_FILE_NAME "state.json"
#define STATE_SOCKET_NAME "attach.sock"
#define STATE_HEALTH_NAME "health" /* a symbolic link whose text is the status of its health */
#define STATE_STOP_NAME "stop"     /* container_stop_mark's */
#define EXIT_FILE_NAME "exit.json"
#define CONFIG_FILE_NAME "config.json" /* the OCI configuration, made anew at every start */
#define LAUNCH_FILE_NAME "launch.json" /* what OCI cannot say: runtime/launch.h */
#define HEALTH_FILE_NAME "health.json" /* the last results of its health check */
#define LOG_LOCAL_NAME "local.log"     /* the same of log driver local */
#define LOG_FILE_NAME "json.log"

struct process_id {
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot */
};

/*
 * Between two runs of a container with a restart policy nothing of it runs but its monitor. Then
 * `restarting` is set, `init` is empty, and exit.json tells of the run before.
 */
struct container_state {
	struct process_id init; /* the container's PID 1, as the host sees it */
	struct process_id monitor;
	int64_t started_ns;
	bool restarting;
	uint32_t restart_count; /* since it was started by hand */
	bool has_health;        /* only for saving: STATE_MODE_HEALTH */
	char *cgroup_path;      /* owned; "" when the container has none of its own */
};

struct container_exit {
	int exit_code; /* 128 + n when killed by signal n */
	bool oom_killed;
	int64_t started_ns, finished_ns;
	char *error; /* owned; why it could not start; NULL otherwise */
	uint32_t restart_count;
	bool stopped_by_hand; /* what restart policy unless-stopped remembers */
};

/*
 * The bits of state.json's mode say what a list wants to know of a container without reading its
 * files. STATE_MODE_PAUSED is set and taken away by whoever pauses it.
 */
#define STATE_MODE_USUAL 0600
#define STATE_MODE_PAUSED 0100     /* it is, or is about to be, frozen */
#define STATE_MODE_HEALTH 0001     /* its health is checked: STATE_HEALTH_NAME tells more */
#define STATE_MODE_RESTARTING 0010 /* it does not run; the monitor waits to start it again */

/*
 * Whoever ends a container by hand says so first, in STATE/containers/ID: the monitor reads it when
 * the container has ended, and while it waits to start it again, hears of it.
 */
struct stop_mark {
	bool is_set;
	bool cancels; /* no restart after this end */
	bool by_hand; /* see stopped_by_hand */
	bool keeps;   /* --rm is not obeyed this time: it will be started at once */
};

int stop_mark_save(int state_dir_fd, const struct stop_mark *mark);
struct stop_mark stop_mark_load(int state_dir_fd);

/* Fills start_time of a live process. -ESRCH when there is none. */
int process_id_of(pid_t pid, struct process_id *ret_id);

/* Alive and not a zombie. */
bool process_id_is_alive(const struct process_id *id);

/*
 * A pidfd of exactly this process; -ESRCH when it is gone or its pid was given to another.
 */
int process_id_open(const struct process_id *id);

int container_state_save(int state_dir_fd, const struct container_state *state);
/* -ENOENT when there is none; -EBADMSG when it is not ours. */
int container_state_load(int state_dir_fd, struct container_state *ret_state);
void container_state_release(struct container_state *state);

int container_exit_save(int container_dir_fd, const struct container_exit *record);
int container_exit_load(int container_dir_fd, struct container_exit *ret_record);
void container_exit_release(struct container_exit *record);

DEFINE_CLEANUP_VALUE(struct container_state, container_state_release);
DEFINE_CLEANUP_VALUE(struct container_exit, container_exit_release);

#endif
