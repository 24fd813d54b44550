/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_limits.c - memory, processor, number of processes, block devices
 *
 * One function per controller. Each value is one write to one file; what cannot be set is named
 * after the option a person would have typed and the controller that is not there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/cgroup_internal.h"

/* What is being set, for messages, and where. */
struct setting {
	const struct cgroup *group;
	const char *option;     /* "--memory" */
	const char *controller; /* "memory" */
	int dir_fd;
	bool is_v2;
	char **ret_what;
};

void cgroup_limits_init(struct cgroup_limits *limits)
{
	*limits = (struct cgroup_limits){
		.memory_bytes = CGROUP_UNSET,
		.memory_reservation_bytes = CGROUP_UNSET,
		.memory_swap_bytes = CGROUP_UNSET,
		.memory_swappiness = CGROUP_UNSET,
		.oom_kill_disable = CGROUP_UNSET,
		.cpu_shares = CGROUP_UNSET,
		.cpu_quota_us = CGROUP_UNSET,
		.cpu_period_us = CGROUP_UNSET,
		.pids_max = CGROUP_UNSET,
		.blkio_weight = CGROUP_UNSET,
	};
}

uint64_t cgroup_shares_to_weight(uint64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + ((shares - 2) * 9999) / 262142;
}

uint64_t cgroup_blkio_to_io_weight(uint64_t weight)
{
	if (weight < 10)
		weight = 10;
	if (weight > 1000)
		weight = 1000;
	return 1 + (weight - 10) * 9999 / 990;
}

int cgroup_swap_max(int64_t memory_bytes, int64_t memory_swap_bytes, int64_t *ret_swap_bytes)
{
	if (memory_swap_bytes == -1) {
		*ret_swap_bytes = -1;
		return 0;
	}
	if (memory_bytes < 0 || memory_swap_bytes < memory_bytes)
		return -EINVAL;
	*ret_swap_bytes = memory_swap_bytes - memory_bytes;
	return 0;
}

/* ---- one setting ---- */

static int unsupported(const struct setting *s, const char *why)
{
	*s->ret_what = xasprintf("%s needs %s", s->option, why);
	return -EOPNOTSUPP;
}

static int no_controller(const struct setting *s)
{
	*s->ret_what = xasprintf("%s needs the %s controller", s->option, s->controller);
	return -EOPNOTSUPP;
}

static int failed(const struct setting *s, const char *file, int r)
{
	*s->ret_what = xasprintf("%s: write %s", s->option, file);
	return r;
}

static int setting_open(struct setting *s, const struct cgroup *group, const char *option,
			const char *controller, char **ret_what)
{
	*s = (struct setting){
		.group = group, .option = option, .controller = controller, .ret_what = ret_what};
	s->dir_fd = cgroup_controller_dir(group, controller, &s->is_v2);
	return s->dir_fd < 0 ? no_controller(s) : 0;
}

/* A file that is not there means that the controller is not enabled for this group, or not built.
 */
static int set_text(const struct setting *s, const char *file, const char *text)
{
	int r = fd_write_file_at(s->dir_fd, file, text);

	if (r == -ENOENT)
		return no_controller(s);
	return r < 0 ? failed(s, file, r) : 0;
}

static int set_number(const struct setting *s, const char *file, int64_t value)
{
	char text[32];

	if (value == -1 && s->is_v2)
		return set_text(s, file, "max");
	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	return set_text(s, file, text);
}

static bool is_set(int64_t value)
{
	return value != CGROUP_UNSET;
}

/* ---- memory ---- */

/* A machine without any swap space already enforces every limit on it. */
static bool machine_has_swap(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 || info.totalswap > 0;
}

static int set_swap(const struct setting *s, const char *file, int64_t value)
{
	char text[32] = "max";
	int r;

	if (value != -1 || !s->is_v2)
		(void)snprintf(text, sizeof(text), "%" PRId64, value);
	r = fd_write_file_at(s->dir_fd, file, text);
	if (r != -ENOENT)
		return r < 0 ? failed(s, file, r) : 0;
	if (value == -1 || !machine_has_swap())
		return 0;
	return unsupported(s, "swap accounting (kernel parameter swapaccount=1)");
}

/*
 * The kernel keeps memory <= memory and swap at every moment: growing must start with the sum,
 * shrinking with memory.
 */
