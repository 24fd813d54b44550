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
#include "sys/cgroup_setting.h"

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
		.cpu_rt_runtime_us = CGROUP_UNSET,
		.cpu_rt_period_us = CGROUP_UNSET,
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

static int set_swap(const struct cgroup_setting *s, const char *file, int64_t value)
{
	char text[32] = "max";
	int r;

	if (value != -1 || !s->is_v2)
		(void)snprintf(text, sizeof(text), "%" PRId64, value);
	r = fd_write_file_at(s->dir_fd, file, text);
	if (r != -ENOENT)
		return r < 0 ? cgroup_set_failed(s, file, r) : 0;
	if (value == -1 || !machine_has_swap())
		return 0;
	return cgroup_set_unsupported(s, "swap accounting (kernel parameter swapaccount=1)");
}

/*
 * The kernel keeps memory <= memory and swap at every moment: growing must start with the sum,
 * shrinking with memory.
 */
static int set_memory_v1(struct cgroup_setting *s, const struct cgroup_limits *l)
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
			return cgroup_set_text(s, "memory.limit_in_bytes", text);
		}
		if (r < 0)
			return cgroup_set_failed(s, "memory.limit_in_bytes", r);
	}
	if (!with_swap)
		return 0;
	s->option = "--memory-swap";
	return set_swap(s, "memory.memsw.limit_in_bytes", l->memory_swap_bytes);
}

