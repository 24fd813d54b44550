/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - network links, addresses and routes (rtnetlink(7)), as messages of a batch
 *
 * Links are named by index wherever the kernel lets us: an index cannot be renamed. Addresses are of
 * either family, in network order. Functions that put into a batch cannot fail; those that ask
 * return 0 or a negative errno.
 */
#ifndef SKIFF_SYS_LINK_H
#define SKIFF_SYS_LINK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/netlink.h"

#define LINK_ADDRESS_LEN 6
#define LINK_ALIAS_MAX 256 /* IFALIASZ */

/* What GETLINK tells. */
struct link_info {
	uint32_t index, master, mtu;
	uint32_t peer; /* IFLA_LINK: of a veth, macvlan, ipvlan */
	bool is_up;
	uint8_t address[LINK_ADDRESS_LEN];
	char name[IFNAMSIZ];
	char alias[LINK_ALIAS_MAX];
	char kind[16]; /* "bridge", "veth", …; "" for hardware */
};

/* By name, or by index when name is NULL. -ENODEV when there is none. */
int link_find(int sock, const char *name, uint32_t index, struct link_info *ret_info);

/* Called with each link (and each address, below). */
typedef int link_each_fn(const struct link_info *info, void *context);
int link_each(int sock, link_each_fn *each, void *context);

/* Whether a bridge has ports: 1, 0. Costs the same however many; the socket must be of no more use. */
int link_has_ports(int sock, uint32_t bridge);

/* Reads one RTM_NEWLINK; -EBADMSG when it is none. For link_find() and its fuzzer. */
int link_parse(const struct nlmsghdr *answer, struct link_info *ret_info);

/* A new bridge, down. -EEXIST when the name is taken. */
void link_put_bridge(struct netlink_batch *batch, const char *name,
		     const uint8_t address[LINK_ADDRESS_LEN], uint32_t mtu);

/*
 * Two ends of one wire. The near one is up; the far one is born in another namespace and down: it is made
 * before there is a near one, without which it cannot come up (veth_open()).
 */
struct link_veth {
	const char *name, *peer_name;
	uint32_t master; /* of the near end; 0: none */
	uint32_t mtu;    /* 0: the kernel's */
	int peer_ns_fd;
	const uint8_t *peer_address; /* NULL: the kernel's choice */
};
void link_put_veth(struct netlink_batch *batch, const struct link_veth *veth);

/* A link on top of another one, born in the namespace at ns_fd. */
struct link_upper {
	const char *kind; /* "macvlan", "ipvlan" */
	uint16_t mode;    /* MACVLAN_MODE_* (of which only one bit is used), IPVLAN_MODE_* */
	const char *name;
	uint32_t lower, mtu;
	int ns_fd;
	const uint8_t *address;
};
void link_put_upper(struct netlink_batch *batch, const struct link_upper *upper);

/* 802.1Q on top of another link ("eth0.20"), as parents of macvlan and ipvlan are written. */
void link_put_vlan(struct netlink_batch *batch, const char *name, uint32_t lower, uint16_t id);

void link_put_up(struct netlink_batch *batch, uint32_t index);
void link_put_delete(struct netlink_batch *batch, uint32_t index);
void link_put_delete_name(struct netlink_batch *batch, const char *name);
/*
 * Removes a link and returns when nobody can see it any more; the
 * kernel's waiting is left to a child (netlink_post(), which says what kept_fd is). -ENODEV when it is not
 * there.
 */
int link_delete_promptly(int sock, const char *name, int kept_fd);
void link_put_alias(struct netlink_batch *batch, uint32_t index, const char *alias);
void link_put_rename(struct netlink_batch *batch, uint32_t index, const char *name);

/*
 * Of a bridge's port: frames may leave by the port they came in; no frames to other isolated ports. By
 * name, so that it can follow link_put_veth() in one batch.
 */
void link_put_bridge_port(struct netlink_batch *batch, const char *name, bool hairpin,
			  bool isolated);

/* IPv4: packets of 127.0.0.0/8 may come and go here. */
void link_put_route_localnet(struct netlink_batch *batch, uint32_t index);

/* IPv6: no address of its own making. */
void link_put_no_autoconf(struct netlink_batch *batch, uint32_t index);

struct link_address {
	int family;          /* AF_INET, AF_INET6 */
	const void *address; /* 4 or 16 bytes */
	uint8_t prefix_len;
};

/* Usable at once: duplicates are not looked for, we gave the address away ourselves. */
void link_put_address(struct netlink_batch *batch, uint32_t index,
		      const struct link_address *address);

/* The default route when `to` is NULL; on the link itself when `gateway` is NULL. */
void link_put_route(struct netlink_batch *batch, uint32_t index, const struct link_address *to,
		    int family, const void *gateway, uint32_t metric);
void link_put_route_delete(struct netlink_batch *batch, uint32_t index, int family,
			   const void *gateway, uint32_t metric);

/* A network that this namespace knows the way to: routes of all tables, and addresses. */
struct link_route {
	int family;
	uint8_t address[16];
	uint8_t prefix_len;
	uint32_t index;
	bool is_default;
	uint32_t metric;
	uint8_t gateway[16];
	bool has_gateway;
};
typedef int link_route_fn(const struct link_route *route, void *context);
int link_each_route(int sock, int family, link_route_fn *each, void *context);

/*
 * How this namespace would reach an address: 1 by a route of its own for it or for a network that it is in,
 * 0 by a default route or not at all.
 */
int link_knows_address(int sock, int family, const void *address);

/* For its fuzzer. -EBADMSG; 1 when it is a route that does not matter here. */
int link_route_parse(const struct nlmsghdr *answer, struct link_route *ret_route);

struct link_local_address {
	int family;
	uint8_t address[16];
	uint8_t prefix_len, scope;
	uint32_t index;
};
typedef int link_local_fn(const struct link_local_address *address, void *context);
int link_each_address(int sock, int family, link_local_fn *each, void *context);

#endif
