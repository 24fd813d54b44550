/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - one container's control groups on v1, v2 and both at once
 *
 * A `struct cgroup_host` is what this machine offers: every mounted hierarchy and its
 * controllers, read once from /proc/self/mountinfo. A `struct cgroup` is one group with the same
 * path in each hierarchy. Three worlds exist and all are handled here, so that callers do not
 * know which they are in:
 *
 *	v2      one hierarchy with every controller
 *	v1      one hierarchy per controller (or per set of them, "cpu,cpuacct")
 *	hybrid  controllers on v1, and a v2 hierarchy without controllers beside them
 *
 * All functions return 0 or a negative errno. Paths are relative to each hierarchy's root, begin
 * with '/', and have no ".." (refused with -EINVAL).
 *
 * Sources: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst (Linux 6.12).
 */
#ifndef SKIFF_SYS_CGROUP_H
#define SKIFF_SYS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/strv.h"

struct cgroup_host;
struct cgroup;

enum cgroup_mode {
	CGROUP_MODE_NONE, /* no cgroup filesystem is mounted */
	CGROUP_MODE_V1,
	CGROUP_MODE_V2,
	CGROUP_MODE_HYBRID,
};

/* One mounted hierarchy, for building a container's own view of it. Borrowed from the host. */
struct cgroup_hierarchy {
	const char *name; /* directory name below /sys/fs/cgroup: "memory", "systemd"; "" is v2 */
	const char
		*mount_data; /* what mount(2) wants: "memory", "cpu,cpuacct", "none,name=systemd" */
	bool is_v2;
};

int cgroup_host_open(struct cgroup_host **ret_host);
void cgroup_host_free(struct cgroup_host *host);
enum cgroup_mode cgroup_host_mode(const struct cgroup_host *host);
size_t cgroup_host_count(const struct cgroup_host *host);
const struct cgroup_hierarchy *cgroup_host_get(const struct cgroup_host *host, size_t index);

/* Whether limits of this controller ("memory", "cpu", "pids", "cpuset", "io", "devices", …) can be
 * set. */
bool cgroup_host_has(const struct cgroup_host *host, const char *controller);

/*
 * Creates the group in every hierarchy (parents included; cpuset files copied down on v1;
 * controllers enabled down the path on v2). -EEXIST when the group exists already in v2 or in
 * "pids" with processes in it; an empty leftover is taken over. Half-made groups are removed.
 */
int cgroup_create(const struct cgroup_host *host, const char *path, struct cgroup **ret_group);

/* Opens an existing group; hierarchies that lack it are skipped. -ENOENT when none has it. */
int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup **ret_group);
void cgroup_free(struct cgroup *group); /* closes; the group stays */

/* The v2 directory to give to clone3(CLONE_INTO_CGROUP); NO_FD when v2 holds no controllers. */
int cgroup_clone_fd(const struct cgroup *group);

/* Moves a process in, in every hierarchy that cgroup_clone_fd() does not cover. */
int cgroup_attach(const struct cgroup *group, pid_t pid);

enum cgroup_device_access {
	CGROUP_DEVICE_READ = 1,
	CGROUP_DEVICE_WRITE = 2,
	CGROUP_DEVICE_MKNOD = 4,
};

struct cgroup_device_rule {
	bool allow;
	char type;            /* 'a' (all), 'c', 'b' */
	int64_t major, minor; /* -1: any */
	unsigned int access;  /* enum cgroup_device_access */
};

/* UNSET (INT64_MIN) leaves the kernel's default; -1 is "unlimited" where that exists. */
#define CGROUP_UNSET INT64_MIN

struct cgroup_limits {
	int64_t memory_bytes;             /* memory.limit_in_bytes / memory.max */
	int64_t memory_reservation_bytes; /* memory.soft_limit_in_bytes / memory.low */
	int64_t memory_swap_bytes; /* memory and swap together, as OCI says; converted on v2 */
	int64_t memory_swappiness; /* v1 only */
	int64_t oom_kill_disable;  /* v1 only */
	int64_t cpu_shares;        /* converted to cpu.weight on v2 */
	int64_t cpu_quota_us, cpu_period_us;
	const char *cpuset_cpus, *cpuset_mems; /* NULL: unset */
	int64_t pids_max;
	int64_t blkio_weight;
	const struct cgroup_device_rule *devices; /* applied in order; first "deny all" resets */
	size_t device_count;
};

void cgroup_limits_init(struct cgroup_limits *limits); /* everything unset */

/*
 * Sets limits. A limit whose controller is not there gives -EOPNOTSUPP and *ret_what names the
 * limit and the missing controller ("--memory needs the memory controller"); any other failure
 * names the file. *ret_what is owned by the caller, set only on failure.
 */
int cgroup_apply(const struct cgroup *group, const struct cgroup_limits *limits, char **ret_what);

/* Every process of the group and of groups below it, as PIDs of our own pid namespace. */
int cgroup_list_pids(const struct cgroup *group, pid_t **ret_pids, size_t *ret_count);

/* SIGKILLs everything in it until nothing is left (cgroup.kill on v2; freezer and a loop on v1). */
int cgroup_kill_all(const struct cgroup *group);

int cgroup_freeze(const struct cgroup *group, bool freeze); /* returns when it has happened */

/* 1 when frozen, 0 when not. */
int cgroup_is_frozen(const struct cgroup *group);

/* How often the kernel killed a process of this group for lack of memory; 0 when unknown. */
uint64_t cgroup_oom_kills(const struct cgroup *group);

/*
 * Removes the group and groups below it everywhere. A process that is still exiting makes rmdir
 * busy: waits for that up to timeout_ms by polling cgroup.events or the procs file, no fixed sleeps
 * longer than a few ms. Missing is success. Parents that we made and that are empty go too, except
 * the ones configured by the user.
 */
int cgroup_remove(struct cgroup *group, unsigned int timeout_ms);

DEFINE_CLEANUP(struct cgroup_host *, cgroup_host_free);
DEFINE_CLEANUP(struct cgroup *, cgroup_free);

#endif
