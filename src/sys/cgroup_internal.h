/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_internal.h - shared by the files that implement cgroup.h
 *
 *	cgroup_host.c     what is mounted, from mountinfo
 *	cgroup.c          making and opening a group
 *	cgroup_join.c     processes into it
 *	cgroup_remove.c   until nothing of it is left
 *	cgroup_limits.c   memory, processor, pids
 *	cgroup_block_io.c block devices
 *	cgroup_memory.c   what of memory is used, in detail
 *	cgroup_setting.h  one write of those two
 *	cgroup_devices.c  which device nodes may be used: v1 files, v2 BPF
 *	cgroup_kill.c     the processes of a group: listing, freezing, killing
 */
#ifndef SKIFF_SYS_CGROUP_INTERNAL_H
#define SKIFF_SYS_CGROUP_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/cgroup.h"

struct bpf_insn;

#define CGROUP_HIERARCHIES_MAX 32
#define CGROUP_MOUNTINFO_MAX ((size_t)32 << 20)

struct hierarchy {
	struct cgroup_hierarchy view;
	char *name, *mount_data; /* owned; `view` points at them */
	char *controllers;       /* owned; "cpu,cpuacct", "name=systemd"; v2: what it offers */
	char *mount_point;       /* owned */
	char *device; /* owned; "0:31": two mounts with the same one are the same hierarchy */
	int rank;     /* how good a mount of it this is */
	int root_fd;  /* O_PATH */
};

struct cgroup_host {
	struct hierarchy items[CGROUP_HIERARCHIES_MAX];
	size_t count;
};

struct cgroup {
	const struct cgroup_host *host;
	char *path; /* relative: without the first '/' */
	struct cgroup_dir {
		int fd; /* O_PATH; NO_FD: the group is not in this hierarchy */
		/* The first component of `path`, counted from 1, that this object made; 0: none. */
		unsigned int made_from;
	} dirs[CGROUP_HIERARCHIES_MAX];
};

/* Fills mount points, controllers, names; opens nothing. The host must be empty. */
void cgroup_host_parse(struct cgroup_host *host, char *mountinfo);

/* Whether a list separated by ',' or ' ' has this word. */
bool cgroup_list_has(const char *list, const char *word);

/*
 * The prefix of a relative path that has this many components, in `ret_prefix`; false when the path
 * is not longer than that. "a/b/c", 2: "a/b".
 */
bool cgroup_path_prefix(const char *path, unsigned int components, char ret_prefix[PATH_MAX]);

/* Removes a group and those below it: 0 when it is gone, -EBUSY when a process is in one of them. */
int cgroup_remove_tree(int root_fd, const char *path);

/* Removes the parents that are ours and empty, in one hierarchy. */
void cgroup_remove_parents(const struct cgroup *group, size_t index);

/* The group's directory in v2; NO_FD when there is none. Borrowed. */
int cgroup_v2_dir(const struct cgroup *group);

/*
 * The group's directory in the hierarchy that has the controller; NO_FD when none has it. Borrowed.
 */
int cgroup_controller_dir(const struct cgroup *group, const char *controller, bool *ret_is_v2);

/* The directory whose cgroup.procs is asked who is in the group. Borrowed; NO_FD without any. */
int cgroup_procs_dir(const struct cgroup *group);

/* Whether the directory has directories in it; cgroup filesystems keep the link count right. */
bool cgroup_has_children(int dir_fd);

/*
 * Reads a small control file as text without the final newline. Returns the length or a negative
 * errno; what does not fit is -EFBIG.
 */
ssize_t cgroup_read_file(int dir_fd, const char *file, char *ret_text, size_t size);

/* ---- time ---- */

struct cgroup_deadline {
	int64_t at_ns;
	int pause_ms; /* how long the next pause is */
};

struct cgroup_deadline cgroup_deadline_in(unsigned int timeout_ms);
int cgroup_deadline_left_ms(const struct cgroup_deadline *deadline); /* 0: over */

/*
 * Waits until something about the members may have changed: cgroup.events on v2, the end of one
 * member on v1, or, when that cannot be waited for, one to eight milliseconds. False when the
 * deadline is over.
 */
bool cgroup_wait_change(int dir_fd, struct cgroup_deadline *deadline);

/*
 * Waits until `key` in cgroup.events (v2) has this value: 0, -ETIMEDOUT, or another error. A group
 * that was removed meanwhile has nobody in it.
 */
int cgroup_wait_event(int dir_fd, const char *key, bool value, struct cgroup_deadline *deadline);

/* ---- conversions between v1 and v2 ---- */

/* 2…262144 to 1…10000. */
uint64_t cgroup_shares_to_weight(uint64_t shares);

/* 10…1000 to 1…10000. */
uint64_t cgroup_blkio_to_io_weight(uint64_t weight);

/*
 * Memory and swap together, less memory: what memory.swap.max wants (-1: "max"). -EINVAL when it
 * makes no sense: no memory limit, or a smaller sum.
 */
int cgroup_swap_max(int64_t memory_bytes, int64_t memory_swap_bytes, int64_t *ret_swap_bytes);

/* ---- block devices ---- */

int cgroup_apply_block_io(const struct cgroup *group, const struct cgroup_limits *limits,
			  char **ret_what);

/* ---- devices ---- */

#define CGROUP_DEVICE_RULES_MAX 512
#define CGROUP_DEVICE_PROGRAM_MAX (8 + CGROUP_DEVICE_RULES_MAX * 8)

/*
 * Writes a program for BPF_PROG_TYPE_CGROUP_DEVICE into `program`, which has room for
 * CGROUP_DEVICE_PROGRAM_MAX instructions, and returns their number; -E2BIG, -EINVAL.
 */
int cgroup_device_program(const struct cgroup_device_rule *rules, size_t count,
			  struct bpf_insn *program);

/* Loads such a program; returns its descriptor. */
int cgroup_device_program_load(const struct bpf_insn *program, size_t count);

/* Makes it the only one attached to a v2 group. */
int cgroup_device_program_attach(int dir_fd, int program_fd);

int cgroup_apply_devices(const struct cgroup *group, const struct cgroup_device_rule *rules,
			 size_t count, char **ret_what);

#endif
