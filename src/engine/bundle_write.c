/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bundle_write.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "engine/capability_list.h"
#include "engine/container_internal.h"
#include "engine/container_link.h"
#include "engine/emit.h"
#include "engine/health_option.h"
#include "engine/host_files.h"
#include "engine/log_option.h"
#include "engine/mount_points.h"
#include "engine/network_internal.h"
#include "engine/oci_config.h"
#include "engine/secret_option.h"
#include "engine/userns_option.h"
#include "runtime/launch.h"
#include "runtime/seccomp.h"
#include "storage/store.h"
#include "sys/mount.h"

#define HOST_FILE_MAX_BYTES 65536
#define SECCOMP_CACHE "cache/seccomp"
#define INIT_PROGRAM SKIFF_LIBEXECDIR "/skiff-init"

void bundle_release(struct bundle *bundle)
{
	cleanup_close_fd(&bundle->network_ns_fd);
	cleanup_close_fd(&bundle->pid_ns_fd);
	cleanup_close_fd(&bundle->ipc_ns_fd);
	cleanup_close_fd(&bundle->user_ns_fd);
	id_map_release(&bundle->uids);
	id_map_release(&bundle->gids);
	cleanup_close_fd(&bundle->shm_fd);
	cdi_edits_release(&bundle->cdi);
}

static int write_file(const struct container *c, const char *name, const char *text, mode_t mode,
		      struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(c->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write %s of container %s", name,
			       c->record.name);
	return 0;
}

/* ---- names ---- */

/* "container:ID": the id, or NULL. */
static const char *joined_container(const char *mode)
{
	return mode && strncmp(mode, "container:", 10) == 0 ? mode + 10 : NULL;
}

/* A text of the host's, whose links are followed (/etc/resolv.conf often is one); "" without it. */
static char *host_text(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text;

	if (fd < 0 || fd_read_text(fd, HOST_FILE_MAX_BYTES, &text, NULL) < 0)
		return xstrdup("");
	return text;
}

/* With systemd-resolved the host's own file names a stub on its loopback; the real servers are here. */
static char *host_resolv_conf(void)
{
	char *text = host_text("/etc/resolv.conf");

	if (!resolv_conf_is_stub(text))
		return text;
	free(text);
	return host_text("/run/systemd/resolve/resolv.conf");
}

/* "alpha.example.org alpha", as docker writes them. */
static char *own_names(const struct container_config *config)
{
	if (!config->hostname)
		return NULL;
	if (config->domainname)
		return xasprintf("%s.%s %s", config->hostname, config->domainname,
				 config->hostname);
	return xstrdup(config->hostname);
}

/* The container's own names at its addresses. */
static void own_entries(const struct container *c, const struct endpoint_set *endpoints,
			struct strv *entries)
{
	auto_free char *names = own_names(&c->config);

	for (size_t i = 0; names && i < endpoints->count; i++) {
		const struct ip_network *own[] = {&endpoints->items[i].address4,
						  &endpoints->items[i].address6};

		for (size_t k = 0; k < ARRAY_SIZE(own); k++) {
			char address[IP_TEXT_SIZE];

			if (!own[k]->address.family)
				continue;
			ip_address_format(&own[k]->address, address);
			strv_addf(entries, "%s:%s", names, address);
		}
	}
}

/* --add-host, with what stands for the host's address in the first network that has one. */
static void added_entries(const struct container *c, const struct endpoint_set *endpoints,
			  struct strv *entries)
{
	char gateway[IP_TEXT_SIZE] = "127.0.0.1";
	struct network_subnet subnet;

	for (size_t i = endpoints->count; i-- > 0;)
		if (network_config_subnet(&endpoints->items[i].network.config, AF_INET, &subnet) &&
		    subnet.gateway.family)
			ip_address_format(&subnet.gateway, gateway);
	for (size_t i = 0; i < c->config.add_hosts.count; i++) {
		const char *entry = c->config.add_hosts.items[i];
		size_t len = strcspn(entry, ":");

		if (strcmp(entry + len, ":" HOST_GATEWAY) == 0)
			strv_addf(entries, "%.*s:%s", (int)len, entry, gateway);
		else
			strv_add(entries, entry);
	}
}

static bool has_names(const struct endpoint_set *endpoints)
{
	for (size_t i = 0; i < endpoints->count; i++)
		if (!network_is_predefined(&endpoints->items[i].network))
			return true;
	return false;
}

