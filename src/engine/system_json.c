/* SPDX-License-Identifier: Apache-2.0 */
/* The types first, inner ones before those that use them; then the objects. */
#include "engine/system_json.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define API_VERSION "1.50" /* whose fields these are */

static const struct template_field plugins_fields[] = {
	{"Volume", &template_strings},
	{"Network", &template_strings},
	{"Authorization", &template_strings},
	{"Log", &template_strings},
	{0},
};
static const struct template_type plugins_type = {
	TEMPLATE_STRUCT,
	"system.PluginsInfo",
	.fields = plugins_fields,
};

static const struct template_type pairs_type = {
	TEMPLATE_LIST,
	"[][2]string",
	.elem = &template_strings,
};

static const struct template_field commit_fields[] = {
	{"ID", &template_string},
	{0},
};
static const struct template_type commit_type = {
	TEMPLATE_STRUCT,
	"system.Commit",
	.fields = commit_fields,
};

static const struct template_field runtime_fields[] = {
	{"Path", &template_string, "path"},
	{"Status", &template_string_map, "status"},
	{0},
};
static const struct template_type runtime_type = {
	TEMPLATE_STRUCT,
	"system.RuntimeWithStatus",
	.fields = runtime_fields,
};

static const struct template_type runtimes_type = {
	TEMPLATE_MAP,
	"map[string]system.RuntimeWithStatus",
	.elem = &runtime_type,
};

static const struct template_field swarm_fields[] = {
	{"NodeID", &template_string},
	{"NodeAddr", &template_string},
	{"LocalNodeState", &template_string},
	{"ControlAvailable", &template_bool},
	{"Error", &template_string},
	{"RemoteManagers", &template_any},
	{0},
};
static const struct template_type swarm_type = {
	TEMPLATE_STRUCT,
	"swarm.Info",
	.fields = swarm_fields,
};

static const struct template_field client_platform_fields[] = {
	{"Name", &template_string},
	{0},
};
static const struct template_type client_platform_type = {
	TEMPLATE_STRUCT,
	"struct",
	.fields = client_platform_fields,
};

static const struct template_type client_platform_pointer_type = {
	TEMPLATE_POINTER,
	"*struct",
	.elem = &client_platform_type,
};

static const struct template_field client_info_fields[] = {
	{"Debug", &template_bool},
	{"Platform", &client_platform_pointer_type},
	{"Version", &template_string},
	{"APIVersion", &template_string, "ApiVersion"},
	{"DefaultAPIVersion", &template_string},
	{"GitCommit", &template_string},
	{"GoVersion", &template_string},
	{"Os", &template_string},
	{"Arch", &template_string},
	{"BuildTime", &template_string},
	{"Context", &template_string},
	{"Plugins", &template_any},
	{"Warnings", &template_strings},
	{0},
};
static const struct template_type client_info_type = {
	TEMPLATE_STRUCT,
	"system.clientInfo",
	.fields = client_info_fields,
};

static const struct template_type client_info_pointer_type = {
	TEMPLATE_POINTER,
	"*system.clientInfo",
	.elem = &client_info_type,
};

