/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "engine/container_link.h"
#include "engine/device_spec.h"
#include "engine/inspect_internal.h"
#include "engine/limit_option.h"
#include "engine/oci_config.h"
#include "engine/ulimit_spec.h"
#include "runtime/restart_policy.h"

static json_t *log_config(const struct container_config *c)
{
	json_t *o = json_object();

	inspect_set_text(o, "Type", c->log_driver ? c->log_driver : "json-file");
	inspect_set(o, "Config", inspect_map(&c->log_opts));
	return o;
}

static json_t *restart_policy(const struct container_config *c)
{
	auto_(error_release) struct error ignored = {0};
	struct restart_policy policy = {0};

	(void)restart_policy_parse(c->restart, &policy, &ignored); /* was checked by create */
	return json_pack("{s:s, s:I}", "Name", restart_policy_name(policy.kind),
			 "MaximumRetryCount", (json_int_t)policy.max_retries);
}

/* {"/run": "size=64m"} */
static json_t *tmpfs(const struct strv *list)
{
	json_t *object = json_object();

	for (size_t i = 0; i < list->count; i++) {
		size_t len = strcspn(list->items[i], ":");
		auto_free char *target = xstrndup(list->items[i], len);

		json_set_string(object, target,
				list->items[i][len] ? list->items[i] + len + 1 : "");
	}
	return object;
}

static json_t *devices(const struct strv *list)
{
	auto_(error_release) struct error ignored = {0};
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		auto_(device_spec_release) struct device_spec spec = {0};
		json_t *o;

		if (device_spec_parse(list->items[i], &spec, &ignored) < 0)
			continue;
		o = json_object();
		inspect_set_text(o, "PathOnHost", spec.host_path);
		inspect_set_text(o, "PathInContainer", spec.container_path);
		inspect_set_text(o, "CgroupPermissions", spec.permissions);
		(void)json_array_append_new(array, o);
	}
	return array;
}

static json_t *ulimits(const struct strv *list)
{
	auto_(error_release) struct error ignored = {0};
	json_t *array = list->count ? json_array() : json_null();

	for (size_t i = 0; i < list->count; i++) {
		struct ulimit_spec spec;
		json_t *o;

		if (ulimit_spec_parse(list->items[i], &spec, &ignored) < 0)
			continue;
		o = json_object();
		inspect_set_text(o, "Name", spec.name);
		inspect_set_int(o, "Hard", spec.hard == RLIM_INFINITY ? -1 : (int64_t)spec.hard);
		inspect_set_int(o, "Soft", spec.soft == RLIM_INFINITY ? -1 : (int64_t)spec.soft);
		(void)json_array_append_new(array, o);
	}
	return array;
}

static void set_files(const struct container_config *c, json_t *o)
{
	inspect_set(o, "Binds", inspect_list_or_null(&c->binds));
	inspect_set_text(o, "ContainerIDFile", c->cidfile);
	inspect_set(o, "LogConfig", log_config(c));
	inspect_set_text(o, "NetworkMode", c->network_mode);
	inspect_set(o, "PortBindings", inspect_port_bindings(c));
	inspect_set(o, "RestartPolicy", restart_policy(c));
	inspect_set_bool(o, "AutoRemove", c->auto_remove);
	inspect_set_text(o, "VolumeDriver", c->volume_driver);
	inspect_set(o, "VolumesFrom", inspect_list_or_null(&c->volumes_from));
	inspect_set(o, "ConsoleSize", json_pack("[i, i]", 0, 0));
	inspect_set(o, "Mounts", inspect_requested_mounts(c));
	if (c->tmpfs.count)
		inspect_set(o, "Tmpfs", tmpfs(&c->tmpfs));
}

/* docker adds that there are no labels between a container and what it shares with the host. */
static json_t *security_options(const struct container_config *c)
{
	auto_(strv_release) struct strv list = {0};
	bool shares = c->privileged || (c->ipc_mode && strcmp(c->ipc_mode, "host") == 0) ||
		      (c->pid_mode && strcmp(c->pid_mode, "host") == 0);

	strv_add_all(&list, &c->security_opt);
	for (size_t i = 0; i < list.count; i++)
		shares = shares && strncmp(list.items[i], "label", 5) != 0;
	if (shares)
		strv_add(&list, "label=disable");
	return inspect_list_or_null(&list);
}

static json_t *links(const struct container *container)
{
	auto_(strv_release) struct strv list = {0};

	container_links_shown(container, &list);
	return inspect_list_or_null(&list);
}

