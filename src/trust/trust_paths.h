/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust_paths.h - where the files are that say whom to ask and what to believe
 *
 * Two families of programs have left such files on people's machines, and both are read:
 *
 *	docker       ~/.docker/config.json (or $DOCKER_CONFIG/config.json), /etc/docker/certs.d
 *	containers/  auth.json below $XDG_RUNTIME_DIR, ~/.config/containers and /etc/containers
 *	image        with registries.conf, policy.json, registries.d, certs.d
 *
 * These files are the host's and trusted. They are read by `skiff` itself, never by a helper that
 * talks to a network, and only when a registry is about to be asked or an image about to be taken
 * in: no other command opens any of them, but that `create` and `run` read "proxies" in docker's.
 */
#ifndef SKIFF_TRUST_TRUST_PATHS_H
#define SKIFF_TRUST_TRUST_PATHS_H

#include "base/cleanup.h"

/* Absolute paths; NULL where there is none. */
struct trust_paths {
	char *home;         /* $HOME */
	char *config_home;  /* $XDG_CONFIG_HOME, else $HOME/.config */
	char *cache_home;   /* root: /var/cache; else $XDG_CACHE_HOME, else $HOME/.cache */
	char *runtime_auth; /* $XDG_RUNTIME_DIR/containers/auth.json, else /run/containers/UID/… */
	char *docker_config; /* $DOCKER_CONFIG, else $HOME/.docker: a directory */
	char *auth_file; /* $REGISTRY_AUTH_FILE: the one file of credentials, NULL when not set */
	char *registries_conf; /* $CONTAINERS_REGISTRIES_CONF: the main such file, NULL */
	char *etc;             /* "/etc" */
};

/* From the environment, once per command. What is not absolute there counts as not set. */
void trust_paths_init(struct trust_paths *ret_paths);
void trust_paths_release(struct trust_paths *paths);

/* docker's config.json alone, for whoever needs nothing else; NULL: nowhere. Caller frees. */
char *trust_docker_config_file(void);

DEFINE_CLEANUP_VALUE(struct trust_paths, trust_paths_release);

#endif
