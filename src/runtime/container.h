/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - from a bundle to a process, and into a running one
 *
 *	runtime_create()   everything up to the exec of the container's command; it waits there
 *	runtime_start()    lets it go; returns when the exec has happened, or says why it did not
 *	…                  the caller waits on proc.pidfd and reaps with waitid()
 *	runtime_cleanup()  removes the cgroup; the mounts died with the last process
 *
 * The caller must be single-threaded and must run from an executable that cannot be written through
 * /proc/self/exe (sys/self_exe.h). The child shares nothing with the caller but the stdio given.
 */
#ifndef SKIFF_RUNTIME_CONTAINER_H
#define SKIFF_RUNTIME_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"
#include "runtime/launch.h"
#include "runtime/state.h"

struct cgroup;
struct cgroup_host;
struct spec;

struct runtime_request {
	const char *id; /* 64 hex digits */
	int root_fd;    /* ROOT; lowers and seccomp are relative to it */
	int bundle_fd;  /* ROOT/containers/ID: config.json, upper, work */
	const struct launch *launch;
	uint16_t tty_rows,
		tty_cols; /* first size of the terminal; 0: 24x80 is not assumed, it stays 0 */
	int stdio[3];     /* for the container; ignored with a terminal; NO_FD: /dev/null */
	/*
	 * Fills the new network namespace of the process `pid`, while that one mounts; NULL: nobody
	 * does. What it made is its own to take back when the start fails after it.
	 */
	int (*make_network)(void *context, pid_t pid, struct error *err);
	void *network_context;
	const struct runtime_foreign *foreign; /* NULL: a bundle of ours */
};

/* How a container differs that another engine has us make (skiff-oci). */
struct runtime_foreign {
	struct spec *spec;     /* taken; config.json is not read */
	const char *bundle;    /* as hooks are told */
	int start_listener_fd; /* start_wait.h; borrowed */
	unsigned int keep_fds; /* so many from 3 up are the container's */
	bool keep_keyring;     /* the caller's session keyring */
	/* The first process exists and has joined nothing yet. */
	int (*made)(void *context, pid_t pid, struct error *err);
	/* Runs the hooks of the caller's namespaces. */
	int (*run_hooks)(void *context, const struct spec *spec, pid_t pid, struct error *err);
	void *context;
};

struct runtime_process {
	pid_t pid;                       /* host view */
	int pidfd;                       /* owned */
	int console_fd;                  /* owned; the terminal's master, NO_FD without one */
	int start_sock;                  /* owned; used by runtime_start() */
	char *cgroup_path;               /* owned */
	struct cgroup_host *cgroup_host; /* owned */
	struct cgroup *cgroup;           /* owned */
};

/*
 * What can be done before it is known what to start: a monitor calls it while it waits to be told. Not
 * calling it only makes runtime_create() slower.
 */
void runtime_warm_up(void);

/* On failure nothing is left: the child is killed and reaped, the cgroup removed. */
int runtime_create(const struct runtime_request *request, struct runtime_process *ret_process,
		   struct error *err);

/*
 * ERR_COMMAND_MISSING / ERR_NOT_EXECUTABLE when the command could not be executed. On failure the
 * child is dead but not reaped.
 */
int runtime_start(struct runtime_process *process, struct error *err);

/*
 * Instead of runtime_start(), with a start_listener_fd: returns when the container waits there. It no
 * longer dies with the caller then.
 */
int runtime_leave_waiting(struct runtime_process *process, struct error *err);

/* Kills what is left in the container's cgroup and removes it. Nothing to do is success. */
int runtime_cleanup(struct runtime_process *process, struct error *err);

/* Closes descriptors and frees; kills the child when runtime_start() has not succeeded. */
void runtime_process_release(struct runtime_process *process);

/* ---- joining a running container ---- */

enum exec_enter {
	EXEC_ENTER_NAMESPACES, /* every namespace, as nsenter(1) */
	EXEC_ENTER_CHROOT,     /* only the container's root; namespaces, cgroup of the host */
};

struct exec_request {
	const struct container_state *state;
	int bundle_fd; /* config.json gives capabilities, seccomp, rlimits, no_new_privs */
	int root_fd;
	const struct launch *launch;
	const struct strv *args; /* at least one */
	const struct strv *env;  /* KEY=value, on top of the main process's environment */
	const char *user;        /* NULL: the container's */
	const char *workdir;     /* NULL: the container's */
	enum exec_enter enter;
	bool as_child; /* PPID 1 instead of 0 */
	bool privileged;
	bool tty;
	uint16_t tty_rows, tty_cols;
	int stdio[3]; /* ignored with a terminal; NO_FD: /dev/null */
	/*
	 * Another engine's: all of the process is in here, and neither config.json nor the main
	 * process's environment is read. Taken; NULL: as above.
	 */
	struct spec *spec;
	unsigned int keep_fds; /* so many from 3 up are the process's */
};

struct exec_process {
	pid_t pid;      /* host view; a child of the caller unless as_child */
	int pidfd;      /* owned */
	int console_fd; /* owned; NO_FD without a terminal */
};

/*
 * Returns when the command was executed. The exit status: exec_wait().
 */
int runtime_exec(const struct exec_request *request, struct exec_process *ret_process,
		 struct error *err);

/*
 * Waits for the end and returns the exit code (128 + n for signal n), through waitid() or, for
 * as_child, PIDFD_GET_INFO (Linux 6.15; -EOPNOTSUPP before).
 */
int exec_wait(struct exec_process *process);
void exec_process_release(struct exec_process *process);

DEFINE_CLEANUP_VALUE(struct runtime_process, runtime_process_release);
DEFINE_CLEANUP_VALUE(struct exec_process, exec_process_release);

#endif
