/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.h - use cases of networks
 *
 * A network is a record; its link on the host is made when it is created and made again when a
 * container needs it (after a reboot). `selector` is a name, an id, or a unique beginning of an id.
 */
#ifndef SKIFF_ENGINE_NETWORK_H
#define SKIFF_ENGINE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"

/* Texts are as the user typed them. */
struct network_create_request {
	const char *name, *driver; /* driver NULL: bridge */
	struct strv subnets, gateways, ip_ranges;
	struct strv aux_addresses, options, labels; /* key=value */
	bool internal, attachable, ipv6;
	bool no_ipv4;
};

int network_create(struct engine *engine, const struct network_create_request *request,
		   char ret_id[65], struct error *err);

struct network_summary {
	char *id, *name, *driver;
	int64_t created_ns;
	bool internal, ipv4, ipv6;
	struct strv labels;
};

struct network_list {
	struct network_summary *items;
	size_t count;
};

/* Filters as docker's: driver, id, label, name, scope, type, dangling. */
int network_list(struct engine *engine, const struct strv *filters, struct network_list *ret_list,
		 struct error *err);
void network_list_release(struct network_list *list);

/* The object that docker's network inspect prints; a new reference. */
int network_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		    struct error *err);

/* ERR_CONFLICT while a container is in it, ERR_DENIED for a predefined one. */
int network_remove(struct engine *engine, const char *selector, struct error *err);

/* Removes those of the user's that no container is in; appends their names. */
int network_prune(struct engine *engine, const struct strv *filters, struct strv *ret_names,
		  struct error *err);

struct network_connect_request {
	const char *network, *container;
	const char *ip, *ip6;
	struct strv aliases, links, driver_options, link_local_ips;
	int64_t gateway_priority;
};

/* Of a running container at once; of another one when it is started. */
int network_connect(struct engine *engine, const struct network_connect_request *request,
		    struct error *err);
int network_disconnect(struct engine *engine, const char *network, const char *container,
		       bool force, struct error *err);

/* Makes all rules, and those of running containers, again; appends what was repaired. */
int network_reload(struct engine *engine, struct strv *ret_containers, struct error *err);

DEFINE_CLEANUP_VALUE(struct network_list, network_list_release);

#endif
