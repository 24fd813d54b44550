/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.h - an OCI configuration as the stages of a start want it
 *
 * Parsed once from config.json (OCI runtime specification 1.2); every value is checked and bounded
 * here, so that the stages need not ask again. What we do not support is an error that names the
 * property, never ignored. Lists are in the document's order.
 */
#ifndef SKIFF_RUNTIME_SPEC_H
#define SKIFF_RUNTIME_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id_map.h"
#include "base/json.h"
#include "base/strv.h"
#include "sys/cgroup.h"

struct spec_mount {
	char *destination; /* absolute, as seen inside */
	char *type;        /* "bind", or a filesystem type */
	char *source;      /* NULL when absent */
	bool bind, bind_recursive;
	bool copy_up;                            /* a tmpfs that begins with what is below it */
	bool map_owners, map_owners_below;       /* idmap, ridmap */
	uint64_t attr_set, attr_clear;           /* MOUNT_ATTR_*, this mount only */
	uint64_t recursive_set, recursive_clear; /* rro, rnosuid, …: everything below too */
	uint64_t propagation;                    /* MS_PRIVATE, MS_SLAVE, MS_SHARED; 0: private */
	char *uid_map, *gid_map;                 /* as in /proc/PID/uid_map; both or none (NULL) */
	struct strv data;                        /* what the filesystem itself wants: "size=64m" */
};

/* A program that the document names, to be run at a point of a container's life. */
struct spec_hook {
	char *path; /* absolute */
	struct strv args, env;
	int timeout_s; /* 0: none */
};

enum spec_hook_point {
	SPEC_HOOK_PRESTART,
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER,
	SPEC_HOOK_START_CONTAINER,
	SPEC_HOOK_POSTSTART,
	SPEC_HOOK_POSTSTOP,
};

#define SPEC_HOOK_POINT_COUNT 6

struct spec_hooks {
	struct spec_hook *items;
	size_t count;
};

/* How the kernel treats the process: what stays over the exec. */
struct spec_tuning {
	bool has_scheduler;
	uint32_t policy; /* SCHED_* */
	uint64_t scheduler_flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
	bool has_io_priority;
	int io_priority; /* as ioprio_set(2) takes it */
	bool has_personality;
	unsigned long personality;
	char *apparmor_profile; /* NULL: unchanged */
};

/* An offset of a clock in the time namespace. */
struct spec_clock {
	bool is_set;
	int64_t seconds;
	uint32_t nanoseconds;
};

enum spec_namespace {
	SPEC_NS_PID,
	SPEC_NS_NETWORK,
	SPEC_NS_MOUNT,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_USER,
};

#define SPEC_NS_COUNT 8

enum spec_namespace_mode {
	SPEC_NS_HOST, /* the caller's: the document does not list it */
	SPEC_NS_NEW,
	SPEC_NS_JOIN, /* of an existing one, by path */
};

struct spec_device {
	char *path;
	char type; /* 'c', 'b', 'p' */
	uint32_t major, minor;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct spec_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
	const char *name; /* "RLIMIT_NOFILE", static */
};

struct spec_capabilities {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct spec {
	bool terminal;
	uint16_t console_rows, console_cols; /* 0: not said */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
	struct strv args, env;
	char *cwd;
	struct spec_capabilities capabilities;
	struct spec_rlimit *rlimits;
	size_t rlimit_count;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj;
	mode_t umask;
	struct spec_tuning tuning;

	char *root_path;
	bool root_readonly;
	uint64_t root_propagation; /* MS_*; 0: private */
	bool root_propagation_recursive;
	char *hostname, *domainname; /* NULL: unchanged */
	struct spec_mount *mounts;
	size_t mount_count;

	enum spec_namespace_mode namespaces[SPEC_NS_COUNT];
	char *namespace_paths[SPEC_NS_COUNT];
	struct spec_clock monotonic, boottime;
	struct id_map uids, gids; /* of the user namespace */
	struct spec_device *devices;
	size_t device_count;
	struct strv masked_paths, readonly_paths;
	struct strv sysctls; /* "net/ipv4/ip_forward=1": key with slashes */
	char *cgroups_path;  /* NULL: none is made */
	struct cgroup_limits limits;
	struct cgroup_device_rule *device_rules;
	struct cgroup_io_limit *io_limits;

	struct spec_hooks hooks[SPEC_HOOK_POINT_COUNT];
	json_t *annotations; /* NULL or an object of strings; owned */
};

int spec_parse(const json_t *config, struct spec *ret_spec, struct error *err);
void spec_release(struct spec *spec);

/* Only `limits`, of a document's linux.resources: what is to change of a container that runs. */
int spec_parse_limits(const json_t *resources, struct spec *ret_spec, struct error *err);

/* Reads BUNDLE/config.json and parses it. */
int spec_load(int bundle_fd, struct spec *ret_spec, struct error *err);

/* clone(2)'s flag of a namespace, its name below /proc/PID/ns, and its type in the document. */
uint64_t spec_namespace_flag(enum spec_namespace ns);
const char *spec_namespace_name(enum spec_namespace ns);

/* "createRuntime". */
const char *spec_hook_point_name(enum spec_hook_point point);

DEFINE_CLEANUP_VALUE(struct spec, spec_release);

#endif
