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
	if (c->memory_bytes && c->memory_reservation_bytes > c->memory_bytes)
		return err_set(err, ERR_INVALID, 0,
			       "Minimum memory limit can not be less than memory reservation "
			       "limit, see usage");
	return 0;
}

static int apply_memory(const struct create_request *q, struct container_config *c,
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
	r = parse_bytes(q->memory_reservation, "--memory-reservation", &c->memory_reservation_bytes,
			err);
	if (r < 0)
		return r;
	return check_memory(c, err);
}

static int apply_cpu_time(const struct create_request *q, struct container_config *c,
			  struct error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (q->cpus && *q->cpus && parse_decimal_nano(q->cpus, &c->nano_cpus) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid argument \"%s\" for --cpus: not a number", q->cpus);
	if (c->nano_cpus && (c->nano_cpus < NANO / 100 || c->nano_cpus > cpus * NANO))
		return err_set(err, ERR_INVALID, 0,
			       "range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs "
			       "available",
			       cpus, cpus);
	if (c->nano_cpus && (q->cpu_period || q->cpu_quota))
		return err_set(err, ERR_INVALID, 0,
			       "Conflicting options: Nano CPUs and CPU Period cannot both be set");
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
	c->cpu_shares = q->cpu_shares;
	c->cpu_period_us = q->cpu_period;
	c->cpu_quota_us = q->cpu_quota;
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

static int apply_cpuset(const char *text, const char *what, const char *available_path,
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

/* ---- what this machine can do ---- */

static int check_controllers(const struct container_config *c, struct error *err)
{
	const struct {
		bool wanted;
		const char *option, *controller;
	} needs[] = {
		{c->memory_bytes != 0, "--memory", "memory"},
		{c->memory_swap_bytes != 0, "--memory-swap", "memory"},
		{c->memory_reservation_bytes != 0, "--memory-reservation", "memory"},
		{c->nano_cpus != 0, "--cpus", "cpu"},
		{c->cpu_quota_us != 0, "--cpu-quota", "cpu"},
		{c->cpu_period_us != 0, "--cpu-period", "cpu"},
		{c->cpu_shares != 0, "--cpu-shares", "cpu"},
		{c->cpuset_cpus != NULL, "--cpuset-cpus", "cpuset"},
		{c->cpuset_mems != NULL, "--cpuset-mems", "cpuset"},
		{c->pids_limit > 0, "--pids-limit", "pids"},
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
		if (!cgroup_host_has(host, needs[i].controller))
			return err_set(err, ERR_UNAVAILABLE, 0,
				       "%s cannot be enforced: this machine has no %s controller",
				       needs[i].option, needs[i].controller);
	}
	return 0;
}

int limit_options_apply(const struct create_request *request, struct container_config *config,
			struct error *err)
{
	int r;

	r = apply_memory(request, config, err);
	if (r < 0)
		return r;
	r = apply_cpu_time(request, config, err);
	if (r < 0)
		return r;
	r = apply_cpuset(request->cpuset_cpus, "CPUs", "/sys/devices/system/cpu/online",
			 &config->cpuset_cpus, err);
	if (r < 0)
		return r;
	r = apply_cpuset(request->cpuset_mems, "memory nodes", "/sys/devices/system/node/online",
			 &config->cpuset_mems, err);
	if (r < 0)
		return r;
	if (request->pids_limit < -1)
		return err_set(err, ERR_INVALID, 0, "invalid --pids-limit: %" PRId64,
			       request->pids_limit);
	config->pids_limit = request->pids_limit;
	r = parse_bytes(request->shm_size, "--shm-size", &config->shm_bytes, err);
	if (r < 0)
		return r;
	return check_controllers(config, err);
}
