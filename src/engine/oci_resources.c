/* SPDX-License-Identifier: Apache-2.0 */
/* oci_resources.c - linux.resources and linux.devices */
#include <string.h>

#include "base/alloc.h"
#include "engine/device_spec.h"
#include "engine/limit_option.h"
#include "engine/oci_internal.h"

#define CPU_PERIOD_US 100000
#define NANO 1000000000LL

/* ---- limits ---- */

/* A part of resources, made when it is first needed. */
static json_t *part_of(json_t *resources, const char *part)
{
	json_t *object = json_object_get(resources, part);

	if (!object) {
		object = json_object();
		(void)json_object_set_new(resources, part, object);
	}
	return object;
}

/* A number that is set (not 0) becomes a member of a part of resources. */
static void set_limit(json_t *resources, const char *part, const char *key, int64_t value)
{
	if (value != 0)
		(void)json_object_set_new(part_of(resources, part), key, json_integer(value));
}

static void set_list(json_t *resources, const char *key, const char *value)
{
	if (value)
		json_set_string(part_of(resources, "cpu"), key, value);
}

static void memory_limits(const struct container_config *c, bool limit_swap, json_t *resources)
{
	int64_t swap = limit_swap ? limit_swap_bytes(c) : c->memory_swap_bytes;

	set_limit(resources, "memory", "limit", c->memory_bytes);
	set_limit(resources, "memory", "reservation", c->memory_reservation_bytes);
	set_limit(resources, "memory", "swap", swap);
	if (c->memory_swappiness_set)
		(void)json_object_set_new(part_of(resources, "memory"), "swappiness",
					  json_integer(c->memory_swappiness));
	if (c->oom_kill_disable)
		(void)json_object_set_new(part_of(resources, "memory"), "disableOOMKiller",
					  json_true());
}

static void cpu_limits(const struct container_config *c, json_t *resources)
{
	int64_t quota = c->cpu_quota_us, period = c->cpu_period_us;

	if (c->nano_cpus) {
		period = CPU_PERIOD_US;
		quota = c->nano_cpus / (NANO / CPU_PERIOD_US);
	}
	set_limit(resources, "cpu", "shares", c->cpu_shares);
	set_limit(resources, "cpu", "quota", quota);
	set_limit(resources, "cpu", "period", period);
	set_limit(resources, "cpu", "realtimeRuntime", c->cpu_rt_runtime_us);
	set_limit(resources, "cpu", "realtimePeriod", c->cpu_rt_period_us);
	set_list(resources, "cpus", c->cpuset_cpus);
	set_list(resources, "mems", c->cpuset_mems);
}

static int block_io_limits(const struct container_config *c, json_t *resources, struct error *err)
{
	auto_(json_decref) json_t *devices = NULL;
	int r;

	set_limit(resources, "blockIO", "weight", c->blkio_weight);
	r = block_io_to_oci(c->block_io, &devices, err);
	if (r < 0)
		return r;
	if (json_object_size(devices))
		(void)json_object_update(part_of(resources, "blockIO"), devices);
	return 0;
}

int oci_limits(const struct container_config *c, bool limit_swap, json_t *resources,
	       struct error *err)
{
	memory_limits(c, limit_swap, resources);
	cpu_limits(c, resources);
	set_limit(resources, "pids", "limit", c->pids_limit);
	return block_io_limits(c, resources, err);
}

/* ---- devices ---- */

int oci_devices(const struct container_config *c, json_t *linux_object, struct error *err)
{
	json_t *rules = json_array();
	json_t *nodes = json_array();
	int r = 0;

	(void)json_object_set_new(json_object_get(linux_object, "resources"), "devices", rules);
	(void)json_object_set_new(linux_object, "devices", nodes);
	if (c->privileged) {
		device_add_rule(rules, true, 'a', -1, -1, "rwm");
		r = device_spec_resolve_all(nodes, err);
	} else {
		device_default_rules(rules);
	}
	for (size_t i = 0; i < c->devices.count && r >= 0; i++) {
		auto_(device_spec_release) struct device_spec spec = {0};

		r = device_spec_parse(c->devices.items[i], &spec, err);
		if (r >= 0)
			r = device_spec_resolve(&spec, nodes, rules, err);
	}
	for (size_t i = 0; i < c->device_cgroup_rules.count && r >= 0; i++)
		r = device_rule_parse(c->device_cgroup_rules.items[i], rules, err);
	if (json_array_size(nodes) == 0)
		(void)json_object_del(linux_object, "devices");
	return r;
}
