/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/limit_options.h"

#include <string.h>

#include "base/parse.h"
#include "engine/limit_request.h"

/* ---- values that are refused while parsing ---- */

int limit_check_size(const char *value, struct error *err)
{
	uint64_t bytes;

	if (parse_size(value, &bytes) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid size: '%s'", value);
	return 0;
}

/* -1: no limit. */
static int check_swap(const char *value, struct error *err)
{
	return strcmp(value, "-1") == 0 ? 0 : limit_check_size(value, err);
}

static int check_cpus(const char *value, struct error *err)
{
	int64_t nano;

	if (parse_decimal_nano(value, &nano) < 0)
		return err_set(err, ERR_INVALID, 0, "must be a number such as 1.5");
	return 0;
}

static int check_block_io(enum block_io_kind kind, const char *value, struct error *err)
{
	auto_(block_io_release) struct block_io_spec spec = {0};

	return block_io_parse(kind, value, &spec, err);
}

static int check_weight(const char *value, struct error *err)
{
	return check_block_io(BLOCK_IO_WEIGHT, value, err);
}

static int check_bps(const char *value, struct error *err)
{
	return check_block_io(BLOCK_IO_READ_BPS, value, err);
}

static int check_iops(const char *value, struct error *err)
{
	return check_block_io(BLOCK_IO_READ_IOPS, value, err);
}

#define LIMIT_STRING(field, s, l, v, h, ...)                                                       \
	OPT_STRING(struct limit_request, field, s, l, v, h, ##__VA_ARGS__)
#define LIMIT_INT(field, s, l, h, ...) OPT_INT(struct limit_request, field, s, l, h, ##__VA_ARGS__)
#define LIMIT_DEVICE(kind, l, h, c)                                                                \
	OPT_LIST(struct limit_request, block_io[kind], 0, l, "list", h, .check = (c),              \
		 .complete = COMPLETE_FILE)

const struct option_spec limit_options[] = {
	LIMIT_INT(blkio_weight, 0, "blkio-weight",
		  "Relative weight of block device access, 10 to 1000 (0: not set)"),
	LIMIT_DEVICE(BLOCK_IO_WEIGHT, "blkio-weight-device",
		     "The same for one device (path:weight)", check_weight),
	LIMIT_INT(cpu_period, 0, "cpu-period", "Period of the CPU quota, in microseconds"),
	LIMIT_INT(cpu_quota, 0, "cpu-quota", "CPU time per period, in microseconds"),
	LIMIT_INT(cpu_rt_period, 0, "cpu-rt-period",
		  "Period of the real-time quota, in microseconds"),
	LIMIT_INT(cpu_rt_runtime, 0, "cpu-rt-runtime",
		  "Real-time CPU time per period, in microseconds"),
	LIMIT_INT(cpu_shares, 'c', "cpu-shares", "CPU shares (relative weight)"),
	LIMIT_STRING(cpus, 0, "cpus", "decimal", "Number of CPUs", .check = check_cpus),
	LIMIT_STRING(cpuset_cpus, 0, "cpuset-cpus", "string", "CPUs to run on (0-3, 0,1)"),
	LIMIT_STRING(cpuset_mems, 0, "cpuset-mems", "string",
		     "Memory nodes to allocate from (0-3, 0,1)"),
	LIMIT_DEVICE(BLOCK_IO_READ_BPS, "device-read-bps",
		     "Bytes per second read from a device (path:rate)", check_bps),
	LIMIT_DEVICE(BLOCK_IO_READ_IOPS, "device-read-iops",
		     "Reads per second from a device (path:rate)", check_iops),
	LIMIT_DEVICE(BLOCK_IO_WRITE_BPS, "device-write-bps",
		     "Bytes per second written to a device (path:rate)", check_bps),
	LIMIT_DEVICE(BLOCK_IO_WRITE_IOPS, "device-write-iops",
		     "Writes per second to a device (path:rate)", check_iops),
	LIMIT_STRING(memory, 'm', "memory", "bytes", "Memory limit", .check = limit_check_size),
	LIMIT_STRING(memory_reservation, 0, "memory-reservation", "bytes", "Memory soft limit",
		     .check = limit_check_size),
	LIMIT_STRING(memory_swap, 0, "memory-swap", "bytes",
		     "Limit of memory and swap together: '-1' for no limit of swap",
		     .check = check_swap),
	LIMIT_INT(memory_swappiness, 0, "memory-swappiness",
		  "How readily memory is swapped out, 0 to 100 (cgroup v1)", .default_text = "-1"),
	LIMIT_INT(pids_limit, 0, "pids-limit", "Limit of processes (-1: unlimited)"),
	OPT_END,
};
