/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/device_spec.h"
#include "engine/oci_internal.h"

#define CPU_PERIOD_US 100000
#define NANO 1000000000LL

/* ---- namespaces ---- */

static void add_namespace(json_t *array, const char *type, const char *path)
{
	json_t *object = json_object();

	json_set_string(object, "type", type);
	if (path)
		json_set_string(object, "path", path);
	(void)json_array_append_new(array, object);
}

/* A namespace that is not listed is the host's. */
static bool is_host(const char *mode)
{
	return mode && strcmp(mode, "host") == 0;
}

static json_t *namespaces(const struct oci_input *in)
{
	const struct container_config *c = in->config;
	json_t *array = json_array();

	add_namespace(array, "mount", NULL);
	if (!is_host(c->pid_mode))
		add_namespace(array, "pid", in->pid_ns);
	if (!is_host(c->network_mode))
		add_namespace(array, "network", in->network_ns);
	if (!is_host(c->ipc_mode))
		add_namespace(array, "ipc", NULL);
	if (!is_host(c->uts_mode))
		add_namespace(array, "uts", NULL);
	if (!is_host(c->cgroupns_mode))
		add_namespace(array, "cgroup", NULL);
	return array;
}

/* ---- resources ---- */

/* A number that is set (not 0) becomes a member of a part of resources. */
static void set_limit(json_t *resources, const char *part, const char *key, int64_t value)
{
	json_t *object = json_object_get(resources, part);

	if (value == 0)
		return;
	if (!object) {
		object = json_object();
		(void)json_object_set_new(resources, part, object);
	}
	(void)json_object_set_new(object, key, json_integer(value));
}

static void set_list(json_t *resources, const char *key, const char *value)
{
	json_t *object = json_object_get(resources, "cpu");

	if (!value)
		return;
	if (!object) {
		object = json_object();
		(void)json_object_set_new(resources, "cpu", object);
	}
	json_set_string(object, key, value);
}

static void memory_limits(const struct oci_input *in, json_t *resources)
{
	const struct container_config *c = in->config;
	int64_t swap = c->memory_swap_bytes;

	/* Docker's default: as much swap again as memory. */
	if (!swap && c->memory_bytes && in->limit_swap &&
	    __builtin_mul_overflow(c->memory_bytes, 2, &swap))
		swap = -1;
	set_limit(resources, "memory", "limit", c->memory_bytes);
	set_limit(resources, "memory", "reservation", c->memory_reservation_bytes);
	set_limit(resources, "memory", "swap", swap);
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
	set_list(resources, "cpus", c->cpuset_cpus);
	set_list(resources, "mems", c->cpuset_mems);
}

/* ---- devices ---- */

static int devices(const struct oci_input *in, json_t *linux_object, json_t *resources,
		   struct error *err)
{
	const struct container_config *c = in->config;
	json_t *nodes = json_array();
	json_t *rules = json_array();
	int r = 0;

	(void)json_object_set_new(linux_object, "devices", nodes);
	(void)json_object_set_new(resources, "devices", rules);
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
	if (json_array_size(nodes) == 0)
		(void)json_object_del(linux_object, "devices");
	return r;
}

/* ---- what is hidden and what cannot be written ---- */

json_t *oci_masked_paths(unsigned int throttle_cpus)
{
	static const char *const paths[] = {
		"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
		"/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
	};
	json_t *array = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		oci_append(array, paths[i]);
	for (unsigned int cpu = 0; cpu < throttle_cpus; cpu++) {
		auto_free char *path =
			xasprintf("/sys/devices/system/cpu/cpu%u/thermal_throttle", cpu);

		oci_append(array, path);
	}
	return array;
}

json_t *oci_readonly_paths(void)
{
	static const char *const paths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					    "/proc/sysrq-trigger"};
	json_t *array = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		oci_append(array, paths[i]);
	return array;
}

static json_t *sysctls(const struct strv *list)
{
	json_t *object = json_object();

	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');
		auto_free char *key = NULL;

		if (!equals)
			continue;
		key = xstrndup(list->items[i], (size_t)(equals - list->items[i]));
		json_set_string(object, key, equals + 1);
	}
	return object;
}

int oci_linux(const struct oci_input *in, json_t **ret_linux, struct error *err)
{
	const struct container_config *c = in->config;
	auto_(json_decref) json_t *object = json_object();
	json_t *resources = json_object();
	auto_free char *cgroup = NULL;
	int r;

	(void)json_object_set_new(object, "resources", resources);
	r = devices(in, object, resources, err);
	if (r < 0)
		return r;
	memory_limits(in, resources);
	cpu_limits(c, resources);
	set_limit(resources, "pids", "limit", c->pids_limit);

	if (c->sysctls.count)
		(void)json_object_set_new(object, "sysctl", sysctls(&c->sysctls));
	cgroup = xasprintf("%s/skiff-%s", c->cgroup_parent ? c->cgroup_parent : "", in->id);
	json_set_string(object, "cgroupsPath", cgroup);
	(void)json_object_set_new(object, "namespaces", namespaces(in));
	if (!c->privileged && !c->systempaths_unconfined) {
		(void)json_object_set_new(object, "maskedPaths",
					  oci_masked_paths(in->throttle_cpus));
		(void)json_object_set_new(object, "readonlyPaths", oci_readonly_paths());
	}
	*ret_linux = TAKE_PTR(object);
	return 0;
}
