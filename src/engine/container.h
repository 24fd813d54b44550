/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - use cases of containers
 *
 * `selector` is a name, an id, or any unique part of the beginning of an id. Errors have docker's
 * words where users know them ("No such container: X").
 */
#ifndef SKIFF_ENGINE_CONTAINER_H
#define SKIFF_ENGINE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/limit_request.h"

/* ---- create and run ---- */

/* Texts are as the user typed them; the engine parses and checks them. NULL or empty: default. */
struct image_progress;

struct create_request {
	const char *image;                     /* reference, id, or transport:path */
	const char *pull, *platform;           /* --pull; --platform */
	const struct image_progress *progress; /* of a pull; NULL: none */
	struct strv args;                      /* command and arguments after IMAGE */
	const char *name, *hostname, *user, *workdir, *entrypoint;
	bool entrypoint_set;       /* --entrypoint "" clears the image's */
	struct strv env;           /* KEY=value; a bare KEY hides what others have for it */
	struct strv labels;        /* key=value */
	struct strv volumes;       /* -v */
	struct strv mounts;        /* --mount */
	struct strv tmpfs;         /* --tmpfs /path[:options] */
	struct strv volumes_from;  /* CONTAINER[:ro|rw] */
	const char *volume_driver; /* "local", or NULL for the same */
	struct strv cap_add, cap_drop, security_opt, group_add;
	struct strv devices, ulimits, sysctls; /* as docker writes them */
	struct strv device_cgroup_rules;       /* "c 1:3 rwm" */
	struct strv annotations;               /* key=value */
	struct strv storage_opts, secrets;
	const char *domainname, *userns_mode, *runtime;
	struct strv uid_maps, gid_maps;        /* --uidmap, --gidmap */
	const char *subuid_name, *subgid_name; /* --subuidname, --subgidname */
	struct strv gpus;
	struct strv add_hosts, dns, dns_search, dns_options;
	struct strv networks; /* --network; empty: the default one */
	const char *ip, *ip6, *mac_address;
	struct strv network_aliases, links, link_local_ips;
	struct strv publish, expose; /* -p, --expose */
	bool publish_all;
	const char *pid_mode, *ipc_mode, *uts_mode, *cgroupns_mode, *cgroup_parent;
	struct limit_request limits;
	int64_t oom_score_adj;
	const char *shm_size;
	const char *stop_signal;
	const char *health_cmd, *health_interval, *health_timeout, *health_start_period;
	const char *health_start_interval, *health_on_failure;
	int64_t health_retries; /* 0: unset */
	bool no_healthcheck;
	const char *restart;    /* no, always, unless-stopped, on-failure[:n] */
	int64_t stop_timeout_s; /* -1: default (10) */
	const char *log_driver;
	struct strv log_opts;
	const char *cidfile;
	bool tty, open_stdin, stdin_once, read_only, init, privileged, auto_remove;
	bool oom_kill_disable;
	bool attach_stdin, attach_stdout, attach_stderr; /* recorded for inspect */
};

void create_request_init(struct create_request *request);
void create_request_release(struct create_request *request);

struct create_result {
	char id[65];
	struct strv warnings;
};

void create_result_release(struct create_result *result);

int container_create(struct engine *engine, const struct create_request *request,
		     struct create_result *ret_result, struct error *err);

struct exec_agent;
struct monitor_link;
struct monitor_link_options;

/*
 * Starts a created or stopped container. `link` was spawned by the caller as early as possible
 * (monitor_link_spawn()); on success it is the attach connection. ERR_CONFLICT when it runs
 * already.
 */
int container_start(struct engine *engine, const char *selector, struct monitor_link *link,
		    const struct monitor_link_options *options, struct error *err);

/* Connects to a running container, for attach and start -a. */
int container_attach(struct engine *engine, const char *selector,
		     const struct monitor_link_options *options, struct monitor_link *ret_link,
		     struct error *err);

/* ---- looking ---- */

