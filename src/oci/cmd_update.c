/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_update.c - other limits for a container that exists */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "oci/oci_bundle.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_internal.h"
#include "runtime/spec.h"

struct update_opts {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_share, *cpu_rt_period,
		*cpu_rt_runtime, *cpuset_cpus, *cpuset_mems, *memory, *memory_reservation,
		*memory_swap, *pids_limit;
	const char *l3_cache_schema, *mem_bw_schema, *kernel_memory, *kernel_memory_tcp;
};

#define LIMIT(field, name, help) OPT_STRING(struct update_opts, field, 0, name, "number", help)
#define REFUSED(field, name)                                                                       \
	OPT_STRING(struct update_opts, field, 0, name, "string", "Refused: not supported",         \
		   .hidden = true)

static const struct option_spec update_options[] = {
	LIMIT(blkio_weight, "blkio-weight", "Weight of its block I/O, 10 to 1000"),
	LIMIT(cpu_period, "cpu-period", "Length of a period in microseconds"),
	LIMIT(cpu_quota, "cpu-quota", "Processor time in each period in microseconds"),
	LIMIT(cpu_rt_period, "cpu-rt-period", "The same for processes of real time"),
	LIMIT(cpu_rt_runtime, "cpu-rt-runtime", "The same for processes of real time"),
	LIMIT(cpu_share, "cpu-share", "Weight of its processor time, 2 to 262144"),
	OPT_STRING(struct update_opts, cpuset_cpus, 0, "cpuset-cpus", "list", "Processors: 0-2,4"),
	OPT_STRING(struct update_opts, cpuset_mems, 0, "cpuset-mems", "list", "Memory nodes"),
	REFUSED(kernel_memory, "kernel-memory"),
	REFUSED(kernel_memory_tcp, "kernel-memory-tcp"),
	REFUSED(l3_cache_schema, "l3-cache-schema"),
	REFUSED(mem_bw_schema, "mem-bw-schema"),
	OPT_STRING(struct update_opts, memory, 'm', "memory", "bytes",
		   "Limit of its memory; 0: as it is"),
	OPT_STRING(struct update_opts, memory_reservation, 0, "memory-reservation", "bytes",
		   "Memory that it is left with when memory is short"),
	OPT_STRING(struct update_opts, memory_swap, 0, "memory-swap", "bytes",
		   "Limit of memory and swap together; -1: none"),
	LIMIT(pids_limit, "pids-limit", "Limit of its processes; -1: none"),
	OPT_STRING(struct update_opts, resources, 'r', "resources", "file",
		   "Limits as the JSON of linux.resources, \"-\" for standard input; the other "
		   "options are not looked at"),
	OPT_END,
};

static int read_resources(const char *path, json_t **ret, struct error *err)
{
	bool is_input = strcmp(path, "-") == 0;
	auto_close int fd = is_input ? fd_dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	r = fd_read_text(fd, JSON_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", path);
	return json_parse(text, len, "resources", ret, err);
}

static void put(json_t *resources, const char *group, const char *key, json_t *value)
{
	if (!json_object_get(resources, group))
		(void)json_object_set_new(resources, group, json_object());
	(void)json_object_set_new(json_object_get(resources, group), key, value);
}

static int put_number(json_t *resources, const char *group, const char *key, const char *text,
		      bool is_size, struct error *err)
{
	uint64_t size = 0;
	int64_t value = 0;

	if (!text)
		return 0;
	if (parse_i64(text, &value) < 0) {
		if (!is_size || parse_size(text, &size) < 0 || size > INT64_MAX)
			return err_set(err, ERR_INVALID, EINVAL, "invalid value for %s %s: '%s'",
				       group, key, text);
		value = (int64_t)size;
	}
	put(resources, group, key, json_integer(value));
	return 0;
}

static int from_options(const struct update_opts *o, json_t *resources, struct error *err)
{
	const struct {
		const char *group, *key, *text;
		bool is_size;
	} rows[] = {
		{"blockIO", "weight", o->blkio_weight, false},
		{"cpu", "period", o->cpu_period, false},
		{"cpu", "quota", o->cpu_quota, false},
		{"cpu", "shares", o->cpu_share, false},
		{"cpu", "realtimePeriod", o->cpu_rt_period, false},
		{"cpu", "realtimeRuntime", o->cpu_rt_runtime, false},
		{"memory", "limit", o->memory, true},
		{"memory", "reservation", o->memory_reservation, true},
		{"memory", "swap", o->memory_swap, true},
		{"pids", "limit", o->pids_limit, false},
	};

	if (o->l3_cache_schema || o->mem_bw_schema || o->kernel_memory || o->kernel_memory_tcp)
		return err_set(
			err, ERR_UNAVAILABLE, EOPNOTSUPP,
			"limits of caches, memory bandwidth and kernel memory are not supported");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = put_number(resources, rows[i].group, rows[i].key, rows[i].text,
				   rows[i].is_size, err);

		if (r < 0)
			return r;
	}
	if (o->cpuset_cpus)
		put(resources, "cpu", "cpus", json_string(o->cpuset_cpus));
	if (o->cpuset_mems)
		put(resources, "cpu", "mems", json_string(o->cpuset_mems));
	return 0;
}

static int apply(const struct oci_container *c, json_t *resources, struct error *err)
{
	auto_(oci_cgroup_release) struct oci_cgroup cgroup = {0};
	auto_(spec_release) struct spec spec = {0};
	auto_free char *what = NULL;
	int r;

	oci_resources_normalize(resources);
	r = spec_parse_limits(resources, &spec, err);
	if (r == 0)
		r = oci_spec_check(&spec, err);
	if (r == 0)
		r = oci_cgroup_open(c, &cgroup, err);
	if (r < 0)
		return r;
	r = cgroup_apply(cgroup.group, &spec.limits, &what);
	if (r == -EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, 0, "%s", what);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "%s", what) : 0;
}

static int update_run(const struct oci_call *call, struct error *err)
{
	const struct update_opts *opts = call->opts;
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_(json_decref) json_t *resources = NULL;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0)
		return r;
	if (opts->resources) {
		r = read_resources(opts->resources, &resources, err);
	} else {
		resources = json_object();
		r = from_options(opts, resources, err);
	}
	return r < 0 ? r : apply(&c, resources, err);
}

const struct oci_command oci_cmd_update = {
	.name = "update",
	.usage = "[OPTIONS] CONTAINER",
	.summary = "Change the limits of a container",
	.min_args = 1,
	.max_args = 1,
	.options = update_options,
	.opts_size = sizeof(struct update_opts),
	.run = update_run,
};
