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
 * Calling sequence of a start, with what each costs on a v1 machine with nine hierarchies:
 *
 *	cgroup_create()		parent; mkdir in each hierarchy                         0.3 ms
 *	cgroup_apply()		parent; limits, device rules
 *	clone3()		with CLONE_INTO_CGROUP and cgroup_clone_fd()
 *	cgroup_join_files()	parent; sent to the child
 *	cgroup_join()		child, before unshare(CLONE_NEWCGROUP)                  0.2 ms
 *	…
 *	cgroup_kill_all(), cgroup_remove()
 *
 * Why the child moves itself: moving another process (cgroup_attach) takes a system-wide lock whose
 * first writer waits for an RCU grace period, 6 to 15 ms on an idle machine. Cloning into a v2
 * group, and writing "0" to a v1 `tasks` file, take no such lock (Linux 5.7; before that they
 * are correct and slow).
 *
 * All functions return 0 or a negative errno. Paths are relative to each hierarchy's root, begin
 * with '/', and have no ".." (refused with -EINVAL). A group borrows its host: free it first.
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
	/*
	 * Directory name below /sys/fs/cgroup: "memory", "cpu,cpuacct", "systemd". v2 is "" when it
	 * is alone and "unified" beside v1.
	 */
	const char *name;
	/* What mount(2) wants: "memory", "cpu,cpuacct", "none,name=systemd"; "" for v2. */
	const char *mount_data;
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

/* Whether it is there as a controller of v1, some of whose limits v2 does not have. */
bool cgroup_host_has_v1(const struct cgroup_host *host, const char *controller);

/*
 * Creates the group in every hierarchy (parents included; cpuset files copied down on v1;
 * controllers enabled down the path on v2). -EEXIST when it exists already and has processes; an
 * empty leftover is replaced. Half-made groups are removed.
 *
 * A group directly below the root ("/skiff-ID") is the cheapest: a parent costs as much again.
 */
int cgroup_create(const struct cgroup_host *host, const char *path, struct cgroup **ret_group);

/* Opens an existing group; hierarchies that lack it are skipped. -ENOENT when none has it. */
int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup **ret_group);
void cgroup_free(struct cgroup *group); /* closes; the group stays */

/*
 * The v2 directory to give to clone3(CLONE_INTO_CGROUP), also when it holds no controllers (it is
 * what makes killing atomic and emptiness an event); NO_FD without v2. Borrowed.
 */
int cgroup_clone_fd(const struct cgroup *group);

/* The group's directory in the hierarchy of this index; NO_FD when it is not in it. Borrowed. */
int cgroup_dir_fd(const struct cgroup *group, size_t index);

/*
 * The same in two steps, for a parent that wants the slower one to happen beside its child:
 * cgroup_create_begin() makes the v2 group, which cloning into it needs (nothing on v1), and
 * cgroup_create_finish() the v1 ones. When the second fails, cgroup_remove() takes back everything.
 */
int cgroup_create_begin(const struct cgroup_host *host, const char *path,
			struct cgroup **ret_group);
int cgroup_create_finish(struct cgroup *group);

/*
 * The files to join the v1 hierarchies by, to be passed on, and the joining, which closes them; v2 is left
 * to cgroup_clone_fd(). The joining process must have one thread, and write as the host's root: it comes
 * first in a child.
 */
#define CGROUP_JOIN_MAX 16
int cgroup_join_files(const struct cgroup *group, int ret_fds[CGROUP_JOIN_MAX], size_t *ret_count);
int cgroup_join(int *fds, size_t count);

/*
 * Moves another process in, everywhere, v2 included (where it is already there nothing happens).
 * Slow: see the top of the file.
 */
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

/* What a limit of one block device is about. */
enum cgroup_io_kind {
	CGROUP_IO_WEIGHT, /* 10…1000; 0: the group's own */
	CGROUP_IO_READ_BPS,
	CGROUP_IO_WRITE_BPS,
	CGROUP_IO_READ_IOPS,
	CGROUP_IO_WRITE_IOPS,
};

#define CGROUP_IO_KIND_COUNT 5

struct cgroup_io_limit {
	enum cgroup_io_kind kind;
	unsigned int major, minor;
	uint64_t value; /* per second, for all but the weight; 0: no limit */
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
	int64_t cpu_rt_runtime_us, cpu_rt_period_us; /* v1 only */
	const char *cpuset_cpus, *cpuset_mems;       /* NULL: unset */
	int64_t pids_max;
	int64_t blkio_weight;
	const struct cgroup_io_limit *io_limits;
	size_t io_limit_count;
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

/*
 * SIGKILLs everything in it and returns when nothing is left (cgroup.kill on v2; freezer and a loop
 * on v1). -ETIMEDOUT after ten seconds: a process that sleeps uninterruptibly.
 */
int cgroup_kill_all(const struct cgroup *group);

/*
 * Returns when it has happened. -ETIMEDOUT after ten seconds, thawed again; -EOPNOTSUPP without v2
 * and freezer.
 */
int cgroup_freeze(const struct cgroup *group, bool freeze);

/* 1 when frozen, 0 when not. */
int cgroup_is_frozen(const struct cgroup *group);

/* How often the kernel killed a process of this group for lack of memory; 0 when unknown. */
uint64_t cgroup_oom_kills(const struct cgroup *group);

/*
 * Removes the group and groups below it everywhere. A process that is still exiting makes rmdir
 * busy: waits for that up to timeout_ms by polling cgroup.events or the procs file, no fixed sleeps
 * longer than a few ms (-EBUSY then). Missing is success. Empty parents go too when this very
 * object made them or when they are CGROUP_OWN_PARENT or below; others belong to the user.
 */
#define CGROUP_OWN_PARENT "/skiff"
int cgroup_remove(struct cgroup *group, unsigned int timeout_ms);

DEFINE_CLEANUP(struct cgroup_host *, cgroup_host_free);
DEFINE_CLEANUP(struct cgroup *, cgroup_free);

#endif
