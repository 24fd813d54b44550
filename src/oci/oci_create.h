/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_create.h - from a bundle to a container that waits, and on
 */
#ifndef SKIFF_OCI_OCI_CREATE_H
#define SKIFF_OCI_OCI_CREATE_H

#include "oci/oci_container.h"
#include "oci/oci_internal.h"

struct oci_create_opts {
	const char *bundle, *console_socket, *pid_file;
	bool no_pivot, no_new_keyring;
	int64_t preserve_fds;
};

extern const struct option_spec oci_create_options[];

struct oci_created {
	struct oci_container container;
	int pidfd;      /* owned */
	int console_fd; /* owned; NO_FD when it was sent away, or there is none */
};

#define OCI_CREATED_EMPTY                                                                          \
	((struct oci_created){.container = {.dir_fd = NO_FD}, .pidfd = NO_FD, .console_fd = NO_FD})

/* `leaves`: the caller ends before the container. On failure nothing is left. */
int oci_create(const struct oci_call *call, const struct oci_create_opts *opts, bool leaves,
	       struct oci_created *ret, struct error *err);

/* Starts it and runs its poststart hooks. */
int oci_start(const struct oci_call *call, const struct oci_container *c, struct error *err);

/* Kills what is left of it, removes its cgroup, runs its poststop hooks, forgets it. */
int oci_delete(const struct oci_call *call, const struct oci_container *c, struct error *err);

/* "PID" into the file, whole. */
int oci_write_pid_file(const char *path, pid_t pid, struct error *err);

/* Descriptors from 3 up that are for the container: --preserve-fds, and those of LISTEN_FDS. */
int oci_keep_fds(int64_t preserve_fds, unsigned int *ret_count, struct error *err);

/* LISTEN_FDS and LISTEN_PID of whoever called, for the container's environment. */
void oci_add_listen_env(struct strv *env);

void oci_created_release(struct oci_created *created);

DEFINE_CLEANUP_VALUE(struct oci_created, oci_created_release);

#endif
