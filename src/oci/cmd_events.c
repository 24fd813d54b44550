/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_events.c - what a container uses, once or at intervals */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_internal.h"
#include "sys/cgroup_memory.h"
#include "sys/cgroup_usage.h"
#include "sys/process.h"

#define DEFAULT_INTERVAL "5s"

struct events_opts {
	const char *interval;
	bool stats;
};

static const struct option_spec events_options[] = {
	OPT_STRING(struct events_opts, interval, 0, "interval", "duration",
		   "Time between two lines", .default_text = DEFAULT_INTERVAL),
	OPT_FLAG(struct events_opts, stats, 0, "stats", "Print one line and end"),
	OPT_END,
};

/*
 * runc writes 2^64 - 1 for "no limit" where v2 has "max". JSON libraries of C, ours too, hold 63 bits: ours is
 * the greatest of them, which readers take for the same.
 */
static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *cpu_stats(const struct cgroup_usage *u)
{
	return json_pack("{s:{s:o, s:o, s:o}, s:{s:o, s:o, s:o}}", "usage", "total",
			 number(u->cpu_ns), "kernel", number(u->cpu_system_ns), "user",
			 number(u->cpu_user_ns), "throttling", "periods", number(u->periods),
			 "throttledPeriods", number(u->throttled_periods), "throttledTime",
			 number(u->throttled_ns));
}

static json_t *memory_entry(const struct cgroup_memory_entry *entry)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "limit", number(entry->limit_bytes), "usage",
			 number(entry->bytes), "max", number(entry->peak_bytes), "failcnt",
			 number(entry->limit_hits));
}

static json_t *memory_stats(const struct cgroup *group)
{
	struct cgroup_memory m;

	cgroup_memory_read(group, &m);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "cache", number(m.cache_bytes), "usage",
			 memory_entry(&m.memory), "swap", memory_entry(&m.with_swap), "kernel",
			 memory_entry(&m.kernel), "kernelTCP", memory_entry(&m.kernel_tcp));
}

static json_t *pid_stats(const struct cgroup_usage *u)
{
	return json_pack("{s:o, s:o}", "current", number(u->pids), "limit",
			 number(u->pids_limit == CGROUP_NO_LIMIT ? 0 : u->pids_limit));
}

static int print_stats(const struct oci_container *c, struct error *err)
{
	auto_(oci_cgroup_release) struct oci_cgroup cgroup = {0};
	auto_(json_decref) json_t *object = json_object();
	auto_free char *text = NULL;
	struct cgroup_usage usage;
	int r = oci_cgroup_open(c, &cgroup, err);

	if (r < 0)
		return r;
	cgroup_usage_read(cgroup.group, &usage);
	json_set_string(object, "type", "stats");
	json_set_string(object, "id", c->id);
	(void)json_object_set_new(object, "data",
				  json_pack("{s:o, s:o, s:o}", "cpu", cpu_stats(&usage), "memory",
					    memory_stats(cgroup.group), "pids", pid_stats(&usage)));
	text = json_text(object);
	(void)printf("%s\n", text);
	return fflush(stdout) == 0 ? 0 : err_set(err, ERR_SYSTEM, errno, "write");
}

static int events_run(const struct oci_call *call, struct error *err)
{
	const struct events_opts *opts = call->opts;
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_close int pidfd = NO_FD;
	int64_t interval_ns = 0;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0)
		return r;
	if (parse_duration(opts->interval ? opts->interval : DEFAULT_INTERVAL, &interval_ns) < 0 ||
	    interval_ns < 1000000 || interval_ns / 1000000 > INT32_MAX)
		return err_set(err, ERR_INVALID, EINVAL,
			       "duration interval must be a positive one, at least 1ms");
	pidfd = process_id_open(&c.state.init);
	if (pidfd < 0)
		return err_set(err, ERR_CONFLICT, ESRCH, "container not running");
	do {
		r = print_stats(&c, err);
		if (r < 0 || opts->stats)
			return r;
	} while (process_wait_end(pidfd, (int)(interval_ns / 1000000)) == 0);
	return 0;
}

const struct oci_command oci_cmd_events = {
	.name = "events",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Print what a container uses as JSON, until it ends",
	.min_args = 1,
	.max_args = 1,
	.options = events_options,
	.opts_size = sizeof(struct events_opts),
	.run = events_run,
};
