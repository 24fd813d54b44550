/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_usage.h - what a group uses, as the kernel counts it
 *
 * One reading of the group's files, in the units of the struct on v1 and v2. What this machine does
 * not tell is 0, or CGROUP_NO_LIMIT for a limit: a controller may be missing, pressure be disabled.
 *
 *	                v1                                     v2
 *	processor       cpuacct.usage, cpuacct.stat            cpu.stat
 *	throttling      cpu.stat                               cpu.stat
 *	memory          memory.usage_in_bytes, memory.stat     memory.current, memory.stat
 *	killed          memory.oom_control                     memory.events
 *	block devices   blkio.throttle.io_service_*            io.stat
 *	processes       pids.current, pids.max                 the same
 *	pressure        of the v2 group beside it, if any      *.pressure
 */
#ifndef SKIFF_SYS_CGROUP_USAGE_H
#define SKIFF_SYS_CGROUP_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/cgroup.h"

#define CGROUP_NO_LIMIT UINT64_MAX

/* Pressure stall information (Documentation/accounting/psi.rst). */
struct cgroup_pressure {
	double some_avg10, full_avg10; /* percent of the last ten seconds */
	uint64_t some_us, full_us;     /* since the group was made */
};

struct cgroup_usage {
	uint64_t cpu_ns, cpu_user_ns, cpu_system_ns;
	uint64_t periods, throttled_periods, throttled_ns;
	uint64_t memory_bytes;      /* all that is charged, page cache included */
	uint64_t memory_idle_bytes; /* of it, page cache that nobody has used lately */
	uint64_t memory_limit_bytes;
	uint64_t oom_kills;
	uint64_t read_bytes, write_bytes, reads, writes;
	uint64_t pids, pids_limit;
	bool has_pressure;
	struct cgroup_pressure cpu_pressure, memory_pressure, io_pressure;
};

void cgroup_usage_read(const struct cgroup *group, struct cgroup_usage *ret_usage);

/* ---- formats of files ---- */

/* "key 12" lines: the number, or `otherwise`. */
uint64_t cgroup_stat_number(const char *text, const char *key, uint64_t otherwise);

/* "8:0 Read 12" lines of v1: sums over devices. */
void cgroup_sum_blkio(const char *text, uint64_t *read_sum, uint64_t *write_sum);

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" lines of v2, added to what `usage` has. */
void cgroup_sum_io_stat(const char *text, struct cgroup_usage *usage);

/* "some avg10=0.00 avg60=… total=0", "full …". */
void cgroup_parse_pressure(const char *text, struct cgroup_pressure *ret_pressure);

#endif