enum container_status {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_ORPHANED, /* runs, but its monitor is gone: output and exit code are lost */
	CONTAINER_EXITED,
	CONTAINER_DEAD, /* was started, and nobody wrote down how it ended (crash, reboot) */
};

/* The numbers are those of enum health_status (runtime/health_check.h). */
enum container_health {
	CONTAINER_HEALTH_NONE,
	CONTAINER_HEALTH_STARTING,
	CONTAINER_HEALTH_HEALTHY,
	CONTAINER_HEALTH_UNHEALTHY,
};

/* Namespaces of a container's first process; the texts are in container_namespaces.c. */
enum container_namespace {
	CONTAINER_NS_CGROUP,
	CONTAINER_NS_IPC,
	CONTAINER_NS_MNT,
	CONTAINER_NS_NET,
	CONTAINER_NS_PID,
	CONTAINER_NS_USER,
	CONTAINER_NS_UTS,
};

#define CONTAINER_NS_COUNT 7

struct container_summary {
	char *id, *name, *image, *command;
	int64_t created_ns, started_ns, finished_ns;
	enum container_status status;
	enum container_health health; /* NONE also when it does not run */
	int exit_code;
	struct strv labels;
	struct strv mounts, networks; /* with `details`; names of volumes, sources of the others */
	size_t local_volumes;         /* the same */
	uint64_t written_bytes, root_bytes; /* with `sizes`; see container_size.h */
	char *ports; /* "0.0.0.0:8080->80/tcp, 443/tcp" while it runs; NULL: none */
	pid_t pid;   /* with `namespaces`, while it runs; else 0 */
	uint64_t namespaces[CONTAINER_NS_COUNT]; /* the same; inode numbers, 0: not known */
};

struct container_list {
	struct container_summary *items;
	size_t count;
};

struct list_request {
	bool all;
	bool details, sizes, namespaces; /* fills what costs more than the others */
	struct strv filters;             /* key=value, see container_filter.c */
	int64_t last;                    /* -n; -1: no limit */
};

int container_list(struct engine *engine, const struct list_request *request,
		   struct container_list *ret_list, struct error *err);
void container_list_release(struct container_list *list);

/* A port of a running container and where it can be reached. */
struct port_binding {
	char *inside;  /* "80/tcp" */
	char *outside; /* "0.0.0.0:8080", "[::]:8080" */
};

struct port_bindings {
	struct port_binding *items;
	size_t count;
};

/* All published ports, or only those of `port` ("80", "80/udp"; NULL: all): ERR_NOT_FOUND for none. */
int container_ports(struct engine *engine, const char *selector, const char *port,
		    struct port_bindings *ret_bindings, struct error *err);
void port_bindings_release(struct port_bindings *bindings);

/* The object that docker's inspect prints for a container; a new reference. */
int container_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		      struct error *err);

struct top_row {
	pid_t pid_inside, pid, ppid_inside; /* innermost pid namespace; host; innermost */
	char *user, *started, *tty, *time, *command;
};

struct top_list {
	struct top_row *items;
	size_t count;
};

int container_top(struct engine *engine, const char *selector, struct top_list *ret_list,
		  struct error *err);
void top_list_release(struct top_list *list);

struct logs_request {
	bool follow, timestamps, details;
	int64_t tail;               /* -1: all */
	int64_t since_ns, until_ns; /* 0: unbounded */
	int stdout_fd, stderr_fd;
	const char *prefix; /* before each line; NULL: nothing */
};

int container_logs(struct engine *engine, const char *selector, const struct logs_request *request,
		   struct error *err);

/* ---- changing ---- */

/* Changes the record, and what of it limits a container that runs at once; all of it or nothing. */
int container_update(struct engine *engine, const char *selector,
		     const struct limit_request *limits, struct error *err);

/* Checks the health of a running container now and waits for the result. */
int container_healthcheck(struct engine *engine, const char *selector, bool *ret_healthy,
			  struct error *err);

/*
 * Publishes ports and takes others back, at once when it runs. `add` is as -p; an entry of `remove` names a
 * container's port, and only if it says so one at that address and port of the host.
 */
