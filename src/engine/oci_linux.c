/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/oci_internal.h"

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
	auto_free char *cgroup = NULL;
	int r;

	(void)json_object_set_new(object, "resources", json_object());
	r = oci_devices(in->config, object, err);
	if (r < 0)
		return r;
	r = oci_limits(c, in->limit_swap, json_object_get(object, "resources"), err);
	if (r < 0)
		return r;
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
