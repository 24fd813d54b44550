/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table per struct of docker's API (package names are Go's, for messages), inner ones first. A
 * field whose JSON key has another name than Go's field has that as third member.
 */
#include "engine/inspect_types.h"

#include <stddef.h>

static const struct template_field health_log_fields[] = {
	{"Start", &template_time},
	{"End", &template_time},
	{"ExitCode", &template_int},
	{"Output", &template_string},
	{0},
};
static const struct template_type health_log_type = {
	TEMPLATE_STRUCT,
	"container.HealthcheckResult",
	.fields = health_log_fields,
};

static const struct template_type health_log_pointer_type = {
	TEMPLATE_POINTER,
	"*container.HealthcheckResult",
	.elem = &health_log_type,
};

static const struct template_type health_logs_type = {
	TEMPLATE_LIST,
	"[]*container.HealthcheckResult",
	.elem = &health_log_pointer_type,
};

static const struct template_field health_fields[] = {
	{"Status", &template_string},
	{"FailingStreak", &template_int},
	{"Log", &health_logs_type},
	{0},
};
static const struct template_type health_type = {
	TEMPLATE_STRUCT,
	"container.Health",
	.fields = health_fields,
};

static const struct template_type health_pointer_type = {
	TEMPLATE_POINTER,
	"*container.Health",
	.elem = &health_type,
};

static const struct template_field state_fields[] = {
	{"Status", &template_string},
	{"Running", &template_bool},
	{"Paused", &template_bool},
	{"Restarting", &template_bool},
	{"OOMKilled", &template_bool},
	{"Dead", &template_bool},
	{"Pid", &template_int},
	{"ExitCode", &template_int},
	{"Error", &template_string},
	{"StartedAt", &template_string},
	{"FinishedAt", &template_string},
	{"Health", &health_pointer_type, .optional = true},
	{0},
};
static const struct template_type state_type = {
	TEMPLATE_STRUCT,
	"container.State",
	.fields = state_fields,
};

static const struct template_type state_pointer_type = {
	TEMPLATE_POINTER,
	"*container.State",
	.elem = &state_type,
};

static const struct template_field log_config_fields[] = {
	{"Type", &template_string},
	{"Config", &template_string_map},
	{0},
};
static const struct template_type log_config_type = {
	TEMPLATE_STRUCT,
	"container.LogConfig",
	.fields = log_config_fields,
};

static const struct template_field port_binding_fields[] = {
	{"HostIP", &template_string, "HostIp"},
	{"HostPort", &template_string},
	{0},
};
static const struct template_type port_binding_type = {
	TEMPLATE_STRUCT,
	"nat.PortBinding",
	.fields = port_binding_fields,
};

static const struct template_type port_bindings_type = {
	TEMPLATE_LIST,
	"[]nat.PortBinding",
	.elem = &port_binding_type,
};

static const struct template_type port_map_type = {
	TEMPLATE_MAP,
	"nat.PortMap",
	.elem = &port_bindings_type,
};

static const struct template_field restart_policy_fields[] = {
	{"Name", &template_string},
	{"MaximumRetryCount", &template_int},
	{0},
};
static const struct template_type restart_policy_type = {
	TEMPLATE_STRUCT,
	"container.RestartPolicy",
	.fields = restart_policy_fields,
};

static const struct template_type console_size_type = {
	TEMPLATE_LIST,
	"[2]uint",
	.elem = &template_uint64,
};

static const struct template_field weight_device_fields[] = {
	{"Path", &template_string},
	{"Weight", &template_int},
	{0},
};
static const struct template_type weight_device_type = {
	TEMPLATE_STRUCT,
	"blkiodev.WeightDevice",
	.fields = weight_device_fields,
};

static const struct template_type weight_device_pointer_type = {
	TEMPLATE_POINTER,
	"*blkiodev.WeightDevice",
	.elem = &weight_device_type,
};

static const struct template_type weight_devices_type = {
	TEMPLATE_LIST,
	"[]*blkiodev.WeightDevice",
	.elem = &weight_device_pointer_type,
};

static const struct template_field throttle_device_fields[] = {
	{"Path", &template_string},
	{"Rate", &template_uint64},
	{0},
};
static const struct template_type throttle_device_type = {
	TEMPLATE_STRUCT,
	"blkiodev.ThrottleDevice",
	.fields = throttle_device_fields,
};

static const struct template_type throttle_device_pointer_type = {
	TEMPLATE_POINTER,
	"*blkiodev.ThrottleDevice",
	.elem = &throttle_device_type,
};