int bundle_write_names(const struct container *c, const struct endpoint_set *endpoints,
		       struct error *err)
{
	const struct container_config *config = &c->config;
	bool host_network = strcmp(config->network_mode, "host") == 0;
	const struct resolv_settings resolv = {
		.servers = &config->dns,
		.search = &config->dns_search,
		.options = &config->dns_options,
		.keep_loopback = host_network,
		.own_resolver = has_names(endpoints),
	};
	auto_free char *host_hosts = host_network ? host_text("/etc/hosts") : NULL;
	auto_free char *host_resolv = host_network ? host_text("/etc/resolv.conf")
						   : host_resolv_conf();
	auto_free char *resolv_conf = resolv_conf_text(host_resolv, &resolv);
	auto_free char *hostname = config->hostname ? xasprintf("%s\n", config->hostname)
						    : host_text("/proc/sys/kernel/hostname");
	auto_(strv_release) struct strv entries = {0};
	auto_free char *hosts = NULL;
	int r;

	r = container_links_hosts(c, &entries, err);
	if (r < 0)
		return r;
	added_entries(c, endpoints, &entries);
	own_entries(c, endpoints, &entries);
	hosts = hosts_text(host_hosts, &entries);
	r = write_file(c, "hostname", hostname, 0644, err);
	if (r < 0)
		return r;
	r = write_file(c, "hosts", hosts, 0644, err);
	if (r < 0)
		return r;
	return write_file(c, "resolv.conf", resolv_conf, 0644, err);
}

/* ---- other containers ---- */

/*
 * A namespace of another container's first process. It is opened, and then the process is compared
 * with the one meant, so that a pid given to another since is noticed.
 */
static int open_namespace(const struct container *c, const char *id, const char *name, int *ret_fd,
			  struct error *err)
{
	auto_(container_release) struct container other = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	auto_close int fd = NO_FD;
	auto_free char *path = NULL;
	int r;

