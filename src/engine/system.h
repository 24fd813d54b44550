/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system.h - facts about this engine and this machine, for `info` and `version`
 *
 * Every field is asked of its source when the function is called: the store, the kernel, the
 * cgroup hierarchies. Nothing is remembered.
 */
#ifndef SKIFF_ENGINE_SYSTEM_H
#define SKIFF_ENGINE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"

struct system_info {
	uint64_t containers, running, paused, stopped, images;
	struct strv settings;         /* "key = value (FILE:LINE)" of the configuration files */
	char *root_path, *state_path; /* --root and --state */
	char *storage_driver;         /* "overlay" */
	char *root_filesystem;        /* below the store: "extfs", "xfs", "btrfs", … or "0x…" */
	char *cgroup_version;         /* "1", "2", "hybrid", "none" */
	struct strv controllers;      /* limits that can be set: "memory", "pids", … */
	struct strv warnings;         /* "no swap limit support", … one line each */
	struct strv security_options; /* "seccomp (default profile)" */
	char *default_network;        /* of containers without --network */
	struct strv networks;         /* values of --network that work */
	struct strv log_drivers;
	char *host_name, *kernel_version, *operating_system, *architecture;
	uint32_t cpus;
	uint64_t memory_bytes;
	char *version; /* of skiff */
};

int system_info(struct engine *engine, struct system_info *ret_info, struct error *err);
void system_info_release(struct system_info *info);

struct system_version {
	const char *version;                           /* of skiff */
	const char *os;                                /* "linux" */
	char *architecture;                            /* owned; as Go names it, "amd64" */
	char *kernel_version;                          /* owned */
	const char *oci_runtime_spec, *oci_image_spec; /* versions that we write */
	const char *compiler;
	char *sqlite_version, *seccomp_version; /* owned; of the libraries linked */
};

/* Needs no privileges and no store. */
void system_version(struct system_version *ret_version);
void system_version_release(struct system_version *version);

DEFINE_CLEANUP_VALUE(struct system_info, system_info_release);
DEFINE_CLEANUP_VALUE(struct system_version, system_version_release);

#endif
