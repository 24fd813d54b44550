/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_config.h - the record of what create was told
 *
 * Written once, by create, as JSON into the database; read by everything that comes later. The
 * image's defaults are already merged in and every text was checked, so a start needs no image and
 * no judgement: it turns this into config.json and launch.json, the same bytes every time unless
 * the host changed.
 *
 * The JSON object is flat, with "mounts" as its only list of objects, and leaves out what has its
 * empty value. "version" is CONTAINER_CONFIG_VERSION.
 */
#ifndef SKIFF_ENGINE_CONTAINER_CONFIG_H
#define SKIFF_ENGINE_CONTAINER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/block_io.h"
#include "engine/mount_spec.h"

#define CONTAINER_CONFIG_VERSION 1
#define CONTAINER_STOP_TIMEOUT_S 10
#define CONTAINER_SHM_BYTES ((int64_t)64 << 20)

struct container_config {
	struct strv labels; /* key=value; first in the JSON, see container_config_labels() */

	/* the process */
	struct strv entrypoint, cmd; /* what runs is one after the other */
	struct strv env;             /* whole: image, defaults, request */
	char *user, *workdir;        /* NULL: root, "/" */
	char *hostname;              /* NULL: the host's (--uts host) */
	char *domainname;            /* NULL: none */
	bool tty, open_stdin, stdin_once;
	bool attach_stdin, attach_stdout, attach_stderr;
	char *stop_signal; /* NULL: SIGTERM */
	bool stop_timeout_set;
	int64_t stop_timeout_s;
	bool init, auto_remove;
	char *healthcheck;        /* docker's Healthcheck as JSON text; NULL: none */
	struct strv health_shell; /* of the image, for its CMD-SHELL; empty: /bin/sh -c */
	char *health_on_failure;  /* NULL: none */
	char *restart;            /* runtime/restart_policy.h; NULL: no */

	/* the root and what is mounted into it */
	struct strv layers; /* chain ids, bottom first */
	bool read_only;
	struct mount_list mounts;
	int64_t shm_bytes;                        /* 0: CONTAINER_SHM_BYTES */
	struct strv image_volumes, exposed_ports; /* of the image, for inspect */
	struct strv secrets;                      /* --secret, checked texts */
	struct strv binds, tmpfs;                 /* -v and --tmpfs as typed, for inspect */
	struct strv volumes_from;                 /* the same of --volumes-from */
	char *volume_driver;                      /* and of --volume-driver; NULL: none */

	/* what it may do */
	struct strv cap_add, cap_drop, group_add; /* capabilities as CAP_X or ALL */
	struct strv security_opt;
	char *seccomp_profile; /* text of a profile; NULL: the default one */
	bool seccomp_unconfined, no_new_privileges, systempaths_unconfined, privileged;
	struct strv devices, ulimits, sysctls; /* checked texts */
	struct strv device_cgroup_rules;
	struct strv cdi_devices;              /* "vendor.com/class=name", of --device and --gpus */
	struct strv mask_paths, unmask_paths; /* --security-opt mask= and unmask= */

	/* namespaces: NULL is the default, a private one */
	char *network_mode; /* "none", "host", "container:ID", or the first network's name */
	char *pid_mode, *ipc_mode, *uts_mode, *cgroupns_mode;
	char *userns_mode; /* as it was asked for; engine/userns_option.h */
	char *uid_map,
		*gid_map; /* base/id_map.h; with "auto" what is laid over the range given out */
	char *cgroup_parent;
	struct strv annotations; /* key=value; for config.json, nothing acts on them */
	struct strv add_hosts;   /* "name:address" */
	struct strv dns, dns_search, dns_options;
	struct strv links;   /* "ID:ALIAS", on the predefined bridge (engine/container_link.h) */
	struct strv publish; /* -p (network/port_spec.h) */
	bool publish_all;

	/* limits; 0 is unset */
	int64_t memory_bytes, memory_swap_bytes, memory_reservation_bytes;
	int64_t nano_cpus, cpu_shares, cpu_period_us, cpu_quota_us;
	int64_t cpu_rt_runtime_us, cpu_rt_period_us;
	int64_t pids_limit; /* -1: unlimited */
	char *cpuset_cpus, *cpuset_mems;
	bool memory_swappiness_set, oom_kill_disable;
	int64_t memory_swappiness, oom_score_adj;
	int64_t blkio_weight;
	struct strv block_io[BLOCK_IO_KIND_COUNT]; /* "PATH:VALUE" */

	char *log_driver; /* NULL: json-file */
	struct strv log_opts;
	char *cidfile; /* for inspect */
};

/* JSON text for the record; caller frees. */
char *container_config_format(const struct container_config *config);

/* ERR_INTERNAL when it was not written by container_config_format(). */
int container_config_parse(const char *text, struct container_config *ret_config,
			   struct error *err);

/* Only the labels, of a text by container_config_format(): `ps` reads a thousand of these. */
void container_config_labels(const char *text, struct strv *ret_labels);

void container_config_release(struct container_config *config);

DEFINE_CLEANUP_VALUE(struct container_config, container_config_release);

#endif