	r = container_open(c->engine, id, &other, err);
	if (r < 0)
		return r;
	r = container_look(&other, &view, err);
	if (r < 0)
		return r;
	if (container_view_is_alive(&view)) {
		path = xasprintf("/proc/%d/ns/%s", view.state.init.pid, name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || !process_id_is_alive(&view.state.init))
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot join the %s namespace of a non running container: %s", name,
			       other.record.name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Its shared memory is a mount in its mount namespace, which only a process in there can copy. */
static int open_ipc(const struct container *c, const char *id, struct bundle *bundle,
		    struct error *err)
{
	auto_(container_release) struct container other = CONTAINER_EMPTY;
	auto_close int mount_ns_fd = NO_FD;
	int r;

	r = container_open(c->engine, id, &other, err);
	if (r < 0)
		return r;
	if (!other.config.ipc_mode || strcmp(other.config.ipc_mode, "shareable") != 0)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot join IPC of a non-shareable container %s: non-shareable IPC "
			       "(hint: use IpcMode:shareable for the donor container)",
			       other.record.name);
	r = open_namespace(c, id, "ipc", &bundle->ipc_ns_fd, err);
	if (r < 0)
		return r;
	r = open_namespace(c, id, "mnt", &mount_ns_fd, err);
	if (r < 0)
		return r;
	bundle->shm_fd = mount_copy_from(mount_ns_fd, "/dev/shm");
	if (bundle->shm_fd < 0)
		return err_set(err, ERR_SYSTEM, -bundle->shm_fd, "take /dev/shm of container %s",
			       other.record.name);
	return 0;
}

static int open_joined(const struct container *c, struct bundle *bundle, struct error *err)
{
	const char *network = joined_container(c->config.network_mode);
	const char *pid = joined_container(c->config.pid_mode);
	const char *ipc = joined_container(c->config.ipc_mode);
	const char *user = bundle->uids.count ? joined_container(c->config.userns_mode) : NULL;
	int r = 0;

	if (network)
		r = open_namespace(c, network, "net", &bundle->network_ns_fd, err);
	if (r >= 0 && pid)
		r = open_namespace(c, pid, "pid", &bundle->pid_ns_fd, err);
	if (r >= 0 && ipc)
		r = open_ipc(c, ipc, bundle, err);
	if (r >= 0 && user)
		r = open_namespace(c, user, "user", &bundle->user_ns_fd, err);
	return r;
}

/* Our own descriptor by a path that the monitor can open, as long as we live. */
static char *own_fd_path(int fd)
{
	return fd < 0 ? NULL : xasprintf("/proc/%d/fd/%d", getpid(), fd);
}

/* Names of the network belong to whoever has the network. */
char *bundle_files_directory(const struct container *c)
{
	const char *network = joined_container(c->config.network_mode);

	return xasprintf("%s/containers/%s", engine_root_path(c->engine),
			 network ? network : c->record.id);
}

/* ---- config.json ---- */

static unsigned int throttle_cpus(void)
{
	if (access("/sys/devices/system/cpu/cpu0/thermal_throttle", F_OK) < 0)
		return 0;
	return (unsigned int)get_nprocs_conf();
}

static bool machine_has_swap(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 && info.totalswap > 0;
}

static int write_config(const struct container *c, const struct bundle *bundle, struct error *err)
{
	auto_free char *network_ns = own_fd_path(bundle->network_ns_fd);
	auto_free char *pid_ns = own_fd_path(bundle->pid_ns_fd);
	auto_free char *ipc_ns = own_fd_path(bundle->ipc_ns_fd);
	auto_free char *user_ns = own_fd_path(bundle->user_ns_fd);
	auto_free char *shm = own_fd_path(bundle->shm_fd);
	auto_free char *files = bundle_files_directory(c);
	auto_(strv_release) struct strv link_env = {0};
	const struct oci_input input = {
		.config = &c->config,
		.id = c->record.id,
		.root_path = engine_root_path(c->engine),
		.files_path = files,
		.link_env = &link_env,
		.capabilities = bundle->capabilities,
		.network_ns = network_ns,
		.pid_ns = pid_ns,
		.ipc_ns = ipc_ns,
		.user_ns = user_ns,
		.uids = bundle->uids.count ? &bundle->uids : NULL,
		.gids = &bundle->gids,
		.shm_source = shm,
		.throttle_cpus = throttle_cpus(),
		.limit_swap = machine_has_swap(),
	};
	auto_(json_decref) json_t *config = NULL;
	auto_free char *text = NULL;
	int r;

	r = container_links_environment(c, &link_env, err);
	if (r == 0)
		r = oci_config_build(&input, &config, err);
	if (r == 0)
		r = cdi_edits_apply(&bundle->cdi, config, err);
	if (r < 0)
		return r;
	text = json_text(config);
	return write_file(c, CONFIG_FILE_NAME, text, 0600, err);
}

/* ---- launch.json ---- */

static int open_seccomp_cache(int root_fd, struct error *err)
{
	int fd = openat(root_fd, SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		(void)mkdirat(root_fd, "cache", 0700);
		(void)mkdirat(root_fd, SECCOMP_CACHE, 0700);
		fd = openat(root_fd, SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the cache of seccomp filters");
	return fd;
}

/* The name of the compiled filter in *ret_name; NULL when there is none. */
static int compile_seccomp(const struct container *c, int root_fd, uint64_t capabilities,
			   char **ret_name, struct error *err)
{
	const struct container_config *config = &c->config;
	auto_(json_decref) json_t *profile = NULL;
	auto_close int cache_fd = NO_FD;
	auto_free char *name = NULL;
	int r;

	if (!config->seccomp_profile && (config->seccomp_unconfined || config->privileged))
		return 0;
	cache_fd = open_seccomp_cache(root_fd, err);
	if (cache_fd < 0)
		return cache_fd;
	if (config->seccomp_profile) {
		r = json_parse(config->seccomp_profile, strlen(config->seccomp_profile),
			       "seccomp profile", &profile, err);
		if (r < 0)
			return r;
		r = seccomp_cache_profile(cache_fd, profile, capabilities, &name, err);
	} else {
		r = seccomp_cache_default(cache_fd, capabilities, &name, err);
	}
	if (r < 0)
		return r;
	*ret_name = xasprintf(SECCOMP_CACHE "/%s", name);
	return 0;
}

void bundle_lowers(const struct container_config *config, struct strv *ret_lowers)
{
	for (size_t i = config->layers.count; i-- > 0;)
		strv_add_take(ret_lowers, container_layer_path(config->layers.items[i]));
	strv_add(ret_lowers, MOUNT_POINTS_PATH);
}

static int write_launch(const struct container *c, int root_fd, const struct bundle *bundle,
			const struct network_plan *network, struct error *err)
{
	const struct container_config *config = &c->config;
	auto_(launch_release) struct launch launch = {
		.volatile_upper = config->auto_remove,
		.user = xstrdup_or_null(config->user),
		.init = config->init ? xstrdup(INIT_PROGRAM) : NULL,
		.tty = config->tty,
		.open_stdin = config->open_stdin,
		.stdin_once = config->stdin_once,
		.auto_remove = config->auto_remove,
		.event_attributes = container_event_attributes(&c->record),
		.network = network->interface_count ? network_plan_format(network) : NULL,
	};
	int r;

	bundle_lowers(config, &launch.lowers);
	r = mount_points_ensure(root_fd, err);
	if (r < 0)
		return r;
	strv_copy(&launch.groups, &config->group_add);
	cdi_edits_groups(&bundle->cdi, &launch.groups);
	bundle_mounts(config, /* for_start= */ true, &launch.mounts);
	r = log_options_apply(config->log_driver, &config->log_opts, &launch, err);
	if (r == 0)
		r = log_context_apply(c, &launch, err);
	if (r < 0)
		return r;
	r = restart_policy_parse(config->restart, &launch.restart, err);
	if (r < 0)
		return r;
	r = secret_options_apply(&config->secrets, &launch, err);
	if (r < 0)
		return r;
	r = health_options_apply(config, &launch.health, err);
	if (r < 0)
		return r;
	r = compile_seccomp(c, root_fd, bundle->capabilities, &launch.seccomp, err);
	if (r < 0)
		return r;
	return launch_save(c->dir_fd, &launch, err);
}

/* Asked from the host's namespace, where servers on its loopback answer too. */
void bundle_resolvers(const struct container *c, struct network_plan *plan)
{
	const struct resolv_settings resolv = {.servers = &c->config.dns};
	auto_free char *host_resolv = NULL;

	if (!network_plan_has_names(plan))
		return;
	host_resolv = host_text("/etc/resolv.conf");
	resolv_conf_servers(host_resolv, &resolv, &plan->resolvers);
}

static int load_endpoints(const struct container *c, struct endpoint_set *ret_endpoints,
			  struct error *err)
{
	int r, settled = 0;

	r = endpoint_set_load(c->engine, c->record.id, ret_endpoints, err);
	for (size_t i = 0; r == 0 && i < ret_endpoints->count && settled == 0; i++)
		settled = network_settle(c->engine, &ret_endpoints->items[i].network, err);
	if (r < 0 || settled <= 0)
		return r < 0 ? r : settled;
	endpoint_set_release(ret_endpoints);
	return endpoint_set_load(c->engine, c->record.id, ret_endpoints, err);
}

/* A container without a network of its own asks the store nothing. */
static int load_network(const struct container *c, struct endpoint_set *ret_endpoints,
			struct network_plan *ret_plan, struct error *err)
{
	const char *mode = c->config.network_mode;
	int r;

	if (joined_container(mode) || strcmp(mode, "none") == 0 || strcmp(mode, "host") == 0)
		return 0;
	r = load_endpoints(c, ret_endpoints, err);
	if (r == 0)
		r = network_plan_build(c, ret_endpoints, ret_plan, err);
	if (r == 0)
		bundle_resolvers(c, ret_plan);
	return r;
}

int bundle_write(const struct container *c, struct bundle *ret_bundle, struct error *err)
{
	auto_(bundle_release) struct bundle bundle = BUNDLE_EMPTY;
	auto_(network_plan_release) struct network_plan network = {0};
	auto_(endpoint_set_release) struct endpoint_set endpoints = {0};
	struct store *store;
	int r;

	r = engine_store(c->engine, &store, err);
	if (r < 0)
		return r;
	r = capability_compute(&c->config.cap_add, &c->config.cap_drop, c->config.privileged,
			       capability_bounding_set(), &bundle.capabilities, err);
	if (r < 0)
		return r;
	r = cdi_edits_collect(&c->config.cdi_devices, &bundle.cdi, err);
	if (r < 0)
		return r;
	r = bundle_make_sources(&c->config, err);
	if (r < 0)
		return r;
	r = userns_maps(c, &bundle.uids, &bundle.gids, err);
	if (r < 0)
		return r;
	r = open_joined(c, &bundle, err);
	if (r < 0)
		return r;
	r = load_network(c, &endpoints, &network, err);
	if (r < 0)
		return r;
	if (!joined_container(c->config.network_mode)) {
		r = bundle_write_names(c, &endpoints, err);
		if (r < 0)
			return r;
	}
	r = write_launch(c, store_root_fd(store), &bundle, &network, err);
	if (r < 0)
		return r;
	/* Last: that it is there tells that a start was tried. */
	r = write_config(c, &bundle, err);
	if (r < 0)
		return r;
	*ret_bundle = bundle;
	bundle = BUNDLE_EMPTY;
	return 0;
}
