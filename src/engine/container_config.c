/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_config.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/record_fields.h"

#define LABELS_KEY "labels"
#define MOUNTS_MAX 4096

#define STRING(f, k) RECORD_FIELD_STRING(struct container_config, f, k)
#define FLAG(f, k) RECORD_FIELD_BOOL(struct container_config, f, k)
#define INT(f, k) RECORD_FIELD_INT(struct container_config, f, k)
#define LIST(f, k) RECORD_FIELD_STRV(struct container_config, f, k)

static const struct record_field config_fields[] = {
	LIST(labels, LABELS_KEY),
	LIST(entrypoint, "entrypoint"),
	LIST(cmd, "cmd"),
	LIST(env, "env"),
	STRING(user, "user"),
	STRING(workdir, "workdir"),
	STRING(hostname, "hostname"),
	STRING(domainname, "domainname"),
	FLAG(tty, "tty"),
	FLAG(open_stdin, "openStdin"),
	FLAG(stdin_once, "stdinOnce"),
	FLAG(attach_stdin, "attachStdin"),
	FLAG(attach_stdout, "attachStdout"),
	FLAG(attach_stderr, "attachStderr"),
	STRING(stop_signal, "stopSignal"),
	FLAG(stop_timeout_set, "stopTimeoutSet"),
	INT(stop_timeout_s, "stopTimeout"),
	FLAG(init, "init"),
	FLAG(auto_remove, "autoRemove"),
	STRING(restart, "restart"),
	STRING(healthcheck, "healthcheck"),
	LIST(health_shell, "healthShell"),
	STRING(health_on_failure, "healthOnFailure"),
	LIST(layers, "layers"),
	FLAG(read_only, "readOnly"),
	INT(shm_bytes, "shmSize"),
	LIST(image_volumes, "imageVolumes"),
	LIST(exposed_ports, "exposedPorts"),
	LIST(secrets, "secrets"),
	LIST(binds, "binds"),
	LIST(tmpfs, "tmpfs"),
	LIST(volumes_from, "volumesFrom"),
	STRING(volume_driver, "volumeDriver"),
	LIST(cap_add, "capAdd"),
	LIST(cap_drop, "capDrop"),
	LIST(group_add, "groupAdd"),
	LIST(security_opt, "securityOpt"),
	STRING(seccomp_profile, "seccompProfile"),
	FLAG(seccomp_unconfined, "seccompUnconfined"),
	FLAG(no_new_privileges, "noNewPrivileges"),
	FLAG(systempaths_unconfined, "systempathsUnconfined"),
	FLAG(privileged, "privileged"),
	LIST(devices, "devices"),
	LIST(ulimits, "ulimits"),
	LIST(sysctls, "sysctls"),
	LIST(device_cgroup_rules, "deviceCgroupRules"),
	LIST(cdi_devices, "cdiDevices"),
	LIST(mask_paths, "maskPaths"),
	LIST(unmask_paths, "unmaskPaths"),
	STRING(network_mode, "network"),
	STRING(pid_mode, "pid"),
	STRING(ipc_mode, "ipc"),
	STRING(uts_mode, "uts"),
	STRING(cgroupns_mode, "cgroupns"),
	STRING(userns_mode, "userns"),
	STRING(uid_map, "uidMap"),
	STRING(gid_map, "gidMap"),
	STRING(cgroup_parent, "cgroupParent"),
	LIST(annotations, "annotations"),
	LIST(add_hosts, "addHosts"),
	LIST(links, "links"),
	LIST(dns, "dns"),
	LIST(dns_search, "dnsSearch"),
	LIST(dns_options, "dnsOptions"),
	LIST(publish, "publish"),
	FLAG(publish_all, "publishAll"),
	INT(memory_bytes, "memory"),
	INT(memory_swap_bytes, "memorySwap"),
	INT(memory_reservation_bytes, "memoryReservation"),
	INT(nano_cpus, "nanoCpus"),
	INT(cpu_shares, "cpuShares"),
	INT(cpu_period_us, "cpuPeriod"),
	INT(cpu_quota_us, "cpuQuota"),
	INT(cpu_rt_runtime_us, "cpuRealtimeRuntime"),
	INT(cpu_rt_period_us, "cpuRealtimePeriod"),
	INT(pids_limit, "pidsLimit"),
	STRING(cpuset_cpus, "cpusetCpus"),
	STRING(cpuset_mems, "cpusetMems"),
	FLAG(memory_swappiness_set, "memorySwappinessSet"),
	INT(memory_swappiness, "memorySwappiness"),
	FLAG(oom_kill_disable, "oomKillDisable"),
	INT(oom_score_adj, "oomScoreAdj"),
	INT(blkio_weight, "blkioWeight"),
	LIST(block_io[BLOCK_IO_WEIGHT], "blkioWeightDevice"),
	LIST(block_io[BLOCK_IO_READ_BPS], "deviceReadBps"),
	LIST(block_io[BLOCK_IO_WRITE_BPS], "deviceWriteBps"),
	LIST(block_io[BLOCK_IO_READ_IOPS], "deviceReadIops"),
	LIST(block_io[BLOCK_IO_WRITE_IOPS], "deviceWriteIops"),
	STRING(log_driver, "logDriver"),
	LIST(log_opts, "logOpts"),
	STRING(cidfile, "cidfile"),
};

