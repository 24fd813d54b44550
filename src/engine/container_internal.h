/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_internal.h - one container, as the use cases see it
 *
 * Theory. A container is three things, each with its own truth:
 *
 *	its record in the database         what it is: written by create, gone with rm
 *	ROOT/containers/ID/                its writable layer, bundle, log; exit.json
 *	STATE/containers/ID/               exists from start until the monitor has cleaned up
 *
 * Its status is derived, never stored:
 *
 *	STATE/…/lock is held                          its monitor lives: running (or just starting
 *	                                              or ending, when there is no state.json; or
 *	                                              restarting, when that says so)
 *	free, state.json's PID 1 lives                orphaned
 *	else exit.json exists                         exited (created, if that start failed)
 *	else config.json exists                       dead: a start that nobody saw the end of
 *	else                                          created
 *
 * start removes exit.json before it lets a monitor begin; a monitor writes it before its lock goes.
 * STATE/containers/ID that nobody holds is what a crash left: container_bury() takes it away.
 *
 * Start, rename and rm of one container exclude each other by an flock on ROOT/containers/ID, through
 * a descriptor of its own. A start shares it with its monitor until that has the lock in STATE, so
 * that a starter that is killed leaves no moment in between.
 */
#ifndef SKIFF_ENGINE_CONTAINER_INTERNAL_H
#define SKIFF_ENGINE_CONTAINER_INTERNAL_H

#include <fcntl.h>
#include <stdbool.h>

#include "base/error.h"
#include "engine/container.h"
#include "engine/container_config.h"
#include "runtime/state.h"
#include "storage/container_record.h"

/* "containers/ID", "layers/HEX/diff": relative to ROOT (the first also to STATE); caller frees. */
char *container_directory_path(const char *id);
char *container_layer_path(const char *chain_id);

struct container {
	struct engine *engine; /* borrowed */
	struct container_record record;
	struct container_config config;
	int dir_fd;   /* ROOT/containers/ID; NO_FD when it is missing */
	int state_fd; /* STATE/containers/ID; NO_FD when there is none */
};

#define CONTAINER_EMPTY ((struct container){.dir_fd = NO_FD, .state_fd = NO_FD})

int container_open(struct engine *engine, const char *selector, struct container *ret_container,
		   struct error *err);
void container_release(struct container *container);

/* Opens STATE/containers/ID anew: it comes and goes. */
int container_reopen_state(struct container *container, struct error *err);

struct container_view {
	enum container_status status;
	bool monitor_alive; /* somebody holds the lock */
	bool has_state, has_exit;
	struct container_state state;
	struct container_exit exit;
};

/* What is true of it now. */
int container_look(const struct container *container, struct container_view *ret_view,
		   struct error *err);
void container_view_release(struct container_view *view);

/* Whether its processes exist: running, paused or orphaned. */
bool container_view_is_alive(const struct container_view *view);

/* ERR_CONFLICT with docker's words unless it is alive. */
int container_require_alive(const struct container *container, const struct container_view *view,
			    struct error *err);

/*
 * An flock on ROOT/containers/ID; the descriptor holds it. ERR_NOT_FOUND when the container was
 * removed meanwhile.
 */
int container_lock(const struct container *container, struct error *err);

/*
 * Takes away what a crash left of a run: processes, cgroup, STATE directory; writes exit.json when
 * nobody did. `exit_code` is what is known of the end, -1: nothing (137 is recorded). The monitor
 * must be gone. Nothing to do is success.
 */
int container_bury(const struct container *container, int exit_code, struct error *err);

/* The same for a STATE directory whose container has no record. */
int container_bury_state(struct engine *engine, const char *id, struct error *err);

/*
 * The same once it is settled: a monitor that is just starting has said what runs, or one that is
 * ending has cleaned up or died. Waits for that at most half a minute.
 */
int container_look_settled(const struct container *container, struct container_view *ret_view,
			   struct error *err);

/* Waits until the container's monitor has let go of its lock; at most half a minute. */
int container_wait_gone(const struct container *container, struct error *err);

/* The same, or until another first process than `before` runs: it was started again. */
int container_wait_gone_or_again(const struct container *container, const struct process_id *before,
				 struct error *err);

struct end_request {
	int signal;
	int64_t timeout_s;     /* -1: for ever */
	struct stop_mark mark; /* what its monitor is to make of it */
};

/*
 * Sends the signal to PID 1, waits up to timeout_s for its end, then kills; returns when
 * the processes and, unless it was orphaned, its monitor are gone. *ret_exit_code is that of PID 1
 * where the kernel tells it, else -1. Takes no lock. Not running is success.
 */
int container_end(struct container *container, const struct end_request *request,
		  int *ret_exit_code, struct error *err);

/* container_end() and, when a monitor did not, the cleaning up. Takes the container's lock. */
int container_end_and_bury(struct container *container, const struct end_request *request,
			   struct error *err);

/* Removes record, files, and with `volumes` its anonymous volumes. The caller holds the lock. */
int container_erase(const struct container *container, bool volumes, struct error *err);

/* docker's State.Health of the last check, a new reference; NULL: there was none. */
json_t *container_health_load(const struct container *container);

/* Of a run, by its state directory. */
enum container_health container_health_look(int state_fd);

/* pid and namespaces of the run whose directory this is; nothing when it has just ended. */
void container_namespaces_look(int state_fd, struct container_summary *summary);

const char *container_status_name(enum container_status status);

/* Whether the kernel has frozen the cgroup of a container that has STATE_MODE_PAUSED. */
bool container_is_frozen(int state_fd, const char *cgroup_path);

DEFINE_CLEANUP_VALUE(struct container, container_release);
DEFINE_CLEANUP_VALUE(struct container_view, container_view_release);

#endif
