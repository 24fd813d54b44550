/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_container.h - what is known about a container between two calls
 *
 *	ROOT/ID/state.json      who it is; written before its first process goes on, and once it waits
 *	ROOT/ID/config.json     its configuration as it was made, paths made absolute: exec and hooks need it
 *	ROOT/ID/start.sock      runtime/start_wait.h
 *	ROOT/.seccomp/          compiled filters, of all containers
 *
 * The status is never read from a record. It is asked of the kernel: by the pid together with its start
 * time, the socket, and the cgroup.
 */
#ifndef SKIFF_OCI_OCI_CONTAINER_H
#define SKIFF_OCI_OCI_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "runtime/hooks.h"
#include "runtime/state.h"

#define OCI_SECCOMP_DIR ".seccomp"

struct oci_container {
	int dir_fd;          /* owned */
	char *id, *bundle;   /* owned */
	char *rootfs;        /* owned */
	char *seccomp;       /* owned; relative to ROOT; NULL: none */
	json_t *annotations; /* owned; NULL: none */
	int64_t created_ns;
	uint32_t owner;               /* who made it */
	bool is_creating;             /* not finished; nobody can start it */
	struct container_state state; /* init, cgroup_path */
};

#define OCI_CONTAINER_EMPTY ((struct oci_container){.dir_fd = NO_FD})

enum oci_status {
	OCI_CREATING,
	OCI_CREATED,
	OCI_RUNNING,
	OCI_PAUSED,
	OCI_STOPPED,
};

#define OCI_STATUS_COUNT 5

const char *oci_status_name(enum oci_status status);

int oci_id_check(const char *id, struct error *err);

/* ERR_CONFLICT when it exists. */
int oci_container_make(int root_fd, const char *id, struct oci_container *ret, struct error *err);
int oci_container_save(const struct oci_container *c, struct error *err);

/* ERR_NOT_FOUND "container does not exist". One that was never finished has an empty record. */
int oci_container_load(int root_fd, const char *id, struct oci_container *ret, struct error *err);
enum oci_status oci_container_status(const struct oci_container *c);

/* Fills what state.json holds; ERR_INVALID for what is none. */
int oci_container_parse(const char *text, size_t len, struct oci_container *ret, struct error *err);

/* The configuration as it was made. */
int oci_container_config(const struct oci_container *c, json_t **ret_config, struct error *err);

/* Removes its directory. */
int oci_container_forget(int root_fd, const struct oci_container *c, struct error *err);
struct hook_subject oci_container_subject(const struct oci_container *c);
void oci_container_release(struct oci_container *c);

DEFINE_CLEANUP_VALUE(struct oci_container, oci_container_release);

#endif
