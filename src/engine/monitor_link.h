/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_link.h - one connection to one monitor
 *
 * A monitor is started as early as possible (monitor_link_spawn()), so that it loads while
 * the command still reads the database; monitor_link_launch() then tells it what to run.
 * monitor_link_attach() connects to the monitor of a container that runs already.
 */
#ifndef SKIFF_ENGINE_MONITOR_LINK_H
#define SKIFF_ENGINE_MONITOR_LINK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "monitor/protocol.h" /* enum monitor_attach_flags, for callers of ours */

struct monitor_link {
	int sock;  /* owned */
	pid_t pid; /* of a monitor started here, else 0; it is reparented when we exit */
	int pidfd; /* owned; of the monitor */
	bool tty;  /* the container has a terminal (known after launch or attach) */
	int32_t container_pid;
	bool signals_held; /* between a launch with streams and the release: see
			      monitor_link_launch() */
	sigset_t signals_before;
};

#define MONITOR_LINK_EMPTY ((struct monitor_link){.sock = NO_FD, .pidfd = NO_FD})

struct monitor_link_options {
	uint16_t attach_flags;       /* enum monitor_attach_flags */
	uint16_t tty_rows, tty_cols; /* 0: unknown */
};

int monitor_link_spawn(struct monitor_link *ret_link, struct error *err);

struct monitor_link_launch {
	const char *id, *root, *state;       /* paths absolute */
	int root_fd, container_fd, state_fd; /* state_fd: STATE/containers/ID */
	int lock_fd; /* container_lock()'s; shared with the monitor until it has a lock itself */
	struct monitor_link_options options;
};

/*
 * Returns when the container's command runs, or with the error that prevented it; the monitor is
 * gone then and has cleaned up.
 *
 * With streams in attach_flags, signals that could be forwarded are held back from here on, so that
 * none is lost between the start and monitor_link_stream(); monitor_link_release() lets them go.
 */
int monitor_link_launch(struct monitor_link *link, const struct monitor_link_launch *launch,
			struct error *err);

/* state_fd: STATE/containers/ID. ERR_CONFLICT when nobody answers there. */
int monitor_link_attach(int state_fd, const struct monitor_link_options *options,
			struct monitor_link *ret_link, struct error *err);

/* Lets the monitor of a container check its health now. ERR_CONFLICT when it ends meanwhile. */
int monitor_link_check_health(int state_fd, struct monitor_health_result *ret_result,
			      struct error *err);

struct restart_policy;

/* Tells the monitor of a container the policy from now on. ERR_CONFLICT when nobody answers. */
int monitor_link_set_restart(int state_fd, const struct restart_policy *policy, struct error *err);

/* Waits until the monitor process is gone (it has then cleaned up everything). */
int monitor_link_wait_gone(struct monitor_link *link, struct error *err);

/* A monitor that was spawned and never launched ends by itself. */
void monitor_link_release(struct monitor_link *link);

/* ---- streaming ---- */

struct stream_request {
	int stdin_fd;             /* NO_FD: nothing is forwarded */
	int stdout_fd, stderr_fd; /* NO_FD: discarded */
	bool forward_signals;     /* SIGINT, SIGTERM, … to the container's PID 1 */
	const char *detach_keys;  /* "ctrl-p,ctrl-q"; NULL or "" disables; only with a terminal */
};

struct stream_result {
	bool detached; /* by the detach keys; exit_code is not set */
	int exit_code; /* 0-255 */
	bool kept;     /* the container is not to be removed: it is being restarted */
};

/*
 * Moves bytes between our descriptors and the container until it ends or the user detaches. With a
 * terminal on stdin_fd and one in the container, ours is in raw mode meanwhile and is restored
 * whatever happens (a watchdog process restores it even when we are killed with SIGKILL); its size
 * is forwarded.
 *
 * forward_signals means every signal that can be caught, but for SIGCHLD, SIGPIPE, SIGURG and those
 * that stop a background job (SIGTTIN, SIGTTOU). docker forwards for `run` always, and for `attach`
 * only without a terminal. What is not forwarded does what it always does, after the terminal was
 * restored.
 *
 * Failures: ERR_SYSTEM with EPIPE when nobody reads our output any more, ERR_CANCELLED when our
 * terminal is gone, ERR_UNAVAILABLE when the monitor is. The container goes on in the first two.
 */
int monitor_link_stream(struct monitor_link *link, const struct stream_request *request,
			struct stream_result *ret_result, struct error *err);

/*
 * The same for a terminal that we hold ourselves (exec -t): `console_fd` is its master, `pidfd` the
 * process on it. Ends when that process has ended and its output is delivered; its exit code is the
 * caller's to find (exec_wait()), ret_result->exit_code stays 0.
 */
int stream_console(int console_fd, int pidfd, const struct stream_request *request,
		   struct stream_result *ret_result, struct error *err);

/* Checks a --detach-keys value; ERR_INVALID with docker's words. */
int detach_keys_check(const char *keys, struct error *err);

DEFINE_CLEANUP_VALUE(struct monitor_link, monitor_link_release);

#endif
