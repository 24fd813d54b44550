/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.h - the parts of the floor program
 *
 * The floor is the least work the kernel lets anybody do for one default container: one process,
 * no engine, no records, nothing parsed. What skiff takes longer is skiff's own. Each iteration:
 *
 *	parent                              child (all new namespaces)
 *	files, upper, work
 *	clone3 ─────────────────────────▶   propagation; network, ipc and uts namespaces; lo up
 *	overlay, detached ──────────────▶   attached; /proc, /dev, /sys, binds, masks
 *	cgroups: mkdir, devices
 *	"go on" ────────────────────────▶   joins the cgroups, their namespace and view, pivot_root,
 *	                                    host name, seccomp, capabilities, exec
 *	end of file (exec happened) ◀────   /bin/true
 *	waitid, rmdir, unlink
 *
 * Both sides write the time they reached each point into one shared page. The program is its own
 * judge: anything unexpected ends it with a message.
 */
#ifndef SKIFF_BENCH_FLOOR_H
#define SKIFF_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum floor_seccomp {
	FLOOR_SECCOMP_TREE,   /* ranges of allowed numbers, searched by halving */
	FLOOR_SECCOMP_LINEAR, /* one comparison per allowed call, as simple generators write it */
	FLOOR_SECCOMP_NONE,
};

enum floor_view {
	FLOOR_VIEW_BIND,  /* the group's own directories, bound */
	FLOOR_VIEW_MOUNT, /* a fresh mount of every hierarchy in the new cgroup namespace */
	FLOOR_VIEW_NONE,
};

enum floor_attach {
	FLOOR_ATTACH_SELF,   /* the child writes 0 to each v1 "tasks": no wait for a grace period */
	FLOOR_ATTACH_PARENT, /* the parent writes its pid to each v1 "cgroup.procs" */
};

struct floor_options {
	const char *layer; /* an unpacked root filesystem */
	const char *work;  /* directory for upper, work and the three files */
	const char *command;
	uint32_t repeat;
	bool json;
	bool no_net, no_cgroup, no_devices, no_masks, no_volatile, cgroup_first;
	enum floor_seccomp seccomp;
	enum floor_view view;
	enum floor_attach attach;
};

/* ---- time ---- */

enum floor_point {
	/* parent */
	POINT_FILES,   /* upper, work and three files exist */
	POINT_CLONED,  /* clone3 returned */
	POINT_OVERLAY, /* the root is made and sent to the child */
	POINT_CREATED, /* cgroup directories exist */
	POINT_DEVICES, /* device rules written */
	POINT_JOINED,  /* child is in every cgroup */
	POINT_EXECED,  /* end of file on the close-on-exec pipe */
	POINT_EXITED,  /* waitid returned: namespaces are torn down */
	POINT_RMDIR,   /* cgroups removed */
	POINT_REMOVED, /* upper, work, files removed: the end */
	/* child */
	POINT_CHILD_START,
	POINT_CHILD_PRIVATE,
	POINT_CHILD_NETWORK,
	POINT_CHILD_ROOT, /* the overlay came, and is attached */
	POINT_CHILD_PROC,
	POINT_CHILD_DEV,
	POINT_CHILD_SYS,
	POINT_CHILD_BINDS,
	POINT_CHILD_MASKS,
	POINT_CHILD_TOLD, /* parent said "joined" */
	POINT_CHILD_JOINED,
	POINT_CHILD_VIEW,
	POINT_CHILD_PIVOT,
	POINT_CHILD_NAME,
	POINT_CHILD_CAPS,
	POINT_CHILD_SECCOMP,
};
#define POINT_COUNT (POINT_CHILD_SECCOMP + 1)

struct floor_times {
	uint64_t start_ns;
	uint64_t at_ns[POINT_COUNT]; /* since start_ns; 0: not reached */
};

void floor_mark(struct floor_times *times, enum floor_point point);

/* ---- errors ---- */

_Noreturn void floor_die(const char *what);

/* ---- cgroups (floor_cgroup.c) ---- */

enum floor_versions {
	FLOOR_V1 = 1,
	FLOOR_V2 = 2,
	FLOOR_V1_AND_V2 = 3,
};

#define FLOOR_HIERARCHIES_MAX 24

struct floor_hierarchy {
	int root_fd;
	char path[128];      /* "/sys/fs/cgroup/memory" */
	const char *name;    /* last component of path */
	const char *fs_data; /* "memory", "cpu,cpuacct", "none,name=systemd" */
	bool is_v2;
};

struct floor_cgroups {
	struct floor_hierarchy item[FLOOR_HIERARCHIES_MAX];
	size_t count;
	char group[64]; /* directory name of our group in each */
};

void floor_cgroups_find(struct floor_cgroups *cgroups);
void floor_cgroups_create(const struct floor_cgroups *cgroups, enum floor_versions versions);
void floor_cgroups_devices(const struct floor_cgroups *cgroups);
int floor_cgroups_v2_fd(const struct floor_cgroups *cgroups); /* -1: none */
void floor_cgroups_attach(const struct floor_cgroups *cgroups, const char *file, pid_t pid);
void floor_cgroups_remove(const struct floor_cgroups *cgroups);

/* ---- the child (floor_child.c); does not return ---- */

struct floor_child {
	const struct floor_options *options;
	const struct floor_cgroups *cgroups;
	struct floor_times *times;
	const char *box; /* directory with upper, work, hosts, hostname, resolv.conf */
	int told_fd;     /* the root comes, then a byte when the cgroups are made */
};

/* A descriptor that the other side sent. */
int floor_receive(int sock);

/* In the parent: the overlay as a detached mount. */
int floor_overlay(const struct floor_options *options, const char *box);

_Noreturn void floor_child_run(const struct floor_child *child);

/* Kept out of the timed part: builds the filter that floor_child_run() loads. */
void floor_seccomp_build(enum floor_seccomp kind);

#endif
