/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/limit_option.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "engine/container.h"
#include "sys/cgroup.h"

#define MEMORY_MIN_BYTES ((int64_t)6 << 20)
#define NANO 1000000000LL
#define CPU_MAX 8192
#define DEVICES_MAX 1024

static int parse_bytes(const char *text, const char *option, int64_t *ret_bytes, struct error *err)
{
	uint64_t bytes;

	if (!text || !*text)
		return 0;
	if (parse_size(text, &bytes) < 0 || bytes > INT64_MAX)
		return err_set(err, ERR_INVALID, 0, "invalid argument \"%s\" for %s: invalid size",
			       text, option);
	*ret_bytes = (int64_t)bytes;
	return 0;
}

/* ---- memory ---- */

static int check_memory(const struct container_config *c, struct error *err)
{
	if (c->memory_bytes && c->memory_bytes < MEMORY_MIN_BYTES)
		return err_set(err, ERR_INVALID, 0, "Minimum memory limit allowed is 6MB");
	if (c->memory_swap_bytes && !c->memory_bytes && c->memory_swap_bytes != -1)
		return err_set(err, ERR_INVALID, 0,
			       "You should always set the Memory limit when using Memoryswap "
			       "limit, see usage");
	if (c->memory_swap_bytes > 0 && c->memory_swap_bytes < c->memory_bytes)
		return err_set(err, ERR_INVALID, 0,
			       "Minimum memoryswap limit should be larger than memory limit, see "
			       "usage");
	if (c->memory_reservation_bytes && c->memory_reservation_bytes < MEMORY_MIN_BYTES)
		return err_set(err, ERR_INVALID, 0, "Minimum memory reservation allowed is 6MB");
	if (c->memory_bytes && c->memory_reservation_bytes > c->memory_bytes)
		return err_set(err, ERR_INVALID, 0,
			       "Minimum memory limit can not be less than memory reservation "
			       "limit, see usage");
	return 0;
}

static int merge_memory(const struct limit_request *q, struct container_config *c,
			struct error *err)
{
	int r;

	r = parse_bytes(q->memory, "--memory", &c->memory_bytes, err);
	if (r < 0)
		return r;
	if (q->memory_swap && strcmp(q->memory_swap, "-1") == 0)
		c->memory_swap_bytes = -1;
	else
		r = parse_bytes(q->memory_swap, "--memory-swap", &c->memory_swap_bytes, err);
	if (r < 0)
		return r;
	if (!q->memory_swap && c->memory_swap_bytes > 0 && c->memory_bytes > c->memory_swap_bytes)
		return err_set(err, ERR_INVALID, 0,
			       "Memory limit should be smaller than already set memoryswap limit, "
			       "update the memoryswap at the same time");
	r = parse_bytes(q->memory_reservation, "--memory-reservation", &c->memory_reservation_bytes,
			err);
	if (r < 0)
		return r;
	if (q->memory_swappiness < -1 || q->memory_swappiness > 100)
		return err_set(err, ERR_INVALID, 0,
			       "Invalid value: %" PRId64 ", valid memory swappiness range is 0-100",
			       q->memory_swappiness);
	if (q->memory_swappiness != LIMIT_NO_SWAPPINESS) {
		c->memory_swappiness_set = true;
		c->memory_swappiness = q->memory_swappiness;
	}
	return check_memory(c, err);
}

/* ---- time on processors ---- */

static int check_cpu_time(const struct limit_request *q, struct error *err)
{
	if (q->cpu_period && (q->cpu_period < 1000 || q->cpu_period > 1000000))
		return err_set(err, ERR_INVALID, 0,
			       "CPU cfs period can not be less than 1ms (i.e. 1000) or larger "
			       "than 1s (i.e. 1000000)");
	if (q->cpu_quota && q->cpu_quota != -1 && q->cpu_quota < 1000)
		return err_set(err, ERR_INVALID, 0,
			       "CPU cfs quota can not be less than 1ms (i.e. 1000)");
	if (q->cpu_shares < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid CPU shares (%" PRId64 "): value must be a positive integer",
			       q->cpu_shares);
	return 0;
}