static void set_confinement(const struct container *container, json_t *o)
{
	const struct container_config *c = &container->config;

	if (c->annotations.count)
		inspect_set(o, "Annotations", inspect_map(&c->annotations));
	inspect_set(o, "CapAdd", inspect_list_or_null(&c->cap_add));
	inspect_set(o, "CapDrop", inspect_list_or_null(&c->cap_drop));
	inspect_set_text(o, "CgroupnsMode", c->cgroupns_mode ? c->cgroupns_mode : "private");
	inspect_set(o, "Dns", json_from_strv(&c->dns));
	inspect_set(o, "DnsOptions", json_from_strv(&c->dns_options));
	inspect_set(o, "DnsSearch", json_from_strv(&c->dns_search));
	inspect_set(o, "ExtraHosts", inspect_list_or_null(&c->add_hosts));
	inspect_set(o, "GroupAdd", inspect_list_or_null(&c->group_add));
	inspect_set_text(o, "IpcMode", c->ipc_mode ? c->ipc_mode : "private");
	inspect_set_text(o, "Cgroup", NULL);
	inspect_set(o, "Links", links(container));
	inspect_set_int(o, "OomScoreAdj", c->oom_score_adj);
	inspect_set_text(o, "PidMode", c->pid_mode);
	inspect_set_bool(o, "Privileged", c->privileged);
	inspect_set_bool(o, "PublishAllPorts", c->publish_all);
	inspect_set_bool(o, "ReadonlyRootfs", c->read_only);
	inspect_set(o, "SecurityOpt", security_options(c));
	inspect_set_text(o, "UTSMode", c->uts_mode);
	inspect_set_text(o, "UsernsMode", c->userns_mode);
	inspect_set_int(o, "ShmSize", c->shm_bytes ? c->shm_bytes : CONTAINER_SHM_BYTES);
	if (c->sysctls.count)
		inspect_set(o, "Sysctls", inspect_map(&c->sysctls));
	inspect_set_text(o, "Runtime", "skiff");
	inspect_set_text(o, "Isolation", NULL);
}

/* As docker shows devices of CDI. */
static json_t *device_requests(const struct container_config *c)
{
	if (c->cdi_devices.count == 0)
		return json_null();
	return json_pack("[{s:s, s:i, s:o, s:n, s:n}]", "Driver", "cdi", "Count", 0, "DeviceIDs",
			 json_from_strv(&c->cdi_devices), "Capabilities", "Options");
}

static void set_block_io(const struct container_config *c, json_t *o)
{
	static const char *const keys[] = {
		[BLOCK_IO_WEIGHT] = "BlkioWeightDevice",
		[BLOCK_IO_READ_BPS] = "BlkioDeviceReadBps",
		[BLOCK_IO_WRITE_BPS] = "BlkioDeviceWriteBps",
		[BLOCK_IO_READ_IOPS] = "BlkioDeviceReadIOps",
		[BLOCK_IO_WRITE_IOPS] = "BlkioDeviceWriteIOps",
	};

	for (size_t kind = 0; kind < BLOCK_IO_KIND_COUNT; kind++)
		inspect_set(o, keys[kind],
			    kind == BLOCK_IO_WEIGHT || c->block_io[kind].count
				    ? block_io_to_inspect((enum block_io_kind)kind,
							  &c->block_io[kind])
				    : json_null());
}

static void set_resources(const struct container_config *c, json_t *o)
{
	inspect_set_int(o, "CpuShares", c->cpu_shares);
	inspect_set_int(o, "Memory", c->memory_bytes);
	inspect_set_int(o, "NanoCpus", c->nano_cpus);
	inspect_set_text(o, "CgroupParent", c->cgroup_parent);
	inspect_set_int(o, "BlkioWeight", c->blkio_weight);
	set_block_io(c, o);
	inspect_set_int(o, "CpuPeriod", c->cpu_period_us);
	inspect_set_int(o, "CpuQuota", c->cpu_quota_us);
	inspect_set_int(o, "CpuRealtimePeriod", c->cpu_rt_period_us);
	inspect_set_int(o, "CpuRealtimeRuntime", c->cpu_rt_runtime_us);
	inspect_set_text(o, "CpusetCpus", c->cpuset_cpus);
	inspect_set_text(o, "CpusetMems", c->cpuset_mems);
	inspect_set(o, "Devices", devices(&c->devices));
	inspect_set(o, "DeviceCgroupRules", inspect_list_or_null(&c->device_cgroup_rules));
	inspect_set(o, "DeviceRequests", device_requests(c));
	inspect_set_int(o, "MemoryReservation", c->memory_reservation_bytes);
	inspect_set_int(o, "MemorySwap", limit_swap_bytes(c));
	inspect_set(o, "MemorySwappiness",
		    c->memory_swappiness_set ? json_integer(c->memory_swappiness) : json_null());
	inspect_set_bool(o, "OomKillDisable", c->oom_kill_disable);
	if (c->init)
		inspect_set_bool(o, "Init", true);
	inspect_set(o, "PidsLimit", c->pids_limit ? json_integer(c->pids_limit) : json_null());
	inspect_set(o, "Ulimits", ulimits(&c->ulimits));
}

static void inspect_set_or_null(json_t *object, const char *key, json_t *value)
{
	inspect_set(object, key, value ? value : json_null());
}

json_t *inspect_host_config(const struct container *container)
{
	const struct container_config *c = &container->config;
	json_t *o = json_object();

	set_files(c, o);
	set_confinement(container, o);
	set_resources(c, o);
	inspect_set_or_null(o, "MaskedPaths", oci_masked_paths(c, 0));
	inspect_set_or_null(o, "ReadonlyPaths", oci_readonly_paths(c));
	return o;
}
