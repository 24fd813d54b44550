/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_block_io.c - weights and ceilings of block devices
 *
 * v1 has one file per kind of ceiling, "MAJOR:MINOR RATE" each; v2 has io.max, whose keys may be
 * set one at a time. Weights belong to a scheduler: BFQ brings files of its own on both, and where it
 * does not, v2's io.weight is that of iocost and v1's blkio.weight that of CFQ (gone since 5.0).
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/cgroup_internal.h"
#include "sys/cgroup_setting.h"

static const struct io_kind {
	const char *option, *v1_file, *v2_key;
} io_kinds[] = {
	[CGROUP_IO_WEIGHT] = {"--blkio-weight-device", NULL, NULL},
	[CGROUP_IO_READ_BPS] = {"--device-read-bps", "blkio.throttle.read_bps_device", "rbps"},
	[CGROUP_IO_WRITE_BPS] = {"--device-write-bps", "blkio.throttle.write_bps_device", "wbps"},
	[CGROUP_IO_READ_IOPS] = {"--device-read-iops", "blkio.throttle.read_iops_device", "riops"},
	[CGROUP_IO_WRITE_IOPS] = {"--device-write-iops", "blkio.throttle.write_iops_device",
				  "wiops"},
};

static_assert(ARRAY_SIZE(io_kinds) == CGROUP_IO_KIND_COUNT, "every kind has its file");

/* "io" on v2, "blkio" on v1. */
static int open_block_io(struct cgroup_setting *s, const struct cgroup *group, const char *option,
			 char **ret_what)
{
	int r = cgroup_setting_open(s, group, option, "io", ret_what);

	return r == -EOPNOTSUPP ? cgroup_setting_open(s, group, option, "blkio", ret_what) : r;
}

/* The first of the files that is there. -EOPNOTSUPP: the device has a scheduler without weights. */
static int write_weight(const struct cgroup_setting *s, const char *bfq_file, const char *bfq_text,
			const char *file, const char *text)
{
	int r = fd_write_file_at(s->dir_fd, bfq_file, bfq_text);

	if (r == -EOPNOTSUPP)
		return cgroup_set_unsupported(s, "a device with the bfq scheduler");
	if (r != -ENOENT)
		return r < 0 ? cgroup_set_failed(s, bfq_file, r) : 0;
	r = fd_write_file_at(s->dir_fd, file, text);
	if (r == -ENOENT)
		return cgroup_set_unsupported(s, "a scheduler with weights (bfq)");
	return r < 0 ? cgroup_set_failed(s, file, r) : 0;
}

static int set_weight(const struct cgroup_setting *s, uint64_t weight)
{
	char plain[32], converted[32];

	(void)snprintf(plain, sizeof(plain), "%" PRIu64, weight);
	(void)snprintf(converted, sizeof(converted), "%" PRIu64, cgroup_blkio_to_io_weight(weight));
	if (s->is_v2)
		return write_weight(s, "io.bfq.weight", plain, "io.weight", converted);
	return write_weight(s, "blkio.bfq.weight", plain, "blkio.weight", plain);
}

/* Weight 0 is "none of its own". */
static int set_device_weight(const struct cgroup_setting *s, const struct cgroup_io_limit *limit)
{
	char plain[64], converted[64];

	(void)snprintf(plain, sizeof(plain), "%u:%u %" PRIu64, limit->major, limit->minor,
		       limit->value);
	(void)snprintf(converted, sizeof(converted), "%u:%u %" PRIu64, limit->major, limit->minor,
		       cgroup_blkio_to_io_weight(limit->value));
	if (!s->is_v2)
		return write_weight(s, "blkio.bfq.weight_device", plain, "blkio.weight_device",
				    plain);
	if (limit->value == 0) {
		(void)snprintf(plain, sizeof(plain), "%u:%u default", limit->major, limit->minor);
		return write_weight(s, "io.bfq.weight", plain, "io.weight", plain);
	}
	return write_weight(s, "io.bfq.weight", plain, "io.weight", converted);
}

/* Rate 0 is "none": v1 says so with 0, v2 with "max". */
static int set_ceiling(const struct cgroup_setting *s, const struct cgroup_io_limit *limit)
{
	const struct io_kind *kind = &io_kinds[limit->kind];
	const char *file = s->is_v2 ? "io.max" : kind->v1_file;
	char rate[24] = "max", text[96];
	int r;

	if (limit->value != 0 || !s->is_v2)
		(void)snprintf(rate, sizeof(rate), "%" PRIu64, limit->value);
	if (s->is_v2)
		(void)snprintf(text, sizeof(text), "%u:%u %s=%s", limit->major, limit->minor,
			       kind->v2_key, rate);
	else
		(void)snprintf(text, sizeof(text), "%u:%u %s", limit->major, limit->minor, rate);
	r = fd_write_file_at(s->dir_fd, file, text);
	if (r == -ENOENT)
		return cgroup_set_unsupported(s, "CONFIG_BLK_DEV_THROTTLING");
	if (r == -ENODEV)
		return cgroup_set_unsupported(s,
					      "a whole disk, and there is none with this number");
	return r < 0 ? cgroup_set_failed(s, file, r) : 0;
}

static int apply_io_limit(const struct cgroup *group, const struct cgroup_io_limit *limit,
			  char **ret_what)
{
	struct cgroup_setting s;
	int r;

	r = open_block_io(&s, group, io_kinds[limit->kind].option, ret_what);
	if (r < 0)
		return r;
	return limit->kind == CGROUP_IO_WEIGHT ? set_device_weight(&s, limit)
					       : set_ceiling(&s, limit);
}

int cgroup_apply_block_io(const struct cgroup *group, const struct cgroup_limits *limits,
			  char **ret_what)
{
	struct cgroup_setting s;
	int r = 0;

	if (limits->blkio_weight != CGROUP_UNSET && limits->blkio_weight != 0) {
		r = open_block_io(&s, group, "--blkio-weight", ret_what);
		if (r == 0)
			r = set_weight(&s, (uint64_t)limits->blkio_weight);
	}
	for (size_t i = 0; r == 0 && i < limits->io_limit_count; i++)
		r = apply_io_limit(group, &limits->io_limits[i], ret_what);
	return r;
}