static const struct template_field system_info_fields[] = {
	{"ID", &template_string},
	{"Containers", &template_int},
	{"ContainersRunning", &template_int},
	{"ContainersPaused", &template_int},
	{"ContainersStopped", &template_int},
	{"Images", &template_int},
	{"Driver", &template_string},
	{"DriverStatus", &pairs_type},
	{"SystemStatus", &pairs_type, .optional = true},
	{"Plugins", &plugins_type},
	{"MemoryLimit", &template_bool},
	{"SwapLimit", &template_bool},
	{"KernelMemory", &template_bool, .optional = true},
	{"KernelMemoryTCP", &template_bool, .optional = true},
	{"CPUCfsPeriod", &template_bool, "CpuCfsPeriod"},
	{"CPUCfsQuota", &template_bool, "CpuCfsQuota"},
	{"CPUShares", &template_bool},
	{"CPUSet", &template_bool},
	{"PidsLimit", &template_bool},
	{"IPv4Forwarding", &template_bool},
	{"Debug", &template_bool},
	{"NFd", &template_int},
	{"OomKillDisable", &template_bool},
	{"NGoroutines", &template_int},
	{"SystemTime", &template_string},
	{"LoggingDriver", &template_string},
	{"CgroupDriver", &template_string},
	{"CgroupVersion", &template_string},
	{"NEventsListener", &template_int},
	{"KernelVersion", &template_string},
	{"OperatingSystem", &template_string},
	{"OSVersion", &template_string},
	{"OSType", &template_string},
	{"Architecture", &template_string},
	{"IndexServerAddress", &template_string},
	{"RegistryConfig", &template_any},
	{"NCPU", &template_int},
	{"MemTotal", &template_int64},
	{"GenericResources", &template_any},
	{"DockerRootDir", &template_string},
	{"HTTPProxy", &template_string, "HttpProxy"},
	{"HTTPSProxy", &template_string, "HttpsProxy"},
	{"NoProxy", &template_string},
	{"Name", &template_string},
	{"Labels", &template_strings},
	{"ExperimentalBuild", &template_bool},
	{"ServerVersion", &template_string},
	{"Runtimes", &runtimes_type},
	{"DefaultRuntime", &template_string},
	{"Swarm", &swarm_type},
	{"LiveRestoreEnabled", &template_bool},
	{"Isolation", &template_string},
	{"InitBinary", &template_string},
	{"ContainerdCommit", &commit_type},
	{"RuncCommit", &commit_type},
	{"InitCommit", &commit_type},
	{"SecurityOptions", &template_strings},
	{"ProductLicense", &template_string, .optional = true},
	{"DefaultAddressPools", &template_any, .optional = true},
	{"FirewallBackend", &template_any, .optional = true},
	{"CDISpecDirs", &template_strings},
	{"DiscoveredDevices", &template_any, .optional = true},
	{"Containerd", &template_any, .optional = true},
	{"Warnings", &template_strings},
	{"ServerErrors", &template_strings, .optional = true},
	{"ClientInfo", &client_info_pointer_type},
	{"ClientErrors", &template_strings, .optional = true},
	{0},
};
const struct template_type system_info_type = {
	TEMPLATE_STRUCT,
	"system.dockerInfo",
	.fields = system_info_fields,
};

static const struct template_field component_fields[] = {
	{"Name", &template_string},
	{"Version", &template_string},
	{"Details", &template_string_map},
	{0},
};
static const struct template_type component_type = {
	TEMPLATE_STRUCT,
	"types.ComponentVersion",
	.fields = component_fields,
};

static const struct template_type components_type = {
	TEMPLATE_LIST,
	"[]types.ComponentVersion",
	.elem = &component_type,
};

static const struct template_field client_version_fields[] = {
	{"Platform", &client_platform_type},
	{"Version", &template_string},
	{"APIVersion", &template_string, "ApiVersion"},
	{"DefaultAPIVersion", &template_string},
	{"GitCommit", &template_string},
	{"GoVersion", &template_string},
	{"Os", &template_string},
	{"Arch", &template_string},
	{"BuildTime", &template_string},
	{"Context", &template_string},
	{0},
};
static const struct template_type client_version_type = {
	TEMPLATE_STRUCT,
	"system.clientVersion",
	.fields = client_version_fields,
};

static const struct template_field server_version_fields[] = {
	{"Platform", &client_platform_type},
	{"Components", &components_type},
	{"Version", &template_string},
	{"APIVersion", &template_string, "ApiVersion"},
	{"MinAPIVersion", &template_string},
	{"GitCommit", &template_string},
	{"GoVersion", &template_string},
	{"Os", &template_string},
	{"Arch", &template_string},
	{"KernelVersion", &template_string},
	{"Experimental", &template_bool, .optional = true},
	{"BuildTime", &template_string, .optional = true},
	{0},
};
static const struct template_type server_version_type = {
	TEMPLATE_STRUCT,
	"types.Version",
	.fields = server_version_fields,
};

static const struct template_type server_version_pointer_type = {
	TEMPLATE_POINTER,
	"*types.Version",
	.elem = &server_version_type,
};

static const struct template_field system_version_fields[] = {
	{"Client", &client_version_type},
	{"Server", &server_version_pointer_type},
	{0},
};
const struct template_type system_version_type = {
	TEMPLATE_STRUCT,
	"system.versionInfo",
	.fields = system_version_fields,
};

/* ---- info ---- */

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void set_count(json_t *object, const char *key, uint64_t count)
{
	set(object, key, json_integer((json_int_t)count));
}

