/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_setting.h - writing one limit, and saying what is missing where it cannot be written
 *
 * The result of every function is what cgroup_apply() returns: 0, -EOPNOTSUPP with *ret_what naming the
 * option and what it needs, or another error with *ret_what naming the option and the file. *ret_what
 * is the caller's of cgroup_apply() and replaced when it was set before.
 */
#ifndef SKIFF_SYS_CGROUP_SETTING_H
#define SKIFF_SYS_CGROUP_SETTING_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup;

/* What is being set, for messages, and where. */
struct cgroup_setting {
	const char *option;     /* "--memory"; may be changed between two writes */
	const char *controller; /* "memory" */
	int dir_fd;             /* borrowed from the group */
	bool is_v2;
	char **ret_what;
};

/* Finds the directory of the group that has the controller. */
int cgroup_setting_open(struct cgroup_setting *setting, const struct cgroup *group,
			const char *option, const char *controller, char **ret_what);

/* A file that is not there: the controller is not enabled for this group, or not built. */
int cgroup_set_text(const struct cgroup_setting *setting, const char *file, const char *text);

/* -1 is "max" on v2. */
int cgroup_set_number(const struct cgroup_setting *setting, const char *file, int64_t value);

/* "--option needs WHY". */
int cgroup_set_unsupported(const struct cgroup_setting *setting, const char *why);
int cgroup_set_no_controller(const struct cgroup_setting *setting);

/* "--option: write FILE", and `r`. */
int cgroup_set_failed(const struct cgroup_setting *setting, const char *file, int r);

#endif
