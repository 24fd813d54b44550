/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id_map.h"
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
		add_namespace(array, "ipc", in->ipc_ns);
	if (!is_host(c->uts_mode))
		add_namespace(array, "uts", NULL);
	if (!is_host(c->cgroupns_mode))
		add_namespace(array, "cgroup", NULL);
	if (in->uids)
		add_namespace(array, "user", in->user_ns);
	return array;
}

static json_t *mappings(const struct id_map *map)
{
	json_t *array = json_array();

	for (size_t i = 0; i < map->count; i++)
		(void)json_array_append_new(array,
					    json_pack("{s:I, s:I, s:I}", "containerID",
						      (json_int_t)map->items[i].inside, "hostID",
						      (json_int_t)map->items[i].outside, "size",
						      (json_int_t)map->items[i].count));
	return array;
}

/* ---- what is hidden and what cannot be written ---- */

static const char *const masked_paths[] = {
	"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
	"/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
};

static const char *const readonly_paths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					     "/proc/sysrq-trigger"};

static bool is_unmasked(const struct container_config *c, const char *path)
{
	for (size_t i = 0; i < c->unmask_paths.count; i++)
		if (fnmatch(c->unmask_paths.items[i], path, FNM_PATHNAME) == 0)
			return true;
	return false;
}

static void append_hidden(const struct container_config *c, json_t *array, const char *path)
{
	if (!is_unmasked(c, path))
		oci_append(array, path);
}

static bool has_open_paths(const struct container_config *c)
{
	return c->privileged || c->systempaths_unconfined;
}

json_t *oci_masked_paths(const struct container_config *c, unsigned int throttle_cpus)
{
	json_t *array;

	if (has_open_paths(c) && c->mask_paths.count == 0)
		return NULL;
	array = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(masked_paths) && !has_open_paths(c); i++)
		append_hidden(c, array, masked_paths[i]);
	for (unsigned int cpu = 0; cpu < throttle_cpus && !has_open_paths(c); cpu++) {
		auto_free char *path =
			xasprintf("/sys/devices/system/cpu/cpu%u/thermal_throttle", cpu);

		append_hidden(c, array, path);
	}
	for (size_t i = 0; i < c->mask_paths.count; i++)
		oci_append(array, c->mask_paths.items[i]);
	return array;
}

json_t *oci_readonly_paths(const struct container_config *c)
{
	json_t *array;

	if (has_open_paths(c))
		return NULL;
	array = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(readonly_paths); i++)
		append_hidden(c, array, readonly_paths[i]);
	return array;
}

json_t *oci_map(const struct strv *list)
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

static void set_paths(json_t *object, const char *key, json_t *paths)
{
	if (paths)
		(void)json_object_set_new(object, key, paths);
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
		(void)json_object_set_new(object, "sysctl", oci_map(&c->sysctls));
	cgroup = xasprintf("%s/skiff-%s", c->cgroup_parent ? c->cgroup_parent : "", in->id);
	json_set_string(object, "cgroupsPath", cgroup);
	(void)json_object_set_new(object, "namespaces", namespaces(in));
	if (in->uids) {
		(void)json_object_set_new(object, "uidMappings", mappings(in->uids));
		(void)json_object_set_new(object, "gidMappings", mappings(in->gids));
	}
	set_paths(object, "maskedPaths", oci_masked_paths(c, in->throttle_cpus));
	set_paths(object, "readonlyPaths", oci_readonly_paths(c));
	*ret_linux = TAKE_PTR(object);
	return 0;
}