static const struct template_type throttle_devices_type = {
	TEMPLATE_LIST,
	"[]*blkiodev.ThrottleDevice",
	.elem = &throttle_device_pointer_type,
};

static const struct template_field device_mapping_fields[] = {
	{"PathOnHost", &template_string},
	{"PathInContainer", &template_string},
	{"CgroupPermissions", &template_string},
	{0},
};
static const struct template_type device_mapping_type = {
	TEMPLATE_STRUCT,
	"container.DeviceMapping",
	.fields = device_mapping_fields,
};

static const struct template_type device_mappings_type = {
	TEMPLATE_LIST,
	"[]container.DeviceMapping",
	.elem = &device_mapping_type,
};

static const struct template_type capability_sets_type = {
	TEMPLATE_LIST,
	"[][]string",
	.elem = &template_strings,
};

static const struct template_field device_request_fields[] = {
	{"Driver", &template_string},      {"Count", &template_int},
	{"DeviceIDs", &template_strings},  {"Capabilities", &capability_sets_type},
	{"Options", &template_string_map}, {0},
};
static const struct template_type device_request_type = {
	TEMPLATE_STRUCT,
	"container.DeviceRequest",
	.fields = device_request_fields,
};

static const struct template_type device_requests_type = {
	TEMPLATE_LIST,
	"[]container.DeviceRequest",
	.elem = &device_request_type,
};

static const struct template_field ulimit_fields[] = {
	{"Name", &template_string},
	{"Hard", &template_int64},
	{"Soft", &template_int64},
	{0},
};
static const struct template_type ulimit_type = {
	TEMPLATE_STRUCT,
	"units.Ulimit",
	.fields = ulimit_fields,
};

static const struct template_type ulimit_pointer_type = {
	TEMPLATE_POINTER,
	"*units.Ulimit",
	.elem = &ulimit_type,
};

static const struct template_type ulimits_type = {
	TEMPLATE_LIST,
	"[]*units.Ulimit",
	.elem = &ulimit_pointer_type,
};

static const struct template_field resources_fields[] = {
	{"CPUShares", &template_int64, "CpuShares"},
	{"Memory", &template_int64},
	{"NanoCPUs", &template_int64, "NanoCpus"},
	{"CgroupParent", &template_string},
	{"BlkioWeight", &template_int},
	{"BlkioWeightDevice", &weight_devices_type},
	{"BlkioDeviceReadBps", &throttle_devices_type},
	{"BlkioDeviceWriteBps", &throttle_devices_type},
	{"BlkioDeviceReadIOps", &throttle_devices_type},
	{"BlkioDeviceWriteIOps", &throttle_devices_type},
	{"CPUPeriod", &template_int64, "CpuPeriod"},
	{"CPUQuota", &template_int64, "CpuQuota"},
	{"CPURealtimePeriod", &template_int64, "CpuRealtimePeriod"},
	{"CPURealtimeRuntime", &template_int64, "CpuRealtimeRuntime"},
	{"CpusetCpus", &template_string},
	{"CpusetMems", &template_string},
	{"Devices", &device_mappings_type},
	{"DeviceCgroupRules", &template_strings},
	{"DeviceRequests", &device_requests_type},
	{"KernelMemory", &template_int64, .optional = true},
	{"KernelMemoryTCP", &template_int64, .optional = true},
	{"MemoryReservation", &template_int64},
	{"MemorySwap", &template_int64},
	{"MemorySwappiness", &template_int64_pointer},
	{"OomKillDisable", &template_bool_pointer},
	{"PidsLimit", &template_int64_pointer},
	{"Ulimits", &ulimits_type},
	{"CPUCount", &template_int64, "CpuCount"},
	{"CPUPercent", &template_int64, "CpuPercent"},
	{"IOMaximumIOps", &template_uint64},
	{"IOMaximumBandwidth", &template_uint64},
	{0},
};
static const struct template_type resources_type = {
	TEMPLATE_STRUCT,
	"container.Resources",
	.fields = resources_fields,
};

static const struct template_field mount_request_fields[] = {
	{"Type", &template_string, .optional = true},
	{"Source", &template_string, .optional = true},
	{"Target", &template_string, .optional = true},
	{"ReadOnly", &template_bool, .optional = true},
	{"Consistency", &template_string, .optional = true},
	{"BindOptions", &template_any, .optional = true},
	{"VolumeOptions", &template_any, .optional = true},
	{"ImageOptions", &template_any, .optional = true},
	{"TmpfsOptions", &template_any, .optional = true},
	{"ClusterOptions", &template_any, .optional = true},
	{0},
};
static const struct template_type mount_request_type = {
	TEMPLATE_STRUCT,
	"mount.Mount",
	.fields = mount_request_fields,
};

