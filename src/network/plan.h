/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - what the network of one container is made of
 *
 * The engine decides (which networks, which addresses, which ports) and writes the plan; the
 * container's monitor carries it out at the start and takes everything down at the end, and
 * whoever cleans up after a monitor that was killed reads the same plan. It travels as JSON: in
 * launch.json, and for a container that runs in STATE/containers/ID/network.json.
 */
#ifndef SKIFF_NETWORK_PLAN_H
#define SKIFF_NETWORK_PLAN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "network/ip.h"

#define NETWORK_ID_SIZE 65
#define NETWORK_NAME_SIZE 201

enum network_driver {
	NETWORK_DRIVER_BRIDGE,
	NETWORK_DRIVER_MACVLAN,
	NETWORK_DRIVER_IPVLAN,
	NETWORK_DRIVER_HOST,
	NETWORK_DRIVER_NONE,
};

#define NETWORK_DRIVER_COUNT 5

const char *network_driver_name(enum network_driver driver);
/* -EINVAL */
int network_driver_find(const char *name, enum network_driver *ret_driver);

/* The host's side of a network: one link, made when first needed. */
struct network_link {
	char id[NETWORK_ID_SIZE];        /* of the network */
	char network[NETWORK_NAME_SIZE]; /* its name, for events; "" is possible */
	enum network_driver driver;
	char name[IFNAMSIZ];                  /* of the bridge; of macvlan and ipvlan: the parent */
	struct ip_network gateway4, gateway6; /* the bridge's own addresses; family 0: none */
	uint32_t mtu;                         /* 0: the kernel's */
	uint16_t mode;                        /* MACVLAN_MODE_*, IPVLAN_MODE_* */
	bool internal;                        /* no way out of it */
	bool isolated;                        /* icc=false: containers do not see each other */
	bool masquerade4, masquerade6;        /* the host lends its address */
	bool on_demand;                       /* a bridge that goes with its last container */
};

/* One interface of a container. */
struct network_interface {
	struct network_link link;
	char name[IFNAMSIZ];      /* inside: "eth0" */
	char host_name[IFNAMSIZ]; /* of a veth's end on the host */
	uint8_t mac[6];
	struct ip_network address4, address6; /* family 0: none */
	struct ip_address route4, route6;     /* the default route's gateway; family 0: none */
	struct strv names; /* by which others in the network find it; the first is its own */
	struct strv more_addresses; /* "169.254.1.1/16", beside the network's */
	struct strv sysctls;        /* "ipv4/conf/log_martians=1", of this interface */
	struct strv links; /* "NAME:ALIAS": NAME of the network is ALIAS for this container */
};

/* Host ports that lead to as many container ports. */
struct network_port {
	int protocol;           /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	struct ip_address host; /* family 0: every address of both families */
	uint16_t host_port, container_port, count;
};

struct network_plan {
	struct network_interface *interfaces;
	size_t interface_count;
	struct network_port *ports;
	size_t port_count;
	struct ip_address port_target4, port_target6; /* where ports lead to; family 0: nowhere */
	struct strv
		resolvers; /* addresses that questions are forwarded to, in the host's namespace */
};

#define NETWORK_INTERFACES_MAX 64
#define NETWORK_PORTS_MAX 65536

/* Whether its names are for others to be asked for: then it has a resolver (network/dns_*.h). */
bool network_plan_has_names(const struct network_plan *plan);

void network_plan_release(struct network_plan *plan);
struct network_interface *network_plan_add_interface(struct network_plan *plan);
void network_plan_add_port(struct network_plan *plan, const struct network_port *port);

json_t *network_plan_format(const struct network_plan *plan);
/* ERR_INTERNAL when it was not written by network_plan_format(). */
int network_plan_parse(const json_t *object, struct network_plan *ret_plan, struct error *err);

const char *network_protocol_name(int protocol);
/* -EINVAL */
int network_protocol_find(const char *name, int *ret_protocol);

DEFINE_CLEANUP_VALUE(struct network_plan, network_plan_release);

#endif