/* Docker's words differ between create, where both are new, and update, where one is old. */
static int check_cpu_conflicts(const struct limit_request *q, const struct container_config *old,
			       int64_t nano_cpus, struct error *err)
{
	bool period = q->cpu_period > 0, quota = q->cpu_quota > 0;

	if (nano_cpus && (period || quota))
		return err_set(err, ERR_INVALID, 0,
			       "Conflicting options: Nano CPUs and CPU %s cannot both be set",
			       period ? "Period" : "Quota");
	if (nano_cpus && (old->cpu_period_us > 0 || old->cpu_quota_us > 0))
		return err_set(err, ERR_INVALID, 0,
			       "Conflicting options: Nano CPUs cannot be updated as CPU %s has "
			       "already been set",
			       old->cpu_period_us > 0 ? "Period" : "Quota");
	if (old->nano_cpus && (period || quota))
		return err_set(err, ERR_INVALID, 0,
			       "Conflicting options: CPU %s cannot be updated as NanoCPUs has "
			       "already been set",
			       period ? "Period" : "Quota");
	return 0;
}

static int parse_cpus(const char *text, int64_t *ret_nano, struct error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!text || !*text)
		return 0;
	if (parse_decimal_nano(text, ret_nano) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid argument \"%s\" for --cpus: not a number", text);
	if (*ret_nano && (*ret_nano < NANO / 100 || *ret_nano > cpus * NANO))
		return err_set(err, ERR_INVALID, 0,
			       "range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs "
			       "available",
			       cpus, cpus);
	return 0;
}

/* What was asked for takes the place of what was there. */
static void set_if_given(int64_t value, int64_t *field)
{
	if (value)
		*field = value;
}

static int merge_cpu_time(const struct limit_request *q, struct container_config *c,
			  struct error *err)
{
	int64_t nano_cpus = 0;
	int r;

	r = parse_cpus(q->cpus, &nano_cpus, err);
	if (r == 0)
		r = check_cpu_time(q, err);
	if (r == 0)
		r = check_cpu_conflicts(q, c, nano_cpus, err);
	if (r < 0)
		return r;
	set_if_given(nano_cpus, &c->nano_cpus);
	set_if_given(q->cpu_shares, &c->cpu_shares);
	set_if_given(q->cpu_period, &c->cpu_period_us);
	set_if_given(q->cpu_quota, &c->cpu_quota_us);
	return 0;
}

static int merge_realtime(const struct limit_request *q, struct container_config *c,
			  struct error *err)
{
	if (q->cpu_rt_period < 0 || q->cpu_rt_runtime < -1)
		return err_set(err, ERR_INVALID, 0,
			       "invalid --cpu-rt-%s: it must be a positive number of microseconds",
			       q->cpu_rt_period < 0 ? "period" : "runtime");
	set_if_given(q->cpu_rt_period, &c->cpu_rt_period_us);
	set_if_given(q->cpu_rt_runtime, &c->cpu_rt_runtime_us);
	if (c->cpu_rt_period_us && c->cpu_rt_runtime_us > c->cpu_rt_period_us)
		return err_set(err, ERR_INVALID, 0,
			       "cpu real-time runtime cannot be higher than cpu real-time period");
	return 0;
}

/* ---- lists of CPUs and memory nodes ---- */

static int scan_number(const char **text, unsigned int *ret_value)
{
	unsigned int value = 0;
	const char *p = *text;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (unsigned int)(*p - '0');
		if (value >= CPU_MAX)
			return -ERANGE;
	}
	*text = p;
	*ret_value = value;
	return 0;
}

