/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "runtime/spec_internal.h"

#define DEVICE_ALL (CGROUP_DEVICE_READ | CGROUP_DEVICE_WRITE | CGROUP_DEVICE_MKNOD)

static const struct limit_member {
	const char *group, *key;
	size_t offset;
	int64_t min;
} limit_members[] = {
	{"memory", "limit", offsetof(struct cgroup_limits, memory_bytes), -1},
	{"memory", "reservation", offsetof(struct cgroup_limits, memory_reservation_bytes), -1},
	{"memory", "swap", offsetof(struct cgroup_limits, memory_swap_bytes), -1},
	{"memory", "swappiness", offsetof(struct cgroup_limits, memory_swappiness), 0},
	{"cpu", "shares", offsetof(struct cgroup_limits, cpu_shares), 0},
	{"cpu", "quota", offsetof(struct cgroup_limits, cpu_quota_us), -1},
	{"cpu", "period", offsetof(struct cgroup_limits, cpu_period_us), 0},
	{"cpu", "realtimeRuntime", offsetof(struct cgroup_limits, cpu_rt_runtime_us), -1},
	{"cpu", "realtimePeriod", offsetof(struct cgroup_limits, cpu_rt_period_us), 0},
	{"pids", "limit", offsetof(struct cgroup_limits, pids_max), -1},
	{"blockIO", "weight", offsetof(struct cgroup_limits, blkio_weight), 0},
};

static int parse_access(const char *text, unsigned int *ret_access)
{
	unsigned int access = 0;

	for (; *text; text++) {
		switch (*text) {
		case 'r':
			access |= CGROUP_DEVICE_READ;
			break;
		case 'w':
			access |= CGROUP_DEVICE_WRITE;
			break;
		case 'm':
			access |= CGROUP_DEVICE_MKNOD;
			break;
		default:
			return -EINVAL;
		}
	}
	*ret_access = access;
	return 0;
}

static int parse_device_rule(const json_t *item, struct cgroup_device_rule *rule, struct error *err)
{
	const char *type = json_get_string(item, "type", "a");

	*rule = (struct cgroup_device_rule){
		.allow = json_get_bool(item, "allow", false),
		.type = type[0],
		.major = json_get_int(item, "major", -1),
		.minor = json_get_int(item, "minor", -1),
	};
	if (strlen(type) != 1 || !strchr("abc", type[0]) || rule->major < -1 || rule->minor < -1 ||
	    parse_access(json_get_string(item, "access", "rwm"), &rule->access) < 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.resources.devices: a rule is not valid");
	return 0;
}

/*
 * What every container may use, whatever the document lists, since the runtime supplies it (OCI
 * runtime specification, "Default Devices"): any node may be made, these may be used, and /dev/pts.
 */
static const struct cgroup_device_rule default_rules[] = {
	{true, 'c', -1, -1, CGROUP_DEVICE_MKNOD},
	{true, 'b', -1, -1, CGROUP_DEVICE_MKNOD},
	{true, 'c', 1, 3, DEVICE_ALL},
	{true, 'c', 1, 5, DEVICE_ALL},
	{true, 'c', 1, 7, DEVICE_ALL},
	{true, 'c', 1, 8, DEVICE_ALL},
	{true, 'c', 1, 9, DEVICE_ALL},
	{true, 'c', 5, 0, DEVICE_ALL},
	{true, 'c', 5, 2, DEVICE_ALL},
	{true, 'c', 136, -1, DEVICE_ALL},
};

static bool rule_is_listed(const struct cgroup_device_rule *rules, size_t count,
			   const struct cgroup_device_rule *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].allow && rules[i].type == wanted->type &&
		    rules[i].major == wanted->major && rules[i].minor == wanted->minor &&
		    (rules[i].access & wanted->access) == wanted->access)
			return true;
	return false;
}

static void add_default_rules(struct spec *spec, size_t listed)
{
	size_t count = listed;

	for (size_t i = 0; i < ARRAY_SIZE(default_rules); i++)
		if (!rule_is_listed(spec->device_rules, listed, &default_rules[i]))
			spec->device_rules[count++] = default_rules[i];
	spec->limits.devices = spec->device_rules;
	spec->limits.device_count = count;
}

static int parse_device_rules(const json_t *array, struct spec *spec, struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	if (!array)
		return 0;
	if (!json_is_array(array) || json_array_size(array) > SPEC_MAX_DEVICES)
		return err_set(
			err, ERR_INVALID, EINVAL,
			"config.json: linux.resources.devices must be an array of at most %d",
			SPEC_MAX_DEVICES);
	spec->device_rules = xcalloc(json_array_size(array) + ARRAY_SIZE(default_rules),
				     sizeof(*spec->device_rules));
	json_array_foreach (array, i, item) {
		r = parse_device_rule(item, &spec->device_rules[i], err);
		if (r < 0)
			return r;
	}
	if (json_array_size(array) > 0)
		add_default_rules(spec, json_array_size(array));
	return 0;
}

