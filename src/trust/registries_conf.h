/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries_conf.h - which registry answers for a name (containers-registries.conf(5), version 2)
 *
 *	registries_conf_load(…)
 *	registries_conf_complete()   "alpine" -> "docker.io/library/alpine:latest", or several
 *	registries_conf_endpoints()  a full name -> whom to ask, in order: mirrors, then the location
 *
 * Read are, in this order: /etc/containers/registries.conf, or ~/.config/containers/registries.conf
 * in its place; drop-ins *.conf of /etc/containers/registries.conf.d and of the user's directory of
 * that name (of the latter only, when the user's main file was read), sorted, each overriding what
 * came before (by prefix, by alias); and the aliases that podman has recorded
 * (short-name-aliases.conf in the cache directory). $CONTAINERS_REGISTRIES_CONF names another main
 * file.
 *
 * Without these files, or where they are silent, docker's rules hold: a name without a registry is
 * docker.io's, and plain HTTP is spoken on loopback only.
 *
 * An image keeps the name by which it was asked for, whoever delivered it.
 */
#ifndef SKIFF_TRUST_REGISTRIES_CONF_H
#define SKIFF_TRUST_REGISTRIES_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/reference.h"

struct registries_conf;
struct trust_paths;

#define REGISTRIES_MAX 4096
#define REGISTRY_MAX_MIRRORS 64

int registries_conf_load(const struct trust_paths *paths, struct registries_conf **ret_conf,
			 struct error *err);
void registries_conf_free(struct registries_conf *conf);

/* Somebody to ask for an image. */
struct registry_endpoint {
	struct reference reference; /* at that registry: domain, path, tag or digest */
	bool insecure;              /* plain HTTP and unknown certificates will do */
	bool mirror;                /* else the location itself */
};

struct registry_endpoints {
	struct registry_endpoint *items;
	size_t count; /* at least 1 */
};

/*
 * Whom to ask for `reference`, in order. Credentials and certificates are those of each endpoint's
 * own domain. ERR_DENIED when the prefix is blocked.
 */
int registries_conf_endpoints(const struct registries_conf *conf, const struct reference *reference,
			      struct registry_endpoints *ret_endpoints, struct error *err);
void registry_endpoints_release(struct registry_endpoints *endpoints);

/*
 * Whether plain HTTP and unknown certificates will do for pushing to, or asking, a repository
 * ("host:5000/team/app") or a registry ("host:5000"): 1 when declared so or loopback, 0, or ERR_DENIED
 * when it is blocked. (Mirrors and rewrites are for pulling only.)
 */
int registries_conf_is_insecure(const struct registries_conf *conf, const char *repository,
				struct error *err);

/*
 * What a typed name may stand for, best first: normalized references, tag or digest included. One
 * when it names its registry or has an alias, else one for each unqualified-search-registries.
 * ERR_INVALID when it is no name, or when there are several, short-name-mode is "enforcing" and nobody
 * can be asked which is meant.
 */
int registries_conf_complete(const struct registries_conf *conf, const char *text, bool can_ask,
			     struct strv *ret_names, struct error *err);

/* Whether somebody who can be asked is to be asked which of several is meant. */
bool registries_conf_asks(const struct registries_conf *conf);

/* localhost, 127.0.0.0/8 or [::1], with or without a port. */
bool domain_is_loopback(const char *domain);

/* Registries that `search` asks for a term without one; borrowed, never NULL. */
const struct strv *registries_conf_search_list(const struct registries_conf *conf);

DEFINE_CLEANUP(struct registries_conf *, registries_conf_free);
DEFINE_CLEANUP_VALUE(struct registry_endpoints, registry_endpoints_release);

#endif