static int parse_list(const char *text, bool set[CPU_MAX])
{
	for (;;) {
		unsigned int first, last;

		if (scan_number(&text, &first) < 0)
			return -EINVAL;
		last = first;
		if (*text == '-') {
			text++;
			if (scan_number(&text, &last) < 0 || last < first)
				return -EINVAL;
		}
		memset(&set[first], true, last - first + 1);
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

int cpu_list_check(const char *text, const char *available)
{
	auto_free bool *wanted = xcalloc(CPU_MAX, sizeof(*wanted));
	auto_free bool *there = xcalloc(CPU_MAX, sizeof(*there));

	if (parse_list(text, wanted) < 0)
		return -EINVAL;
	if (parse_list(available, there) < 0)
		return 0; /* the kernel will say */
	for (size_t i = 0; i < CPU_MAX; i++)
		if (wanted[i] && !there[i])
			return -ENXIO;
	return 0;
}

static int merge_cpuset(const char *text, const char *what, const char *available_path,
			char **field, struct error *err)
{
	auto_free char *available = NULL;
	int r;

	if (!text || !*text)
		return 0;
	if (fd_read_file_at(AT_FDCWD, available_path, 65536, &available, NULL) < 0)
		available = xstrdup("");
	available[strcspn(available, "\n")] = '\0';
	r = cpu_list_check(text, available);
	if (r == -ENXIO)
		return err_set(err, ERR_INVALID, 0,
			       "Requested %s are not available - requested %s, available: %s", what,
			       text, available);
	if (r < 0)
		return err_set(err, ERR_INVALID, 0, "Invalid value %s for cpuset %s", text,
			       strcmp(what, "CPUs") == 0 ? "cpus" : "mems");
	free(*field);
	*field = xstrdup(text);
	return 0;
}

static int merge_cpusets(const struct limit_request *q, struct container_config *c,
			 struct error *err)
{
	int r;

	r = merge_cpuset(q->cpuset_cpus, "CPUs", "/sys/devices/system/cpu/online", &c->cpuset_cpus,
			 err);
	if (r < 0)
		return r;
	return merge_cpuset(q->cpuset_mems, "memory nodes", "/sys/devices/system/node/online",
			    &c->cpuset_mems, err);
}

/* ---- the others ---- */

static int merge_pids(const struct limit_request *q, struct container_config *c, struct error *err)
{
	if (q->pids_limit < -1)
		return err_set(err, ERR_INVALID, 0, "invalid --pids-limit: %" PRId64,
			       q->pids_limit);
	set_if_given(q->pids_limit, &c->pids_limit);
	return 0;
}

static int merge_block_io(const struct limit_request *q, struct container_config *c,
			  struct error *err)
{
	if (q->blkio_weight && (q->blkio_weight < 10 || q->blkio_weight > 1000))
		return err_set(err, ERR_INVALID, 0, "Range of blkio weight is from 10 to 1000");
	set_if_given(q->blkio_weight, &c->blkio_weight);
	for (size_t kind = 0; kind < BLOCK_IO_KIND_COUNT; kind++) {
		for (size_t i = 0; i < q->block_io[kind].count; i++) {
			auto_(block_io_release) struct block_io_spec spec = {0};
			int r = block_io_parse((enum block_io_kind)kind, q->block_io[kind].items[i],
					       &spec, err);

			if (r < 0)
				return r;
		}
		block_io_merge(&c->block_io[kind], &q->block_io[kind]);
		if (c->block_io[kind].count > DEVICES_MAX)
			return err_set(err, ERR_INVALID, E2BIG, "more than %d devices with limits",
				       DEVICES_MAX);
	}
	return 0;
}

/* ---- what this machine can do ---- */

struct need {
	bool wanted;
	const char *option, *controller;
	bool v1_only;
};

static bool limits_devices(const struct container_config *c)
{
	for (size_t kind = 0; kind < BLOCK_IO_KIND_COUNT; kind++)
		if (c->block_io[kind].count)
			return true;
	return false;
}

static int check_need(const struct need *need, const struct cgroup_host *host, struct error *err)
{
	if (!cgroup_host_has(host, need->controller))
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "%s cannot be enforced: this machine has no %s controller",
			       need->option, need->controller);
	if (need->v1_only && !cgroup_host_has_v1(host, need->controller))
		return err_set(
			err, ERR_UNAVAILABLE, 0,
			"%s cannot be enforced: this machine has the %s controller in cgroup "
			"v2 only, which knows no such limit",
			need->option, need->controller);
	return 0;
}

static int check_controllers(const struct container_config *c, struct error *err)
{
	const struct need needs[] = {
		{c->memory_bytes != 0, "--memory", "memory", false},
		{c->memory_swap_bytes != 0, "--memory-swap", "memory", false},
		{c->memory_reservation_bytes != 0, "--memory-reservation", "memory", false},
		{c->memory_swappiness_set, "--memory-swappiness", "memory", true},
		{c->oom_kill_disable, "--oom-kill-disable", "memory", true},
		{c->nano_cpus != 0, "--cpus", "cpu", false},
		{c->cpu_quota_us != 0, "--cpu-quota", "cpu", false},
		{c->cpu_period_us != 0, "--cpu-period", "cpu", false},
		{c->cpu_shares != 0, "--cpu-shares", "cpu", false},
		{c->cpu_rt_period_us != 0, "--cpu-rt-period", "cpu", true},
		{c->cpu_rt_runtime_us != 0, "--cpu-rt-runtime", "cpu", true},
		{c->cpuset_cpus != NULL, "--cpuset-cpus", "cpuset", false},
		{c->cpuset_mems != NULL, "--cpuset-mems", "cpuset", false},
		{c->pids_limit > 0, "--pids-limit", "pids", false},
		{c->blkio_weight != 0, "--blkio-weight", "io", false},
		{limits_devices(c), "a limit of a block device", "io", false},
	};
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!needs[i].wanted)
			continue;
		if (!host) {
			r = cgroup_host_open(&host);
			if (r < 0)
				return err_set(err, ERR_SYSTEM, -r, "look at the cgroups");
		}
		r = check_need(&needs[i], host, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int limit_request_merge(const struct limit_request *request, struct container_config *config,
			struct error *err)
{
	static int (*const parts[])(const struct limit_request *, struct container_config *,
				    struct error *) = {
		merge_memory,  merge_cpu_time, merge_realtime,
		merge_cpusets, merge_pids,     merge_block_io,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = parts[i](request, config, err);

		if (r < 0)
			return r;
	}
	return check_controllers(config, err);
}

int64_t limit_swap_bytes(const struct container_config *config)
{
	int64_t twice;

	if (config->memory_swap_bytes || !config->memory_bytes)
		return config->memory_swap_bytes;
	return __builtin_mul_overflow(config->memory_bytes, 2, &twice) ? -1 : twice;
}

/* ---- what only create is told ---- */

static int set_oom(const struct create_request *q, struct container_config *c, struct error *err)
{
	if (q->oom_score_adj < -1000 || q->oom_score_adj > 1000)
		return err_set(err, ERR_INVALID, 0,
			       "Invalid value %" PRId64
			       ", range for oom score adj is [-1000, 1000]",
			       q->oom_score_adj);
	c->oom_score_adj = q->oom_score_adj;
	c->oom_kill_disable = q->oom_kill_disable;
	return 0;
}

int limit_options_apply(const struct create_request *request, struct container_config *config,
			struct error *err)
{
	int r;

	r = set_oom(request, config, err);
	if (r < 0)
		return r;
	r = parse_bytes(request->shm_size, "--shm-size", &config->shm_bytes, err);
	if (r < 0)
		return r;
	return limit_request_merge(&request->limits, config, err);
}

void limit_request_init(struct limit_request *request)
{
	*request = (struct limit_request){.memory_swappiness = LIMIT_NO_SWAPPINESS};
}

void limit_request_release(struct limit_request *request)
{
	for (size_t kind = 0; kind < BLOCK_IO_KIND_COUNT; kind++)
		strv_release(&request->block_io[kind]);
	limit_request_init(request);
}