static void set_counts(const struct system_info *info, json_t *o)
{
	set_count(o, "Containers", info->containers);
	set_count(o, "ContainersRunning", info->running);
	set_count(o, "ContainersPaused", info->paused);
	set_count(o, "ContainersStopped", info->stopped);
	set_count(o, "Images", info->images);
	set_count(o, "NCPU", info->cpus);
	set_count(o, "MemTotal", info->memory_bytes);
}

static void set_limits(const struct system_info *info, json_t *o)
{
	static const struct {
		const char *key, *controller;
	} limits[] = {
		{"MemoryLimit", "memory"}, {"CpuCfsPeriod", "cpu"}, {"CpuCfsQuota", "cpu"},
		{"CPUShares", "cpu"},      {"CPUSet", "cpuset"},    {"PidsLimit", "pids"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		set(o, limits[i].key,
		    json_boolean(strv_has(&info->controllers, limits[i].controller)));
}

static void set_machine(const struct system_info *info, json_t *o)
{
	char now[CLOCK_TEXT_SIZE];

	clock_format(clock_now_ns(), now);
	json_set_string(o, "SystemTime", now);
	json_set_string(o, "KernelVersion", info->kernel_version);
	json_set_string(o, "OperatingSystem", info->operating_system);
	json_set_string(o, "OSType", "linux");
	json_set_string(o, "Architecture", info->architecture);
	json_set_string(o, "Name", info->host_name);
	json_set_string(o, "CgroupDriver", "cgroupfs");
	/* docker knows no hybrid: what enforces limits there is v1 */
	json_set_string(o, "CgroupVersion", strcmp(info->cgroup_version, "2") == 0 ? "2" : "1");
}

json_t *system_info_object(const struct system_info *info)
{
	json_t *o = json_object(), *plugins = json_object();

	set_counts(info, o);
	set_limits(info, o);
	set_machine(info, o);
	json_set_string(o, "Driver", info->storage_driver);
	set(o, "DriverStatus", json_pack("[[s, s]]", "Backing Filesystem", info->root_filesystem));
	set(plugins, "Volume", json_pack("[s]", "local"));
	set(plugins, "Network", json_from_strv(&info->networks));
	set(plugins, "Log", json_from_strv(&info->log_drivers));
	set(o, "Plugins", plugins);
	json_set_string(o, "LoggingDriver", "json-file");
	json_set_string(o, "DockerRootDir", info->root_path);
	set(o, "Labels", json_array());
	json_set_string(o, "ServerVersion", info->version);
	set(o, "Runtimes", json_pack("{s:{s:s}}", "skiff", "path", "skiff"));
	json_set_string(o, "DefaultRuntime", "skiff");
	set(o, "Swarm", json_pack("{s:s}", "LocalNodeState", "inactive"));
	json_set_string(o, "InitBinary", "skiff-init");
	set(o, "SecurityOptions", json_from_strv(&info->security_options));
	set(o, "Warnings", json_from_strv(&info->warnings));
	set(o, "ClientInfo",
	    json_pack("{s:s, s:s, s:s, s:s, s:[], s:n}", "Version", info->version, "ApiVersion",
		      API_VERSION, "DefaultAPIVersion", API_VERSION, "Context", "default",
		      "Plugins", "Warnings"));
	return o;
}

/* ---- version ---- */

json_t *system_version_object(const struct system_version *v)
{
	json_t *client = json_object(), *server = json_object(), *components;

	json_set_string(client, "Version", v->version);
	json_set_string(client, "ApiVersion", API_VERSION);
	json_set_string(client, "DefaultAPIVersion", API_VERSION);
	json_set_string(client, "Os", v->os);
	json_set_string(client, "Arch", v->architecture);
	json_set_string(client, "Context", "default");
	components = json_pack("[{s:s, s:s, s:{s:s, s:s}}, {s:s, s:s}, {s:s, s:s}]", "Name",
			       "Engine", "Version", v->version, "Details", "OCIRuntimeSpec",
			       v->oci_runtime_spec, "OCIImageSpec", v->oci_image_spec, "Name",
			       "sqlite", "Version", v->sqlite_version, "Name", "libseccomp",
			       "Version", v->seccomp_version);
	set(server, "Components", components);
	json_set_string(server, "Version", v->version);
	json_set_string(server, "ApiVersion", API_VERSION);
	json_set_string(server, "MinAPIVersion", API_VERSION);
	json_set_string(server, "Os", v->os);
	json_set_string(server, "Arch", v->architecture);
	json_set_string(server, "KernelVersion", v->kernel_version);
	return json_pack("{s:o, s:o}", "Client", client, "Server", server);
}