int container_update_ports(struct engine *engine, const char *selector, const struct strv *add,
			   const struct strv *remove, struct error *err);

/* update --restart; heard at once by the monitor of a container that runs. */
int container_update_restart(struct engine *engine, const char *selector, const char *policy,
			     struct error *err);

/* ---- ending ---- */

/* timeout_s: -1 the container's own; signal NULL: the container's own. Returns when it is gone. */
int container_stop(struct engine *engine, const char *selector, const char *signal,
		   int64_t timeout_s, struct error *err);
/* For a shutdown of the machine: not by hand, so that a boot brings it back. */
int container_shut_down(struct engine *engine, const char *selector, int64_t timeout_s,
			struct error *err);
/* Stops it as container_stop() and starts it; one with --rm is not removed. `link` was just spawned. */
int container_restart(struct engine *engine, const char *selector, const char *signal,
		      int64_t timeout_s, struct monitor_link *link, struct error *err);
int container_kill(struct engine *engine, const char *selector, const char *signal,
		   struct error *err);
int container_pause(struct engine *engine, const char *selector, bool pause, struct error *err);
int container_wait(struct engine *engine, const char *selector, int *ret_exit_code,
		   struct error *err);
/*
 * Until any of the conditions is true: docker's not-running (also without any), next-exit, removed, and
 * podman's states (running, paused, exited, …, healthy, unhealthy). The exit code is that of the last
 * run, 0 when there was none.
 */
int container_wait_for(struct engine *engine, const char *selector, const struct strv *conditions,
		       int *ret_exit_code, struct error *err);
int container_wait_check(const char *condition, struct error *err);
int container_rename(struct engine *engine, const char *selector, const char *name,
		     struct error *err);

struct remove_request {
	bool force, volumes;
};

int container_remove(struct engine *engine, const char *selector,
		     const struct remove_request *request, struct error *err);

/*
 * Begins the removal of a container that has ended while its monitor still takes its cgroup down: what
 * it wrote goes now, container_remove() does the rest. `id` is whole. Failing costs only time.
 */
void container_discard_writes(struct engine *engine, const char *id);

struct prune_result {
	struct strv ids;
	uint64_t bytes;
};

/*
 * Stopped containers for which the filters hold (engine/prune_filter.h; NULL: all), and whatever
 * earlier crashes left in the store, /run and the cgroups.
 */
int container_prune(struct engine *engine, const struct strv *filters,
		    struct prune_result *ret_result, struct error *err);
void prune_result_release(struct prune_result *result);

/* The full id of a selector. */
int container_resolve(struct engine *engine, const char *selector, char ret_id[65],
		      struct error *err);

/* ---- exec ---- */

struct exec_options {
	struct strv args, env;
	const char *user, *workdir;
	bool tty, open_stdin, detach, privileged, as_child;
	bool chroot_only; /* --enter=chroot */
	const char *detach_keys;
};

/*
 * Starts the process that will enter the container, which loads while the engine is opened. Freed by the
 * caller, whether it was used or not.
 */
int exec_begin(struct exec_agent **ret_agent, struct error *err);
void exec_end(struct exec_agent *agent);

/* Runs it with our own standard streams; *ret_exit_code is the command's. */
int container_exec(struct engine *engine, struct exec_agent *agent, const char *selector,
		   const struct exec_options *options, int *ret_exit_code, struct error *err);

DEFINE_CLEANUP(struct exec_agent *, exec_end);
DEFINE_CLEANUP_VALUE(struct create_request, create_request_release);
DEFINE_CLEANUP_VALUE(struct create_result, create_result_release);
DEFINE_CLEANUP_VALUE(struct container_list, container_list_release);
DEFINE_CLEANUP_VALUE(struct port_bindings, port_bindings_release);
DEFINE_CLEANUP_VALUE(struct top_list, top_list_release);
DEFINE_CLEANUP_VALUE(struct prune_result, prune_result_release);

#endif