char *container_config_format(const struct container_config *config)
{
	auto_(json_decref) json_t *object = json_object();
	json_t *mounts;

	(void)json_object_set_new(object, "version", json_integer(CONTAINER_CONFIG_VERSION));
	record_fields_save(config, config_fields, ARRAY_SIZE(config_fields), object);
	if (config->mounts.count) {
		mounts = json_array();
		for (size_t i = 0; i < config->mounts.count; i++)
			(void)json_array_append_new(mounts,
						    mount_spec_to_json(&config->mounts.items[i]));
		(void)json_object_set_new(object, "mounts", mounts);
	}
	return json_text(object);
}

static int parse_mounts(const json_t *array, struct mount_list *list, struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	if (json_array_size(array) > MOUNTS_MAX)
		return err_set(err, ERR_INTERNAL, E2BIG, "record has more than %d mounts",
			       MOUNTS_MAX);
	json_array_foreach (array, i, item) {
		auto_(mount_spec_release) struct mount_spec spec = {0};

		r = mount_spec_from_json(item, &spec, err);
		if (r < 0)
			return r;
		mount_list_add(list, &spec);
	}
	return 0;
}

static int check_complete(const struct container_config *config, struct error *err)
{
	if (config->entrypoint.count + config->cmd.count == 0)
		return err_set(err, ERR_INTERNAL, EBADMSG, "record has no command");
	if (config->network_mode == NULL)
		return err_set(err, ERR_INTERNAL, EBADMSG, "record has no network mode");
	return 0;
}

int container_config_parse(const char *text, struct container_config *ret_config, struct error *err)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(json_decref) json_t *object = NULL;
	int r;

	r = json_parse(text, strlen(text), "container's record", &object, err);
	if (r < 0)
		return r;
	if (json_get_int(object, "version", 0) != CONTAINER_CONFIG_VERSION)
		return err_set(err, ERR_INTERNAL, EBADMSG,
			       "container's record has a version this program does not know");
	r = record_fields_load(&config, config_fields, ARRAY_SIZE(config_fields), object, err);
	if (r < 0)
		return r;
	r = parse_mounts(json_object_get(object, "mounts"), &config.mounts, err);
	if (r < 0)
		return r;
	r = check_complete(&config, err);
	if (r < 0)
		return r;
	*ret_config = config;
	config = (struct container_config){0};
	return 0;
}

/*
 * The record's own format puts the labels right behind the version, so only their array is parsed, and
 * nothing when there are none.
 */
void container_config_labels(const char *text, struct strv *ret_labels)
{
	static const char begin[] = "{\"version\":1,\"" LABELS_KEY "\":";
	auto_(json_decref) json_t *labels = NULL;
	const json_t *item;
	size_t i;

	static_assert(CONTAINER_CONFIG_VERSION == 1, "the beginning of a record");
	if (strncmp(text, begin, strlen(begin)) != 0)
		return;
	text += strlen(begin);
	labels = json_loadb(text, strlen(text), JSON_DISABLE_EOF_CHECK, NULL);
	json_array_foreach (labels, i, item)
		if (json_is_string(item))
			strv_add(ret_labels, json_string_value(item));
}

void container_config_release(struct container_config *config)
{
	record_fields_release(config, config_fields, ARRAY_SIZE(config_fields));
	mount_list_release(&config->mounts);
}
