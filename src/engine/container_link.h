/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_link.h - --link NAME[:ALIAS], docker's older way for one container to know another
 *
 * What it does depends on the network. In a network of the user's it is a name of the resolver, which only
 * the linking container gets an answer for (network/dns_answer.h); the other container need not exist yet.
 * On the predefined bridge, which has no resolver, the other container exists when the link is made and
 * runs when the linking one starts; that one gets lines in /etc/hosts and docker's variables of the
 * environment. Then the record of the container has "ID:ALIAS", so that a rename does no harm; a container
 * that was removed since is linked no longer. Its address stays the same as long as it exists, so nothing is to be
 * told when it starts again.
 */
#ifndef SKIFF_ENGINE_CONTAINER_LINK_H
#define SKIFF_ENGINE_CONTAINER_LINK_H

#include "base/error.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "network/ip.h"

struct container;

/* Also "/NAME:/PARENT/ALIAS", as inspect shows it. ERR_INVALID; both texts are the caller's. */
int container_link_parse(const char *text, char **ret_name, char **ret_alias, struct error *err);

/* For a network of the user's: each as "NAME:ALIAS", a full id as the short one that names have. */
int container_links_check(const struct strv *links, struct strv *ret_links, struct error *err);

/* For the predefined bridge: each as "ID:ALIAS". ERR_NOT_FOUND, ERR_INVALID, ERR_CONFLICT. */
int container_links_resolve(struct engine *engine, const struct strv *links, struct strv *ret_links,
			    struct error *err);

/* Before a start: the variables of all links. ERR_CONFLICT when one of the containers does not run. */
int container_links_environment(const struct container *container, struct strv *ret_env,
				struct error *err);

/* "ALIAS HOSTNAME NAME:ADDRESS" for /etc/hosts; what has no address on the bridge has no lines. */
int container_links_hosts(const struct container *container, struct strv *entries,
			  struct error *err);

/* "/NAME:/CONTAINER/ALIAS", as docker's inspect has them. */
void container_links_shown(const struct container *container, struct strv *ret_links);

/* ---- as text ---- */

struct link_facts {
	const char *parent, *alias;   /* "web", "database" */
	struct ip_address address;    /* of the linked container */
	const struct strv *ports;     /* "80/tcp" */
	const struct strv *child_env; /* KEY=VALUE */
};

/* DATABASE_PORT_80_TCP_ADDR=… and the others of docker's, appended to *ret_env. */
void link_environment(const struct link_facts *facts, struct strv *ret_env);

#endif