static const struct template_type mount_requests_type = {
	TEMPLATE_LIST,
	"[]mount.Mount",
	.elem = &mount_request_type,
};

static const struct template_field host_config_fields[] = {
	{"Binds", &template_strings},
	{"ContainerIDFile", &template_string},
	{"LogConfig", &log_config_type},
	{"NetworkMode", &template_string},
	{"PortBindings", &port_map_type},
	{"RestartPolicy", &restart_policy_type},
	{"AutoRemove", &template_bool},
	{"VolumeDriver", &template_string},
	{"VolumesFrom", &template_strings},
	{"ConsoleSize", &console_size_type},
	{"Annotations", &template_string_map, .optional = true},
	{"CapAdd", &template_strings},
	{"CapDrop", &template_strings},
	{"CgroupnsMode", &template_string},
	{"DNS", &template_strings, "Dns"},
	{"DNSOptions", &template_strings, "DnsOptions"},
	{"DNSSearch", &template_strings, "DnsSearch"},
	{"ExtraHosts", &template_strings},
	{"GroupAdd", &template_strings},
	{"IpcMode", &template_string},
	{"Cgroup", &template_string},
	{"Links", &template_strings},
	{"OomScoreAdj", &template_int},
	{"PidMode", &template_string},
	{"Privileged", &template_bool},
	{"PublishAllPorts", &template_bool},
	{"ReadonlyRootfs", &template_bool},
	{"SecurityOpt", &template_strings},
	{"StorageOpt", &template_string_map, .optional = true},
	{"Tmpfs", &template_string_map, .optional = true},
	{"UTSMode", &template_string},
	{"UsernsMode", &template_string},
	{"ShmSize", &template_int64},
	{"Sysctls", &template_string_map, .optional = true},
	{"Runtime", &template_string},
	{"Isolation", &template_string},
	{"Resources", &resources_type, .embedded = true},
	{"Mounts", &mount_requests_type, .optional = true},
	{"MaskedPaths", &template_strings},
	{"ReadonlyPaths", &template_strings},
	{"Init", &template_bool_pointer, .optional = true},
	{0},
};
static const struct template_type host_config_type = {
	TEMPLATE_STRUCT,
	"container.HostConfig",
	.fields = host_config_fields,
};

static const struct template_type host_config_pointer_type = {
	TEMPLATE_POINTER,
	"*container.HostConfig",
	.elem = &host_config_type,
};

static const struct template_field graph_driver_fields[] = {
	{"Data", &template_string_map},
	{"Name", &template_string},
	{0},
};
static const struct template_type graph_driver_type = {
	TEMPLATE_STRUCT,
	"storage.DriverData",
	.fields = graph_driver_fields,
};

static const struct template_field mount_point_fields[] = {
	{"Type", &template_string},
	{"Name", &template_string, .optional = true},
	{"Source", &template_string},
	{"Destination", &template_string},
	{"Driver", &template_string, .optional = true},
	{"Mode", &template_string},
	{"RW", &template_bool},
	{"Propagation", &template_string},
	{0},
};
static const struct template_type mount_point_type = {
	TEMPLATE_STRUCT,
	"container.MountPoint",
	.fields = mount_point_fields,
};

static const struct template_type mount_points_type = {
	TEMPLATE_LIST,
	"[]container.MountPoint",
	.elem = &mount_point_type,
};

static const struct template_type empty_set_type = {
	TEMPLATE_MAP,
	"map[string]struct {}",
	.elem = &template_any,
};

static const struct template_field health_config_fields[] = {
	{"Test", &template_strings, .optional = true},
	{"Interval", &template_int64, .optional = true},
	{"Timeout", &template_int64, .optional = true},
	{"StartPeriod", &template_int64, .optional = true},
	{"StartInterval", &template_int64, .optional = true},
	{"Retries", &template_int, .optional = true},
	{0},
};
static const struct template_type health_config_type = {
	TEMPLATE_STRUCT,
	"container.HealthConfig",
	.fields = health_config_fields,
};

static const struct template_type health_config_pointer_type = {
	TEMPLATE_POINTER,
	"*container.HealthConfig",
	.elem = &health_config_type,
};

