/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/create_options.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/env_file.h"
#include "cli/limit_options.h"
#include "cli/transfer_view.h"
#include "engine/image.h"
#include "engine/monitor_link.h"
#include "engine/settings.h"

/* ---- values that are refused while parsing ---- */

static int check_stream(const char *value, struct error *err)
{
	if (strcasecmp(value, "stdin") == 0 || strcasecmp(value, "stdout") == 0 ||
	    strcasecmp(value, "stderr") == 0)
		return 0;
	return err_set(err, ERR_INVALID, 0, "valid streams are STDIN, STDOUT and STDERR");
}

static int check_address(const char *value, struct error *err)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, value, &address) == 1 || inet_pton(AF_INET6, value, &address) == 1)
		return 0;
	return err_set(err, ERR_INVALID, 0, "IP address is not correctly formatted: %s", value);
}

static int check_key_value(const char *value, struct error *err)
{
	const char *equals = strchr(value, '=');

	if (equals && equals != value)
		return 0;
	return err_set(err, ERR_INVALID, 0, "must be KEY=VALUE");
}

static int check_pull(const char *value, struct error *err)
{
	enum image_pull_policy policy;

	return image_pull_policy_parse(value, &policy, err);
}

static int check_label(const char *value, struct error *err)
{
	if (*value == '\0' || *value == '=')
		return err_set(err, ERR_INVALID, 0, "invalid label: empty name");
	return 0;
}

