/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_config.h - the record of what `network create` was told, and of what was chosen for it
 *
 * Flat JSON objects in the database, every text checked before it is stored. The predefined network
 * "bridge" begins with none of it: network_prepare() chooses its link and its subnet when it is first
 * used.
 */
#ifndef SKIFF_ENGINE_NETWORK_CONFIG_H
#define SKIFF_ENGINE_NETWORK_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "network/plan.h"
#include "storage/network_record.h"

/* docker's names of a bridge's options. */
#define NETWORK_OPTION_NAME "com.docker.network.bridge.name"
#define NETWORK_OPTION_ICC "com.docker.network.bridge.enable_icc"
#define NETWORK_OPTION_MASQUERADE "com.docker.network.bridge.enable_ip_masquerade"
#define NETWORK_OPTION_MTU "com.docker.network.driver.mtu"
#define NETWORK_OPTION_PARENT "parent"
#define NETWORK_OPTION_MACVLAN_MODE "macvlan_mode"
#define NETWORK_OPTION_IPVLAN_MODE "ipvlan_mode"

struct network_config {
	struct strv labels, options; /* key=value */
	char *link;                  /* the bridge, or the parent of macvlan and ipvlan */
	char *subnet4, *gateway4, *range4;
	char *subnet6, *gateway6, *range6; /* NULL: no such family */
	struct strv aux4, aux6;            /* name=address: not given out */
	bool internal, ipv6, no_ipv4, attachable;
};

char *network_config_format(const struct network_config *config);
/* ERR_INTERNAL when it was not written by network_config_format(). */
int network_config_parse(const char *text, struct network_config *ret_config, struct error *err);
void network_config_release(struct network_config *config);

/* Value of an option, NULL when it is not set. */
const char *network_config_option(const struct network_config *config, const char *key);

/* The subnet of a family with its gateway; false when the network has none. */
struct network_subnet {
	struct ip_network subnet,
		range; /* range: what is given out from; the subnet itself without one */
	struct ip_address gateway; /* family 0: none */
};
bool network_config_subnet(const struct network_config *config, int family,
			   struct network_subnet *ret_subnet);

/* What the network is on the host. */
void network_config_link(const struct network_record *record, const struct network_config *config,
			 struct network_link *ret_link);

/* ---- a container in a network ---- */

struct endpoint_config {
	int64_t position; /* 0: the container's first network */
	char *mac;        /* NULL: derived from the address */
	char *ip, *ip6;   /* asked for with --ip, --ip6 */
	struct strv aliases, links, driver_options;
	struct strv link_local_ips;
	char *host_link; /* of a veth's end on the host */
	char *interface; /* inside */
	int64_t gateway_priority;
};

char *endpoint_config_format(const struct endpoint_config *config);
int endpoint_config_parse(const char *text, struct endpoint_config *ret_config, struct error *err);
void endpoint_config_release(struct endpoint_config *config);

DEFINE_CLEANUP_VALUE(struct network_config, network_config_release);
DEFINE_CLEANUP_VALUE(struct endpoint_config, endpoint_config_release);

#endif