static const struct template_type int_pointer_type = {
	TEMPLATE_POINTER,
	"*int",
	.elem = &template_int,
};

static const struct template_field config_fields[] = {
	{"Hostname", &template_string},
	{"Domainname", &template_string},
	{"User", &template_string},
	{"AttachStdin", &template_bool},
	{"AttachStdout", &template_bool},
	{"AttachStderr", &template_bool},
	{"ExposedPorts", &empty_set_type, .optional = true},
	{"Tty", &template_bool},
	{"OpenStdin", &template_bool},
	{"StdinOnce", &template_bool},
	{"Env", &template_strings},
	{"Cmd", &template_strings},
	{"Healthcheck", &health_config_pointer_type, .optional = true},
	{"ArgsEscaped", &template_bool, .optional = true},
	{"Image", &template_string},
	{"Volumes", &empty_set_type},
	{"WorkingDir", &template_string},
	{"Entrypoint", &template_strings},
	{"NetworkDisabled", &template_bool, .optional = true},
	{"MacAddress", &template_string, .optional = true},
	{"OnBuild", &template_strings},
	{"Labels", &template_string_map},
	{"StopSignal", &template_string, .optional = true},
	{"StopTimeout", &int_pointer_type, .optional = true},
	{"Shell", &template_strings, .optional = true},
	{0},
};
static const struct template_type config_type = {
	TEMPLATE_STRUCT,
	"container.Config",
	.fields = config_fields,
};

static const struct template_type config_pointer_type = {
	TEMPLATE_POINTER,
	"*container.Config",
	.elem = &config_type,
};

static const struct template_field ipam_config_fields[] = {
	{"IPv4Address", &template_string, .optional = true},
	{"IPv6Address", &template_string, .optional = true},
	{"LinkLocalIPs", &template_strings, .optional = true},
	{0},
};
static const struct template_type ipam_config_type = {
	TEMPLATE_STRUCT,
	"network.EndpointIPAMConfig",
	.fields = ipam_config_fields,
};

static const struct template_type ipam_config_pointer_type = {
	TEMPLATE_POINTER,
	"*network.EndpointIPAMConfig",
	.elem = &ipam_config_type,
};

static const struct template_field endpoint_fields[] = {
	{"IPAMConfig", &ipam_config_pointer_type},
	{"Links", &template_strings},
	{"Aliases", &template_strings},
	{"MacAddress", &template_string},
	{"DriverOpts", &template_string_map},
	{"GwPriority", &template_int},
	{"NetworkID", &template_string},
	{"EndpointID", &template_string},
	{"Gateway", &template_string},
	{"IPAddress", &template_string},
	{"IPPrefixLen", &template_int},
	{"IPv6Gateway", &template_string},
	{"GlobalIPv6Address", &template_string},
	{"GlobalIPv6PrefixLen", &template_int},
	{"DNSNames", &template_strings},
	{0},
};
static const struct template_type endpoint_type = {
	TEMPLATE_STRUCT,
	"network.EndpointSettings",
	.fields = endpoint_fields,
};

static const struct template_type endpoint_pointer_type = {
	TEMPLATE_POINTER,
	"*network.EndpointSettings",
	.elem = &endpoint_type,
};

static const struct template_type endpoints_type = {
	TEMPLATE_MAP,
	"map[string]*network.EndpointSettings",
	.elem = &endpoint_pointer_type,
};

static const struct template_field address_fields[] = {
	{"Addr", &template_string},
	{"PrefixLen", &template_int},
	{0},
};
static const struct template_type address_type = {
	TEMPLATE_STRUCT,
	"network.Address",
	.fields = address_fields,
};

static const struct template_type addresses_type = {
	TEMPLATE_LIST,
	"[]network.Address",
	.elem = &address_type,
};

static const struct template_field network_settings_fields[] = {
	{"Bridge", &template_string},
	{"SandboxID", &template_string},
	{"SandboxKey", &template_string},
	{"Ports", &port_map_type},
	{"HairpinMode", &template_bool},
	{"LinkLocalIPv6Address", &template_string},
	{"LinkLocalIPv6PrefixLen", &template_int},
	{"SecondaryIPAddresses", &addresses_type},
	{"SecondaryIPv6Addresses", &addresses_type},
	{"EndpointID", &template_string},
	{"Gateway", &template_string},
	{"GlobalIPv6Address", &template_string},
	{"GlobalIPv6PrefixLen", &template_int},
	{"IPAddress", &template_string},
	{"IPPrefixLen", &template_int},
	{"IPv6Gateway", &template_string},
	{"MacAddress", &template_string},
	{"Networks", &endpoints_type},
	{0},
};
static const struct template_type network_settings_type = {
	TEMPLATE_STRUCT,
	"container.NetworkSettings",
	.fields = network_settings_fields,
};