static int set_memory_v1(struct setting *s, const struct cgroup_limits *l)
{
	bool with_swap = is_set(l->memory_swap_bytes);
	char text[32];
	int r = 0;

	if (is_set(l->memory_bytes)) {
		(void)snprintf(text, sizeof(text), "%" PRId64, l->memory_bytes);
		r = fd_write_file_at(s->dir_fd, "memory.limit_in_bytes", text);
		if (r == -EINVAL && with_swap) {
			s->option = "--memory-swap";
			r = set_swap(s, "memory.memsw.limit_in_bytes", l->memory_swap_bytes);
			s->option = "--memory";
			if (r < 0)
				return r;
			return set_text(s, "memory.limit_in_bytes", text);
		}
		if (r < 0)
			return failed(s, "memory.limit_in_bytes", r);
	}
	if (!with_swap)
		return 0;
	s->option = "--memory-swap";
	return set_swap(s, "memory.memsw.limit_in_bytes", l->memory_swap_bytes);
}

static int set_memory_v2(struct setting *s, const struct cgroup_limits *l)
{
	int64_t swap;
	int r = 0;

	if (is_set(l->memory_bytes))
		r = set_number(s, "memory.max", l->memory_bytes);
	if (r < 0 || !is_set(l->memory_swap_bytes))
		return r;
	s->option = "--memory-swap";
	r = cgroup_swap_max(l->memory_bytes, l->memory_swap_bytes, &swap);
	if (r < 0) {
		*s->ret_what = xstrdup("--memory-swap must not be smaller than --memory, which it "
				       "needs");
		return r;
	}
	return set_swap(s, "memory.swap.max", swap);
}

static int set_memory_v1_only(struct setting *s, const struct cgroup_limits *l)
{
	int r;

	if (is_set(l->memory_swappiness) && l->memory_swappiness != -1) {
		s->option = "--memory-swappiness";
		if (s->is_v2)
			return unsupported(s, "cgroup v1");
		r = set_number(s, "memory.swappiness", l->memory_swappiness);
		if (r < 0)
			return r;
	}
	if (is_set(l->oom_kill_disable) && l->oom_kill_disable != 0) {
		s->option = "--oom-kill-disable";
		if (s->is_v2)
			return unsupported(s, "cgroup v1");
		return set_text(s, "memory.oom_control", "1");
	}
	return 0;
}

static const char *memory_option(const struct cgroup_limits *l)
{
	if (is_set(l->memory_bytes))
		return "--memory";
	if (is_set(l->memory_swap_bytes))
		return "--memory-swap";
	if (is_set(l->memory_reservation_bytes))
		return "--memory-reservation";
	if (is_set(l->memory_swappiness) && l->memory_swappiness != -1)
		return "--memory-swappiness";
	if (is_set(l->oom_kill_disable) && l->oom_kill_disable != 0)
		return "--oom-kill-disable";
	return NULL;
}

static int apply_memory(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	const char *option = memory_option(l);
	struct setting s;
	int r;

	if (!option)
		return 0;
	r = setting_open(&s, group, option, "memory", ret_what);
	if (r < 0)
		return r;
	r = s.is_v2 ? set_memory_v2(&s, l) : set_memory_v1(&s, l);
	if (r < 0)
		return r;
	if (is_set(l->memory_reservation_bytes)) {
		s.option = "--memory-reservation";
		r = set_number(&s, s.is_v2 ? "memory.low" : "memory.soft_limit_in_bytes",
			       l->memory_reservation_bytes);
		if (r < 0)
			return r;
	}
	return set_memory_v1_only(&s, l);
}

/* ---- processor ---- */

/* Either order may be refused while old and new values mix, when they are changed later. */
static int set_bandwidth_v1(const struct setting *s, const struct cgroup_limits *l)
{
	char period[32];
	bool period_last = false;
	int r;

	(void)snprintf(period, sizeof(period), "%" PRId64, l->cpu_period_us);
	if (is_set(l->cpu_period_us)) {
		r = fd_write_file_at(s->dir_fd, "cpu.cfs_period_us", period);
		period_last = r == -EINVAL && is_set(l->cpu_quota_us);
		if (r < 0 && !period_last)
			return r == -ENOENT ? unsupported(s, "CONFIG_CFS_BANDWIDTH")
					    : failed(s, "cpu.cfs_period_us", r);
	}
	if (is_set(l->cpu_quota_us)) {
		r = set_number(s, "cpu.cfs_quota_us", l->cpu_quota_us);
		if (r < 0)
			return r;
	}
	return period_last ? set_text(s, "cpu.cfs_period_us", period) : 0;
}

