/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <seccomp.h>
#include <sqlite3.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/oci_config.h"
#include "engine/settings.h"
#include "engine/system.h"
#include "image/platform.h"
#include "storage/store.h"
#include "sys/cgroup.h"

#define OS_RELEASE_MAX_BYTES 65536

static void count_containers(const struct container_list *list, struct system_info *info)
{
	info->containers = list->count;
	for (size_t i = 0; i < list->count; i++) {
		switch (list->items[i].status) {
		case CONTAINER_RUNNING:
		case CONTAINER_RESTARTING:
		case CONTAINER_ORPHANED:
			info->running++;
			break;
		case CONTAINER_PAUSED:
			info->paused++;
			break;
		case CONTAINER_CREATED:
		case CONTAINER_EXITED:
		case CONTAINER_DEAD:
			info->stopped++;
			break;
		}
	}
}

static int ask_store(struct engine *engine, struct system_info *info, struct error *err)
{
	const struct list_request request = {.all = true, .last = -1};
	auto_(container_list_release) struct container_list list = {0};
	auto_(image_records_release) struct image_records images = {0};
	int r;

	r = container_list(engine, &request, &list, err);
	if (r < 0)
		return r;
	count_containers(&list, info);
	r = image_list(engine, &images, err);
	if (r < 0)
		return r;
	info->images = images.count;
	info->root_path = xstrdup(engine_root_path(engine));
	info->state_path = xstrdup(engine_state_path(engine));
	info->storage_driver = xstrdup("overlay");
	return 0;
}

/* Names as docker prints them; the number where we know none. */
static char *filesystem_name(int fd)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} names[] = {
		{0xef53, "extfs"},       {0x58465342, "xfs"}, {0x9123683e, "btrfs"},
		{0x01021994, "tmpfs"},   {0x2fc12fc1, "zfs"}, {0xf2f52010, "f2fs"},
		{0x794c7630, "overlay"}, {0x6969, "nfs"},
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return xstrdup("unknown");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((unsigned long)fs.f_type == names[i].magic)
			return xstrdup(names[i].name);
	return xasprintf("0x%lx", (unsigned long)fs.f_type);
}

static const char *cgroup_version(enum cgroup_mode mode)
{
	switch (mode) {
	case CGROUP_MODE_NONE:
		return "none";
	case CGROUP_MODE_V1:
		return "1";
	case CGROUP_MODE_V2:
		return "2";
	case CGROUP_MODE_HYBRID:
		return "hybrid";
	}
	return "none";
}

static void ask_cgroups(struct system_info *info)
{
	static const char *const limits[] = {"cpu",     "cpuset", "devices",
					     "freezer", "memory", "pids"};
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;

	if (cgroup_host_open(&host) < 0) {
		info->cgroup_version = xstrdup("none");
		strv_add(&info->warnings, "No cgroup hierarchy can be read");
		return;
	}
	info->cgroup_version = xstrdup(cgroup_version(cgroup_host_mode(host)));
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (cgroup_host_has(host, limits[i]))
			strv_add(&info->controllers, limits[i]);
		else
			strv_addf(&info->warnings, "No %s controller: its limits are refused",
				  limits[i]);
	}
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static char *os_name(void)
{
	static const char key[] = "PRETTY_NAME=";
	auto_close int fd = open("/etc/os-release", O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	const char *value;

	if (fd < 0 || fd_read_text(fd, OS_RELEASE_MAX_BYTES, &text, NULL) < 0)
		return xstrdup("Linux");
	value = strstr(text, key);
	if (!value)
		return xstrdup("Linux");
	value += strlen(key);
	value += *value == '"';
	return xstrndup(value, strcspn(value, "\"\n"));
}

static void ask_kernel(struct system_info *info)
{
	struct utsname uts;
	struct sysinfo memory;

	if (uname(&uts) == 0) {
		info->host_name = xstrdup(uts.nodename);
		info->kernel_version = xstrdup(uts.release);
		info->architecture = xstrdup(uts.machine);
	}
	if (sysinfo(&memory) == 0)
		info->memory_bytes = (uint64_t)memory.totalram * memory.mem_unit;
	info->cpus = (uint32_t)get_nprocs();
	info->operating_system = os_name();
}

int system_info(struct engine *engine, struct system_info *ret_info, struct error *err)
{
	auto_(system_info_release) struct system_info info = {0};
	struct store *store;
	const struct settings *settings = NULL;
	const char *network = NULL;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = ask_store(engine, &info, err);
	if (r < 0)
		return r;
	info.root_filesystem = filesystem_name(store_root_fd(store));
	ask_cgroups(&info);
	ask_kernel(&info);
	strv_add(&info.security_options, "seccomp (default profile)");
	strv_add(&info.security_options, "capabilities (14 by default)");
	r = settings_network(&network, err);
	if (r == 0)
		r = settings_get(&settings, err);
	if (r < 0)
		return r;
	strv_copy(&info.settings, &settings->origins);
	info.default_network = xstrdup(network);
	strv_add(&info.networks, "bridge");
	strv_add(&info.networks, "none");
	strv_add(&info.networks, "host");
	strv_add(&info.networks, "container:NAME");
	strv_add(&info.log_drivers, "journald");
	strv_add(&info.log_drivers, "json-file");
	strv_add(&info.log_drivers, "local");
	strv_add(&info.log_drivers, "none");
	strv_add(&info.log_drivers, "syslog");
	info.version = xstrdup(SKIFF_VERSION);
	*ret_info = info;
	info = (struct system_info){0};
	return 0;
}

void system_info_release(struct system_info *info)
{
	char *texts[] = {info->root_path,       info->state_path,     info->storage_driver,
			 info->root_filesystem, info->cgroup_version, info->default_network,
			 info->host_name,       info->kernel_version, info->operating_system,
			 info->architecture,    info->version};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	strv_release(&info->controllers);
	strv_release(&info->warnings);
	strv_release(&info->security_options);
	strv_release(&info->networks);
	strv_release(&info->log_drivers);
	strv_release(&info->settings);
	*info = (struct system_info){0};
}

void system_version(struct system_version *ret_version)
{
	const struct scmp_version *seccomp = seccomp_version();
	auto_(platform_release) struct platform machine = {0};
	struct utsname uts = {0};

	(void)uname(&uts);
	platform_of_machine(&machine);
	*ret_version = (struct system_version){
		.version = SKIFF_VERSION,
		.os = "linux",
		.architecture = xstrdup(machine.architecture),
		.kernel_version = xstrdup(uts.release),
		.oci_runtime_spec = OCI_VERSION,
		.oci_image_spec = "1.1.0",
		.compiler = __VERSION__,
		.sqlite_version = xstrdup(sqlite3_libversion()),
		.seccomp_version =
			xasprintf("%u.%u.%u", seccomp->major, seccomp->minor, seccomp->micro),
	};
}

void system_version_release(struct system_version *version)
{
	free(version->architecture);
	free(version->kernel_version);
	free(version->sqlite_version);
	free(version->seccomp_version);
	*version = (struct system_version){0};
}
