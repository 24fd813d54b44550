/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_config.h - a container's record as an OCI runtime configuration (config.json)
 *
 * A pure function of what is given, but for devices, which are looked up on the host: the same
 * record makes the same document. It follows docker's own choices: mounts, masked paths, device
 * rules, capability sets.
 */
#ifndef SKIFF_ENGINE_OCI_CONFIG_H
#define SKIFF_ENGINE_OCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/container_config.h"

#define OCI_VERSION "1.2.0"
#define OCI_PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct id_map;

struct oci_input {
	const struct container_config *config;
	const char *id;
	const char *root_path;       /* ROOT, for volumes */
	const char *files_path;      /* where hostname, hosts and resolv.conf lie, absolute */
	const struct strv *link_env; /* variables of --link, behind the record's; NULL: none */
	uint64_t capabilities;       /* bit n: capability n */
	/* Paths of namespaces to join; NULL: by the config's mode. */
	const char *network_ns, *pid_ns, *ipc_ns, *user_ns;
	const struct id_map *uids, *gids; /* of its user namespace; NULL: it has none */
	const char *shm_source;     /* /dev/shm of the container whose ipc namespace is joined */
	unsigned int throttle_cpus; /* CPUs with a thermal_throttle directory to hide */
	bool limit_swap;            /* a memory limit alone also limits swap to the same */
};

int oci_config_build(const struct oci_input *input, json_t **ret_config, struct error *err);

/* Adds the limits to an object that stands for OCI's linux.resources. limit_swap: as above. */
int oci_limits(const struct container_config *config, bool limit_swap, json_t *resources,
	       struct error *err);

/* The environment that the command gets: docker's own variables, then the record's. */
void oci_environment(const struct container_config *config, struct strv *ret_env);

/* What is hidden and what is made read-only: docker's lists and the user's; NULL: nothing. */
json_t *oci_masked_paths(const struct container_config *config, unsigned int throttle_cpus);
json_t *oci_readonly_paths(const struct container_config *config);

#endif