static int set_bandwidth_v2(const struct setting *s, const struct cgroup_limits *l)
{
	char quota[24] = "max", text[64];

	if (is_set(l->cpu_quota_us) && l->cpu_quota_us > 0)
		(void)snprintf(quota, sizeof(quota), "%" PRId64, l->cpu_quota_us);
	if (is_set(l->cpu_period_us))
		(void)snprintf(text, sizeof(text), "%s %" PRId64, quota, l->cpu_period_us);
	else
		(void)snprintf(text, sizeof(text), "%s", quota);
	return set_text(s, "cpu.max", text);
}

static int apply_cpu(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	bool shares = is_set(l->cpu_shares) && l->cpu_shares != 0;
	bool bandwidth = is_set(l->cpu_quota_us) || is_set(l->cpu_period_us);
	struct setting s;
	int r;

	if (!shares && !bandwidth)
		return 0;
	r = setting_open(&s, group, shares ? "--cpu-shares" : "--cpus", "cpu", ret_what);
	if (r < 0)
		return r;
	if (shares) {
		r = s.is_v2 ? set_number(&s, "cpu.weight",
					 (int64_t)cgroup_shares_to_weight((uint64_t)l->cpu_shares))
			    : set_number(&s, "cpu.shares", l->cpu_shares);
		if (r < 0)
			return r;
	}
	if (!bandwidth)
		return 0;
	s.option = "--cpus";
	return s.is_v2 ? set_bandwidth_v2(&s, l) : set_bandwidth_v1(&s, l);
}

static int apply_cpuset(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	struct setting s;
	int r;

	if (!l->cpuset_cpus && !l->cpuset_mems)
		return 0;
	r = setting_open(&s, group, l->cpuset_cpus ? "--cpuset-cpus" : "--cpuset-mems", "cpuset",
			 ret_what);
	if (r < 0)
		return r;
	if (l->cpuset_cpus) {
		r = set_text(&s, "cpuset.cpus", l->cpuset_cpus);
		if (r < 0)
			return r;
	}
	s.option = "--cpuset-mems";
	return l->cpuset_mems ? set_text(&s, "cpuset.mems", l->cpuset_mems) : 0;
}

/* ---- the others ---- */

static int apply_pids(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	struct setting s;
	int r;

	if (!is_set(l->pids_max))
		return 0;
	r = setting_open(&s, group, "--pids-limit", "pids", ret_what);
	if (r < 0)
		return r;
	/* "max" on both, unlike the other v1 files. */
	return l->pids_max == -1 ? set_text(&s, "pids.max", "max")
				 : set_number(&s, "pids.max", l->pids_max);
}

/* The scheduler that is in use decides which file there is: BFQ brings its own. */
static int apply_blkio(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	struct setting s;
	char text[32];
	int r;

	if (!is_set(l->blkio_weight) || l->blkio_weight == 0)
		return 0;
	r = setting_open(&s, group, "--blkio-weight", "io", ret_what);
	if (r == -EOPNOTSUPP) {
		cleanup_free_ptr(ret_what);
		r = setting_open(&s, group, "--blkio-weight", "blkio", ret_what);
	}
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%" PRId64, l->blkio_weight);
	r = fd_write_file_at(s.dir_fd, s.is_v2 ? "io.bfq.weight" : "blkio.bfq.weight", text);
	if (r != -ENOENT)
		return r < 0 ? failed(&s, "bfq.weight", r) : 0;
	if (!s.is_v2)
		return set_text(&s, "blkio.weight", text);
	return set_number(&s, "io.weight",
			  (int64_t)cgroup_blkio_to_io_weight((uint64_t)l->blkio_weight));
}

static int apply_devices(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	if (l->device_count == 0)
		return 0;
	return cgroup_apply_devices(group, l->devices, l->device_count, ret_what);
}

int cgroup_apply(const struct cgroup *group, const struct cgroup_limits *limits, char **ret_what)
{
	static int (*const appliers[])(const struct cgroup *, const struct cgroup_limits *,
				       char **) = {
		apply_memory, apply_cpu, apply_cpuset, apply_pids, apply_blkio, apply_devices,
	};

	for (size_t i = 0; i < ARRAY_SIZE(appliers); i++) {
		auto_free char *what = NULL;
		int r = appliers[i](group, limits, &what);

		if (r < 0) {
			*ret_what = TAKE_PTR(what);
			return r;
		}
	}
	return 0;
}