static int set_memory_v2(struct cgroup_setting *s, const struct cgroup_limits *l)
{
	int64_t swap;
	int r = 0;

	if (is_set(l->memory_bytes))
		r = cgroup_set_number(s, "memory.max", l->memory_bytes);
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

static int set_memory_v1_only(struct cgroup_setting *s, const struct cgroup_limits *l)
{
	int r;

	if (is_set(l->memory_swappiness) && l->memory_swappiness != -1) {
		s->option = "--memory-swappiness";
		if (s->is_v2)
			return cgroup_set_unsupported(s, "cgroup v1");
		r = cgroup_set_number(s, "memory.swappiness", l->memory_swappiness);
		if (r < 0)
			return r;
	}
	if (is_set(l->oom_kill_disable) && l->oom_kill_disable != 0) {
		s->option = "--oom-kill-disable";
		if (s->is_v2)
			return cgroup_set_unsupported(s, "cgroup v1");
		return cgroup_set_text(s, "memory.oom_control", "1");
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
	struct cgroup_setting s;
	int r;

	if (!option)
		return 0;
	r = cgroup_setting_open(&s, group, option, "memory", ret_what);
	if (r < 0)
		return r;
	r = s.is_v2 ? set_memory_v2(&s, l) : set_memory_v1(&s, l);
	if (r < 0)
		return r;
	if (is_set(l->memory_reservation_bytes)) {
		s.option = "--memory-reservation";
		r = cgroup_set_number(&s, s.is_v2 ? "memory.low" : "memory.soft_limit_in_bytes",
				      l->memory_reservation_bytes);
		if (r < 0)
			return r;
	}
	return set_memory_v1_only(&s, l);
}

/* ---- processor ---- */

/* Two files, the second of which must never hold more than the first; `needs`: who brings them. */
struct pair_v1 {
	const char *period_file, *share_file, *needs;
	int64_t period, share;
};

/* Either order may be refused while old and new values mix, when they are changed later. */
static int set_pair_v1(const struct cgroup_setting *s, const struct pair_v1 *pair)
{
	char period[32], share[32];
	bool period_last = false;
	int r;

	(void)snprintf(period, sizeof(period), "%" PRId64, pair->period);
	(void)snprintf(share, sizeof(share), "%" PRId64, pair->share);
	if (is_set(pair->period)) {
		r = fd_write_file_at(s->dir_fd, pair->period_file, period);
		period_last = r == -EINVAL && is_set(pair->share);
		if (r < 0 && !period_last)
			return r == -ENOENT ? cgroup_set_unsupported(s, pair->needs)
					    : cgroup_set_failed(s, pair->period_file, r);
	}
	if (is_set(pair->share)) {
		r = fd_write_file_at(s->dir_fd, pair->share_file, share);
		if (r < 0)
			return r == -ENOENT ? cgroup_set_unsupported(s, pair->needs)
					    : cgroup_set_failed(s, pair->share_file, r);
	}
	return period_last ? cgroup_set_text(s, pair->period_file, period) : 0;
}

static int set_bandwidth_v1(const struct cgroup_setting *s, const struct cgroup_limits *l)
{
	const struct pair_v1 pair = {
		.period_file = "cpu.cfs_period_us",
		.share_file = "cpu.cfs_quota_us",
		.needs = "CONFIG_CFS_BANDWIDTH",
		.period = l->cpu_period_us,
		.share = l->cpu_quota_us,
	};

	return set_pair_v1(s, &pair);
}

static int set_bandwidth_v2(const struct cgroup_setting *s, const struct cgroup_limits *l)
{
	char quota[24] = "max", text[64];

	if (is_set(l->cpu_quota_us) && l->cpu_quota_us > 0)
		(void)snprintf(quota, sizeof(quota), "%" PRId64, l->cpu_quota_us);
	if (is_set(l->cpu_period_us))
		(void)snprintf(text, sizeof(text), "%s %" PRId64, quota, l->cpu_period_us);
	else
		(void)snprintf(text, sizeof(text), "%s", quota);
	return cgroup_set_text(s, "cpu.max", text);
}

static int apply_cpu(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	bool shares = is_set(l->cpu_shares) && l->cpu_shares != 0;
	bool bandwidth = is_set(l->cpu_quota_us) || is_set(l->cpu_period_us);
	struct cgroup_setting s;
	int r;

	if (!shares && !bandwidth)
		return 0;
	r = cgroup_setting_open(&s, group, shares ? "--cpu-shares" : "--cpus", "cpu", ret_what);
	if (r < 0)
		return r;
	if (shares) {
		r = s.is_v2 ? cgroup_set_number(
				      &s, "cpu.weight",
				      (int64_t)cgroup_shares_to_weight((uint64_t)l->cpu_shares))
			    : cgroup_set_number(&s, "cpu.shares", l->cpu_shares);
		if (r < 0)
			return r;
	}
	if (!bandwidth)
		return 0;
	s.option = "--cpus";
	return s.is_v2 ? set_bandwidth_v2(&s, l) : set_bandwidth_v1(&s, l);
}

static int apply_realtime(const struct cgroup *group, const struct cgroup_limits *l,
			  char **ret_what)
{
	const struct pair_v1 pair = {
		.period_file = "cpu.rt_period_us",
		.share_file = "cpu.rt_runtime_us",
		.needs = "CONFIG_RT_GROUP_SCHED",
		.period = l->cpu_rt_period_us,
		.share = l->cpu_rt_runtime_us,
	};
	const char *option = is_set(pair.share) ? "--cpu-rt-runtime" : "--cpu-rt-period";
	struct cgroup_setting s;
	int r;

	if (!is_set(pair.period) && !is_set(pair.share))
		return 0;
	r = cgroup_setting_open(&s, group, option, "cpu", ret_what);
	if (r < 0)
		return r;
	return s.is_v2 ? cgroup_set_unsupported(&s, "cgroup v1") : set_pair_v1(&s, &pair);
}

static int apply_cpuset(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	struct cgroup_setting s;
	int r;

	if (!l->cpuset_cpus && !l->cpuset_mems)
		return 0;
	r = cgroup_setting_open(&s, group, l->cpuset_cpus ? "--cpuset-cpus" : "--cpuset-mems",
				"cpuset", ret_what);
	if (r < 0)
		return r;
	if (l->cpuset_cpus) {
		r = cgroup_set_text(&s, "cpuset.cpus", l->cpuset_cpus);
		if (r < 0)
			return r;
	}
	s.option = "--cpuset-mems";
	return l->cpuset_mems ? cgroup_set_text(&s, "cpuset.mems", l->cpuset_mems) : 0;
}

/* ---- the others ---- */

static int apply_pids(const struct cgroup *group, const struct cgroup_limits *l, char **ret_what)
{
	struct cgroup_setting s;
	int r;

	if (!is_set(l->pids_max))
		return 0;
	r = cgroup_setting_open(&s, group, "--pids-limit", "pids", ret_what);
	if (r < 0)
		return r;
	/* "max" on both, unlike the other v1 files. */
	return l->pids_max == -1 ? cgroup_set_text(&s, "pids.max", "max")
				 : cgroup_set_number(&s, "pids.max", l->pids_max);
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
		apply_memory,          apply_cpu,     apply_realtime, apply_cpuset, apply_pids,
		cgroup_apply_block_io, apply_devices,
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