/* Limits that exist in the specification and not here must not be taken for enforced. */
static int refuse_unsupported(const json_t *resources, struct error *err)
{
	static const struct {
		const char *group, *key;
	} members[] = {
		{"memory", "kernel"}, {"memory", "kernelTCP"},   {"cpu", "burst"},
		{"cpu", "idle"},      {"blockIO", "leafWeight"}, {"memory", "checkBeforeUpdate"},
	};
	static const char *const groups[] = {"hugepageLimits", "network", "rdma", "unified"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const json_t *group = json_object_get(resources, members[i].group);
		const json_t *value = json_object_get(group, members[i].key);

		if (value && !json_is_false(value))
			return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
				       "config.json: linux.resources.%s.%s is not supported",
				       members[i].group, members[i].key);
	}
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (json_object_get(resources, groups[i]))
			return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
				       "config.json: linux.resources.%s is not supported",
				       groups[i]);
	return 0;
}

/* ---- block devices ---- */

static const struct io_member {
	const char *key, *value_key;
	enum cgroup_io_kind kind;
} io_members[] = {
	{"weightDevice", "weight", CGROUP_IO_WEIGHT},
	{"throttleReadBpsDevice", "rate", CGROUP_IO_READ_BPS},
	{"throttleWriteBpsDevice", "rate", CGROUP_IO_WRITE_BPS},
	{"throttleReadIOPSDevice", "rate", CGROUP_IO_READ_IOPS},
	{"throttleWriteIOPSDevice", "rate", CGROUP_IO_WRITE_IOPS},
};

static int parse_io_limit(const json_t *item, const struct io_member *member,
			  struct cgroup_io_limit *limit, struct error *err)
{
	int64_t major_number = -1, minor_number = -1, value = 0;
	int r;

	r = spec_member_int(item, "major", member->key, 0, UINT32_MAX, &major_number, err);
	if (r == 0)
		r = spec_member_int(item, "minor", member->key, 0, UINT32_MAX, &minor_number, err);
	if (r == 0)
		r = spec_member_int(item, member->value_key, member->key, 0, INT64_MAX, &value,
				    err);
	if (r < 0)
		return r;
	if (major_number < 0 || minor_number < 0 || json_object_get(item, "leafWeight"))
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.resources.blockIO.%s: an entry is not valid",
			       member->key);
	*limit = (struct cgroup_io_limit){
		.kind = member->kind,
		.major = (unsigned int)major_number,
		.minor = (unsigned int)minor_number,
		.value = (uint64_t)value,
	};
	return 0;
}

static int parse_io_limits(const json_t *block_io, struct spec *spec, struct error *err)
{
	size_t count = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(io_members); i++) {
		const json_t *array = json_object_get(block_io, io_members[i].key);

		if (array && (!json_is_array(array) || json_array_size(array) > SPEC_MAX_DEVICES))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.json: linux.resources.blockIO.%s must be an array "
				       "of at most %d",
				       io_members[i].key, SPEC_MAX_DEVICES);
		count += json_array_size(array);
	}
	if (count == 0)
		return 0;
	spec->io_limits = xcalloc(count, sizeof(*spec->io_limits));
	spec->limits.io_limits = spec->io_limits;
	for (size_t i = 0; i < ARRAY_SIZE(io_members); i++) {
		const json_t *item;
		size_t n;

		json_array_foreach (json_object_get(block_io, io_members[i].key), n, item) {
			r = parse_io_limit(item, &io_members[i],
					   &spec->io_limits[spec->limits.io_limit_count++], err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int spec_parse_resources(const json_t *resources, struct spec *spec, struct error *err)
{
	const json_t *cpu = json_object_get(resources, "cpu");
	bool oom_kill_disable = false;
	char *cpus = NULL, *mems = NULL;
	int r;

	if (!resources)
		return 0;
	r = refuse_unsupported(resources, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(limit_members); i++) {
		const struct limit_member *m = &limit_members[i];
		int64_t *field = (int64_t *)(void *)((char *)&spec->limits + m->offset);

		r = spec_member_int(json_object_get(resources, m->group), m->key, m->group, m->min,
				    INT64_MAX, field, err);
		if (r < 0)
			return r;
	}
	r = spec_member_bool(json_object_get(resources, "memory"), "disableOOMKiller", "memory",
			     &oom_kill_disable, err);
	if (r < 0)
		return r;
	if (oom_kill_disable)
		spec->limits.oom_kill_disable = 1;
	r = spec_member_string(cpu, "cpus", "cpu", &cpus, err);
	if (r < 0)
		return r;
	spec->limits.cpuset_cpus = cpus;
	r = spec_member_string(cpu, "mems", "cpu", &mems, err);
	if (r < 0)
		return r;
	spec->limits.cpuset_mems = mems;
	r = parse_io_limits(json_object_get(resources, "blockIO"), spec, err);
	if (r < 0)
		return r;
	return parse_device_rules(json_object_get(resources, "devices"), spec, err);
}

int spec_parse_limits(const json_t *resources, struct spec *ret_spec, struct error *err)
{
	auto_(spec_release) struct spec spec = {0};
	int r;

	cgroup_limits_init(&spec.limits);
	r = spec_parse_resources(resources, &spec, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct spec){0};
	return 0;
}