#define REQUEST_FLAG(field, s, l, h, ...)                                                          \
	OPT_FLAG(struct create_opts, request.field, s, l, h, ##__VA_ARGS__)
#define REQUEST_STRING(field, s, l, v, h, ...)                                                     \
	OPT_STRING(struct create_opts, request.field, s, l, v, h, ##__VA_ARGS__)
#define REQUEST_INT(field, s, l, h, ...)                                                           \
	OPT_INT(struct create_opts, request.field, s, l, h, ##__VA_ARGS__)
#define REQUEST_LIST(field, s, l, h, ...)                                                          \
	OPT_LIST(struct create_opts, request.field, s, l, "list", h, ##__VA_ARGS__)

const struct option_spec create_options[] = {
	REQUEST_LIST(add_hosts, 0, "add-host",
		     "Add a line to /etc/hosts (host:ip; host:host-gateway)"),
	OPT_LIST(struct create_opts, request.annotations, 0, "annotation", "map",
		 "Add an annotation to the container (passed on in config.json)",
		 .check = check_key_value),
	OPT_LIST(struct create_opts, attach, 'a', "attach", "list",
		 "Attach to STDIN, STDOUT or STDERR", .choices = "stdin stdout stderr",
		 .check = check_stream),
	REQUEST_LIST(cap_add, 0, "cap-add", "Add Linux capabilities"),
	REQUEST_LIST(cap_drop, 0, "cap-drop", "Drop Linux capabilities"),
	REQUEST_STRING(cgroup_parent, 0, "cgroup-parent", "string",
		       "Cgroup in which the container's own is made"),
	REQUEST_STRING(cgroupns_mode, 0, "cgroupns", "string",
		       "Cgroup namespace to use (host|private)", .choices = "host private"),
	REQUEST_STRING(cidfile, 0, "cidfile", "string", "Write the container's ID to this file",
		       .complete = COMPLETE_FILE),
	REQUEST_LIST(devices, 0, "device", "Add a device of the host, by path or CDI name",
		     .complete = COMPLETE_FILE),
	REQUEST_LIST(device_cgroup_rules, 0, "device-cgroup-rule",
		     "Allow devices by type and number (c 42:* rwm)"),
	REQUEST_LIST(dns, 0, "dns", "Set DNS servers", .check = check_address),
	REQUEST_LIST(dns_options, 0, "dns-opt", "Another spelling of --dns-option", .hidden = true),
	REQUEST_LIST(dns_options, 0, "dns-option", "Set DNS options"),
	REQUEST_LIST(dns_search, 0, "dns-search", "Set DNS search domains"),
	REQUEST_STRING(domainname, 0, "domainname", "string",
		       "NIS domain name inside the container"),
	REQUEST_STRING(entrypoint, 0, "entrypoint", "string",
		       "Overwrite the image's ENTRYPOINT (empty: none)"),
	OPT_LIST(struct create_opts, env, 'e', "env", "list",
		 "Set environment variables (KEY alone: inherit ours)", .check = env_arg_check),
	OPT_LIST(struct create_opts, env_files, 0, "env-file", "list",
		 "Read environment variables from a file", .complete = COMPLETE_FILE),
	REQUEST_LIST(expose, 0, "expose", "Expose a port or a range of ports"),
	OPT_LIST(struct create_opts, request.gpus, 0, "gpus", "gpu-request",
		 "GPU devices to add ('all' to pass all GPUs)"),
	OPT_LIST(struct create_opts, request.gid_maps, 0, "gidmap", "CONTAINER:HOST:COUNT",
		 "Groups of the host in a user namespace of its own"),
	REQUEST_LIST(group_add, 0, "group-add", "Join additional groups"),
	REQUEST_STRING(health_cmd, 0, "health-cmd", "string", "Command to run to check health"),
	REQUEST_STRING(health_interval, 0, "health-interval", "duration",
		       "Time between running the check (ms|s|m|h)", .default_text = "30s"),
	REQUEST_STRING(health_on_failure, 0, "health-on-failure", "string",
		       "What to do with an unhealthy container (none|kill|restart|stop)",
		       .default_text = "none", .choices = "none kill restart stop"),
	REQUEST_INT(health_retries, 0, "health-retries",
		    "Consecutive failures needed to report unhealthy"),
	REQUEST_STRING(health_start_interval, 0, "health-start-interval", "duration",
		       "Time between running the check during the start period (ms|s|m|h)",
		       .default_text = "5s"),
	REQUEST_STRING(health_start_period, 0, "health-start-period", "duration",
		       "Start period for the container to initialize before starting "
		       "health-retries countdown (ms|s|m|h)",
		       .default_text = "0s"),
	REQUEST_STRING(health_timeout, 0, "health-timeout", "duration",
		       "Maximum time to allow one check to run (ms|s|m|h)", .default_text = "30s"),
	REQUEST_STRING(hostname, 'h', "hostname", "string", "Host name inside the container"),
	REQUEST_FLAG(init, 0, "init",
		     "Run an init inside the container that forwards signals and reaps processes"),
	REQUEST_FLAG(open_stdin, 'i', "interactive", "Keep STDIN open even if not attached"),
	REQUEST_STRING(ip, 0, "ip", "ip", "IPv4 address in the (first) network",
		       .check = check_address),
	REQUEST_STRING(ip6, 0, "ip6", "ip", "IPv6 address in the (first) network",
		       .check = check_address),
	REQUEST_STRING(ipc_mode, 0, "ipc", "string",
		       "IPC namespace: private, shareable, host, none or container:ID",
		       .choices = "private shareable host none"),
	OPT_STRING(struct create_opts, unused, 0, "kernel-memory", "bytes", "Kernel memory limit",
		   .check = limit_check_size,
		   .deprecated = "and no longer supported by the kernel"),
	OPT_LIST(struct create_opts, labels, 'l', "label", "list", "Set a label on the container",
		 .check = check_label),
	OPT_LIST(struct create_opts, label_files, 0, "label-file", "list",
		 "Read labels from a file", .complete = COMPLETE_FILE),
	OPT_INCLUDE(struct create_opts, request.limits, limit_options),
	REQUEST_LIST(links, 0, "link",
		     "Know another container by a name of its own (NAME[:ALIAS])"),
	REQUEST_LIST(link_local_ips, 0, "link-local-ip",
		     "Another, link-local address in the (first) network"),
	REQUEST_STRING(log_driver, 0, "log-driver", "string",
		       "Where output is kept (json-file|local|journald|syslog|none)",
		       .choices = "json-file local journald syslog none"),
	REQUEST_LIST(log_opts, 0, "log-opt", "Options of the log (max-size, max-file, …)"),
	REQUEST_STRING(mac_address, 0, "mac-address", "string",
		       "Hardware address in the (first) network"),
	OPT_LIST(struct create_opts, request.mounts, 0, "mount", "mount",
		 "Mount a bind, volume, tmpfs or image (type=...,source=...,target=...)"),
	REQUEST_STRING(name, 0, "name", "string", "Name of the container"),
	OPT_LIST(struct create_opts, request.networks, 0, "net", "network",
		 "Another spelling of --network", .hidden = true),
	OPT_LIST(struct create_opts, request.networks, 0, "network", "network",
		 "Connect the container to a network (bridge|none|host|container:ID|NAME)",
		 .choices = "bridge none host"),
	REQUEST_LIST(network_aliases, 0, "net-alias", "Another spelling of --network-alias",
		     .hidden = true),
	REQUEST_LIST(network_aliases, 0, "network-alias", "Another name in the (first) network"),
	REQUEST_FLAG(oom_kill_disable, 0, "oom-kill-disable",
		     "Let processes wait for memory instead of killing one (cgroup v1)"),
	REQUEST_INT(oom_score_adj, 0, "oom-score-adj",
		    "How readily the host kills it for lack of memory, -1000 to 1000"),
	REQUEST_FLAG(no_healthcheck, 0, "no-healthcheck",
		     "Disable any container-specified HEALTHCHECK"),
	REQUEST_STRING(pid_mode, 0, "pid", "string", "PID namespace to use (host|container:ID)",
		       .choices = "host"),
	REQUEST_STRING(platform, 0, "platform", "string",
		       "Platform of the image, if there are several (os/arch[/variant])"),
	REQUEST_FLAG(privileged, 0, "privileged", "Give the container all privileges"),
	OPT_LIST(struct create_opts, request.publish, 'p', "publish", "list",
		 "Publish a container's port(s) to the host"),
	REQUEST_FLAG(publish_all, 'P', "publish-all", "Publish all exposed ports to random ports"),
	REQUEST_STRING(pull, 0, "pull", "string", "Pull the image (always|missing|never)",
		       .default_text = "\"missing\"", .choices = "always missing never",
		       .check = check_pull),
	OPT_FLAG(struct create_opts, quiet_pull, 'q', "quiet",
		 "Suppress the progress display of a pull"),
	REQUEST_FLAG(read_only, 0, "read-only", "Mount the container's root read-only"),
	REQUEST_STRING(restart, 0, "restart", "string",
		       "Start the container again when it has ended (no, always, "
		       "unless-stopped, on-failure[:n])",
		       .default_text = "no", .choices = "no on-failure always unless-stopped"),
	REQUEST_FLAG(auto_remove, 0, "rm",
		     "Remove the container and its anonymous volumes when it ends"),
	REQUEST_STRING(runtime, 0, "runtime", "string", "OCI runtime to use (skiff)",
		       .choices = "skiff"),
	REQUEST_LIST(secrets, 0, "secret",
		     "Give it a secret (NAME[,type=mount|env][,target=PATH])"),
	REQUEST_LIST(security_opt, 0, "security-opt",
		     "Security options (no-new-privileges, seccomp=FILE, seccomp=unconfined, "
		     "systempaths=unconfined, mask=PATH, unmask=PATH)"),
	REQUEST_STRING(shm_size, 0, "shm-size", "bytes", "Size of /dev/shm",
		       .check = limit_check_size),
	REQUEST_STRING(stop_signal, 0, "stop-signal", "string", "Signal that stops the container"),
	REQUEST_INT(stop_timeout_s, 0, "stop-timeout",
		    "Seconds between the stop signal and the kill"),
	REQUEST_LIST(storage_opts, 0, "storage-opt",
		     "Options of the container's storage (size=...)"),
	REQUEST_STRING(subgid_name, 0, "subgidname", "name",
		       "A user namespace of all groups that /etc/subgid gives this name"),
	REQUEST_STRING(subuid_name, 0, "subuidname", "name",
		       "A user namespace of all ids that /etc/subuid gives this name"),
	REQUEST_LIST(sysctls, 0, "sysctl", "Set kernel parameters of the container's namespaces",
		     .check = check_key_value),
	REQUEST_LIST(tmpfs, 0, "tmpfs", "Mount a tmpfs directory"),
	REQUEST_FLAG(tty, 't', "tty", "Allocate a pseudo-TTY"),
	OPT_LIST(struct create_opts, request.uid_maps, 0, "uidmap", "CONTAINER:HOST:COUNT",
		 "Users of the host in a user namespace of its own"),
	OPT_LIST(struct create_opts, request.ulimits, 0, "ulimit", "ulimit",
		 "Set resource limits (name=soft[:hard])"),
	REQUEST_STRING(user, 'u', "user", "string", "User name or UID (<name|uid>[:<group|gid>])"),
	REQUEST_STRING(userns_mode, 0, "userns", "string",
		       "User namespace: host, auto[:size=N], keep-id, container:ID, or ids "
		       "(CONTAINER:HOST:COUNT)",
		       .choices = "host auto keep-id"),
	REQUEST_STRING(uts_mode, 0, "uts", "string", "UTS namespace to use (host)",
		       .choices = "host"),
	REQUEST_LIST(volumes, 'v', "volume",
		     "Mount a directory or a volume (source:target[:options])",
		     .complete = COMPLETE_DIRECTORY),
	REQUEST_STRING(volume_driver, 0, "volume-driver", "string", "Driver of the volumes (local)",
		       .choices = "local"),
	REQUEST_LIST(volumes_from, 0, "volumes-from",
		     "Mount what the given container(s) mount (CONTAINER[:ro|rw])"),
	REQUEST_STRING(workdir, 'w', "workdir", "string", "Working directory inside the container"),
	OPT_INCLUDE(struct create_opts, refused, refused_options),
	OPT_END,
};

void create_opts_init(struct create_opts *opts)
{
	create_request_init(&opts->request);
	opts->request.init = settings_init();
}

void create_opts_release(struct create_opts *opts)
{
	create_request_release(&opts->request);
	strv_release(&opts->attach);
	strv_release(&opts->env);
	strv_release(&opts->env_files);
	strv_release(&opts->labels);
	strv_release(&opts->label_files);
}

/* ---- completing the request ---- */

static bool attach_names(const struct create_opts *opts, const char *stream)
{
	for (size_t i = 0; i < opts->attach.count; i++)
		if (strcasecmp(opts->attach.items[i], stream) == 0)
			return true;
	return false;
}

/* docker's rules: -a names the streams; without it output is attached, and input with -i. */
static void choose_streams(struct create_opts *opts, bool detach)
{
	struct create_request *request = &opts->request;
	bool named = opts->attach.count > 0;

	if (detach)
		return;
	request->attach_stdin = request->open_stdin && (!named || attach_names(opts, "stdin"));
	request->attach_stdout = !named || attach_names(opts, "stdout");
	request->attach_stderr = !named || attach_names(opts, "stderr");
	request->stdin_once = request->attach_stdin;
}

static int read_files(struct create_opts *opts, struct error *err)
{
	struct create_request *request = &opts->request;
	int r;

	for (size_t i = 0; i < opts->env_files.count; i++) {
		r = env_file_read(opts->env_files.items[i], environ, &request->env, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < opts->label_files.count; i++) {
		r = env_file_read(opts->label_files.items[i], NULL, &request->labels, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "-e KEY" of a variable that is not set here: the container has none either, whoever offers one. */
static void add_unset_names(const struct strv *args, struct strv *env)
{
	for (size_t i = 0; i < args->count; i++)
		if (!strchr(args->items[i], '=') && !getenv(args->items[i]))
			strv_add(env, args->items[i]);
}

int create_opts_finish(struct create_opts *opts, const struct strv *args, bool detach,
		       struct error *err)
{
	struct create_request *request = &opts->request;
	int r;

	request->image = args->items[0];
	for (size_t i = 1; i < args->count; i++)
		strv_add(&request->args, args->items[i]);
	request->entrypoint_set = request->entrypoint != NULL;
	choose_streams(opts, detach);

	r = read_files(opts, err);
	if (r < 0)
		return r;
	env_args_resolve(&opts->env, environ, &request->env);
	add_unset_names(&opts->env, &request->env);
	strv_add_all(&request->labels, &opts->labels);
	return 0;
}

/* ---- the file with the id ---- */

static int open_cidfile(const char *path, int *ret_fd, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_CONFLICT, 0,
			       "container ID file found, make sure the other container isn't "
			       "running or delete %s",
			       path);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create the container ID file '%s'", path);
	*ret_fd = fd;
	return 0;
}

int create_opts_create(struct create_opts *opts, struct engine *engine, FILE *progress,
		       struct create_result *ret_result, struct error *err)
{
	auto_(transfer_view_release) struct transfer_view view = TRANSFER_VIEW(progress);
	const char *cidfile = opts->request.cidfile;
	auto_close int fd = NO_FD;
	int r;

	if (cidfile) {
		r = open_cidfile(cidfile, &fd, err);
		if (r < 0)
			return r;
	}
	if (!opts->quiet_pull)
		opts->request.progress = transfer_view_progress(&view);
	r = container_create(engine, &opts->request, ret_result, err);
	if (r < 0) {
		if (cidfile)
			(void)unlink(cidfile);
		return r;
	}
	if (cidfile) {
		r = fd_write_all(fd, ret_result->id, strlen(ret_result->id));
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "write the container ID file '%s'",
				       cidfile);
	}
	return 0;
}