static const struct template_type network_settings_pointer_type = {
	TEMPLATE_POINTER,
	"*container.NetworkSettings",
	.elem = &network_settings_type,
};

static const struct template_field inspect_container_fields[] = {
	{"ID", &template_string, "Id"},
	{"Created", &template_string},
	{"Path", &template_string},
	{"Args", &template_strings},
	{"State", &state_pointer_type},
	{"Image", &template_string},
	{"ResolvConfPath", &template_string},
	{"HostnamePath", &template_string},
	{"HostsPath", &template_string},
	{"LogPath", &template_string},
	{"Name", &template_string},
	{"RestartCount", &template_int},
	{"Driver", &template_string},
	{"Platform", &template_string},
	{"ImageManifestDescriptor", &template_any, .optional = true},
	{"MountLabel", &template_string},
	{"ProcessLabel", &template_string},
	{"AppArmorProfile", &template_string},
	{"ExecIDs", &template_strings},
	{"HostConfig", &host_config_pointer_type},
	{"GraphDriver", &graph_driver_type},
	{"SizeRw", &template_int64_pointer, .optional = true},
	{"SizeRootFs", &template_int64_pointer, .optional = true},
	{"Mounts", &mount_points_type},
	{"Config", &config_pointer_type},
	{"NetworkSettings", &network_settings_pointer_type},
	{0},
};
const struct template_type inspect_container_type = {
	TEMPLATE_STRUCT,
	"container.InspectResponse",
	.fields = inspect_container_fields,
};

static const struct template_field image_config_fields[] = {
	{"User", &template_string, .optional = true},
	{"ExposedPorts", &empty_set_type, .optional = true},
	{"Env", &template_strings, .optional = true},
	{"Entrypoint", &template_strings, .optional = true},
	{"Cmd", &template_strings, .optional = true},
	{"Volumes", &empty_set_type, .optional = true},
	{"WorkingDir", &template_string, .optional = true},
	{"Labels", &template_string_map, .optional = true},
	{"StopSignal", &template_string, .optional = true},
	{"ArgsEscaped", &template_bool, .optional = true},
	{"Healthcheck", &health_config_pointer_type, .optional = true},
	{"OnBuild", &template_strings, .optional = true},
	{"Shell", &template_strings, .optional = true},
	{0},
};
static const struct template_type image_config_type = {
	TEMPLATE_STRUCT,
	"dockerspec.DockerOCIImageConfig",
	.fields = image_config_fields,
};

static const struct template_type image_config_pointer_type = {
	TEMPLATE_POINTER,
	"*dockerspec.DockerOCIImageConfig",
	.elem = &image_config_type,
};

static const struct template_field root_fs_fields[] = {
	{"Type", &template_string},
	{"Layers", &template_strings, .optional = true},
	{0},
};
static const struct template_type root_fs_type = {
	TEMPLATE_STRUCT,
	"image.RootFS",
	.fields = root_fs_fields,
};

static const struct template_field metadata_fields[] = {
	{"LastTagTime", &template_time},
	{0},
};
static const struct template_type metadata_type = {
	TEMPLATE_STRUCT,
	"image.Metadata",
	.fields = metadata_fields,
};

static const struct template_field inspect_image_fields[] = {
	{"ID", &template_string, "Id"},
	{"RepoTags", &template_strings},
	{"RepoDigests", &template_strings},
	{"Parent", &template_string},
	{"Comment", &template_string},
	{"Created", &template_string},
	{"DockerVersion", &template_string},
	{"Author", &template_string},
	{"Config", &image_config_pointer_type},
	{"Architecture", &template_string},
	{"Variant", &template_string, .optional = true},
	{"Os", &template_string},
	{"OsVersion", &template_string, .optional = true},
	{"Size", &template_int64},
	{"VirtualSize", &template_int64, .optional = true},
	{"GraphDriver", &graph_driver_type},
	{"RootFS", &root_fs_type},
	{"Metadata", &metadata_type},
	{"Descriptor", &template_any, .optional = true},
	{"Manifests", &template_any, .optional = true},
	{0},
};
const struct template_type inspect_image_type = {
	TEMPLATE_STRUCT,
	"image.InspectResponse",
	.fields = inspect_image_fields,
};
