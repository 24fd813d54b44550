/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/alloc.h"

static size_t address_len(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

static void begin_link(struct netlink_batch *batch, uint16_t type, uint16_t flags, uint32_t index,
		       bool up)
{
	const struct ifinfomsg header = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)index,
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = up ? IFF_UP : 0,
	};

	netlink_begin(batch, type, flags, &header, sizeof(header));
}

/* How often, and how long between, it is looked whether a link is gone: about a second in all. */
#define GONE_TRIES 10000
#define GONE_PAUSE_NS 50000

/* ---- making and changing ---- */

static void put_kind(struct netlink_batch *batch, const char *kind)
{
	netlink_put(batch, IFLA_INFO_KIND, kind, strlen(kind));
}

/* Inside AF_INET6 of IFLA_AF_SPEC: no link-local address, for a link that speaks IPv4 only. */
static void put_no_autoconf(struct netlink_batch *batch)
{
	size_t spec = netlink_nest(batch, IFLA_AF_SPEC);
	size_t inet6 = netlink_nest(batch, AF_INET6);

	netlink_put_u8(batch, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	netlink_nest_end(batch, inet6);
	netlink_nest_end(batch, spec);
}

void link_put_bridge(struct netlink_batch *batch, const char *name,
		     const uint8_t address[LINK_ADDRESS_LEN], uint32_t mtu)
{
	size_t info;

	begin_link(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, /* up= */ false);
	netlink_put_text(batch, IFLA_IFNAME, name);
	netlink_put(batch, IFLA_ADDRESS, address, LINK_ADDRESS_LEN);
	if (mtu)
		netlink_put_u32(batch, IFLA_MTU, mtu);
	info = netlink_nest(batch, IFLA_LINKINFO);
	put_kind(batch, "bridge");
	netlink_nest_end(batch, info);
}

static void put_peer(struct netlink_batch *batch, const struct link_veth *veth)
{
	const struct ifinfomsg header = {0};
	size_t peer = netlink_nest(batch, VETH_INFO_PEER);

	netlink_put_raw(batch, &header, sizeof(header));
	netlink_put_text(batch, IFLA_IFNAME, veth->peer_name);
	netlink_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)veth->peer_ns_fd);
	if (veth->peer_address)
		netlink_put(batch, IFLA_ADDRESS, veth->peer_address, LINK_ADDRESS_LEN);
	if (veth->mtu)
		netlink_put_u32(batch, IFLA_MTU, veth->mtu);
	netlink_nest_end(batch, peer);
}

void link_put_veth(struct netlink_batch *batch, const struct link_veth *veth)
{
	size_t info, data;

	begin_link(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, /* up= */ true);
	netlink_put_text(batch, IFLA_IFNAME, veth->name);
	if (veth->mtu)
		netlink_put_u32(batch, IFLA_MTU, veth->mtu);
	if (veth->master)
		netlink_put_u32(batch, IFLA_MASTER, veth->master);
	info = netlink_nest(batch, IFLA_LINKINFO);
	put_kind(batch, "veth");
	data = netlink_nest(batch, IFLA_INFO_DATA);
	put_peer(batch, veth);
	netlink_nest_end(batch, data);
	netlink_nest_end(batch, info);
}

void link_put_upper(struct netlink_batch *batch, const struct link_upper *upper)
{
	bool is_macvlan = strcmp(upper->kind, "macvlan") == 0;
	size_t info, data;

	begin_link(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, /* up= */ false);
	netlink_put_text(batch, IFLA_IFNAME, upper->name);
	netlink_put_u32(batch, IFLA_LINK, upper->lower);
	netlink_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)upper->ns_fd);
	if (upper->mtu)
		netlink_put_u32(batch, IFLA_MTU, upper->mtu);
	if (upper->address)
		netlink_put(batch, IFLA_ADDRESS, upper->address, LINK_ADDRESS_LEN);
	info = netlink_nest(batch, IFLA_LINKINFO);
	put_kind(batch, upper->kind);
	data = netlink_nest(batch, IFLA_INFO_DATA);
	if (is_macvlan)
		netlink_put_u32(batch, IFLA_MACVLAN_MODE, upper->mode);
	else
		netlink_put_u16(batch, IFLA_IPVLAN_MODE, upper->mode);
	netlink_nest_end(batch, data);
	netlink_nest_end(batch, info);
}

void link_put_vlan(struct netlink_batch *batch, const char *name, uint32_t lower, uint16_t id)
{
	size_t info, data;

	begin_link(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, /* up= */ true);
	netlink_put_text(batch, IFLA_IFNAME, name);
	netlink_put_u32(batch, IFLA_LINK, lower);
	info = netlink_nest(batch, IFLA_LINKINFO);
	put_kind(batch, "vlan");
	data = netlink_nest(batch, IFLA_INFO_DATA);
	netlink_put_u16(batch, IFLA_VLAN_ID, id);
	netlink_nest_end(batch, data);
	netlink_nest_end(batch, info);
}

void link_put_up(struct netlink_batch *batch, uint32_t index)
{
	begin_link(batch, RTM_NEWLINK, 0, index, /* up= */ true);
}

void link_put_delete(struct netlink_batch *batch, uint32_t index)
{
	begin_link(batch, RTM_DELLINK, 0, index, /* up= */ false);
}

void link_put_delete_name(struct netlink_batch *batch, const char *name)
{
	begin_link(batch, RTM_DELLINK, 0, 0, /* up= */ false);
	netlink_put_text(batch, IFLA_IFNAME, name);
}

void link_put_alias(struct netlink_batch *batch, uint32_t index, const char *alias)
{
	begin_link(batch, RTM_NEWLINK, 0, index, /* up= */ false);
	netlink_put_text(batch, IFLA_IFALIAS, alias);
}

void link_put_rename(struct netlink_batch *batch, uint32_t index, const char *name)
{
	begin_link(batch, RTM_NEWLINK, 0, index, /* up= */ false);
	netlink_put_text(batch, IFLA_IFNAME, name);
}

void link_put_bridge_port(struct netlink_batch *batch, const char *name, bool hairpin,
			  bool isolated)
{
	size_t info, data;

	begin_link(batch, RTM_NEWLINK, 0, 0, /* up= */ false);
	netlink_put_text(batch, IFLA_IFNAME, name);
	info = netlink_nest(batch, IFLA_LINKINFO);
	netlink_put(batch, IFLA_INFO_SLAVE_KIND, "bridge", strlen("bridge"));
	data = netlink_nest(batch, IFLA_INFO_SLAVE_DATA);
	if (hairpin)
		netlink_put_u8(batch, IFLA_BRPORT_MODE, 1);
	if (isolated)
		netlink_put_u8(batch, IFLA_BRPORT_ISOLATED, 1);
	netlink_nest_end(batch, data);
	netlink_nest_end(batch, info);
}

void link_put_route_localnet(struct netlink_batch *batch, uint32_t index)
{
	size_t spec, inet, conf;

	begin_link(batch, RTM_SETLINK, 0, index, /* up= */ false);
	spec = netlink_nest(batch, IFLA_AF_SPEC);
	inet = netlink_nest(batch, AF_INET);
	conf = netlink_nest(batch, IFLA_INET_CONF);
	netlink_put_u32(batch, IPV4_DEVCONF_ROUTE_LOCALNET, 1);
	netlink_nest_end(batch, conf);
	netlink_nest_end(batch, inet);
	netlink_nest_end(batch, spec);
}

void link_put_no_autoconf(struct netlink_batch *batch, uint32_t index)
{
	begin_link(batch, RTM_SETLINK, 0, index, /* up= */ false);
	put_no_autoconf(batch);
}

void link_put_address(struct netlink_batch *batch, uint32_t index,
		      const struct link_address *address)
{
	const struct ifaddrmsg header = {
		.ifa_family = (uint8_t)address->family,
		.ifa_prefixlen = address->prefix_len,
		.ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = index,
	};
	size_t len = address_len(address->family);

	netlink_begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
	netlink_put(batch, IFA_LOCAL, address->address, len);
	netlink_put(batch, IFA_ADDRESS, address->address, len);
	if (address->family == AF_INET && address->prefix_len < 31) {
		uint32_t mask = address->prefix_len ? htonl(~0U << (32 - address->prefix_len)) : 0;
		uint32_t broadcast;

		memcpy(&broadcast, address->address, sizeof(broadcast));
		broadcast |= ~mask;
		netlink_put(batch, IFA_BROADCAST, &broadcast, sizeof(broadcast));
	}
}

static void begin_route(struct netlink_batch *batch, uint16_t type, uint16_t flags, int family,
			uint8_t prefix_len, bool has_gateway)
{
	const struct rtmsg header = {
		.rtm_family = (uint8_t)family,
		.rtm_dst_len = prefix_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = has_gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};

	netlink_begin(batch, type, flags, &header, sizeof(header));
}

void link_put_route(struct netlink_batch *batch, uint32_t index, const struct link_address *to,
		    int family, const void *gateway, uint32_t metric)
{
	begin_route(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, family,
		    to ? to->prefix_len : 0, gateway != NULL);
	if (to)
		netlink_put(batch, RTA_DST, to->address, address_len(family));
	if (gateway)
		netlink_put(batch, RTA_GATEWAY, gateway, address_len(family));
	netlink_put_u32(batch, RTA_OIF, index);
	if (metric)
		netlink_put_u32(batch, RTA_PRIORITY, metric);
}

void link_put_route_delete(struct netlink_batch *batch, uint32_t index, int family,
			   const void *gateway, uint32_t metric)
{
	begin_route(batch, RTM_DELROUTE, 0, family, 0, gateway != NULL);
	if (gateway)
		netlink_put(batch, RTA_GATEWAY, gateway, address_len(family));
	netlink_put_u32(batch, RTA_OIF, index);
	if (metric)
		netlink_put_u32(batch, RTA_PRIORITY, metric);
}

/* ---- asking ---- */

static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strnlen(from, size - 1) : 0;

	if (len)
		memcpy(to, from, len);
	to[len] = '\0';
}

int link_parse(const struct nlmsghdr *answer, struct link_info *ret_info)
{
	const struct ifinfomsg *header = NLMSG_DATA(answer);
	const struct nlattr *found[IFLA_MAX + 1], *kind[IFLA_INFO_MAX + 1];
	const void *address;

	if (answer->nlmsg_type != RTM_NEWLINK ||
	    netlink_attributes(answer, sizeof(*header), found, ARRAY_SIZE(found)) < 0 ||
	    netlink_nested(found[IFLA_LINKINFO], kind, ARRAY_SIZE(kind)) < 0)
		return -EBADMSG;
	*ret_info = (struct link_info){
		.index = (uint32_t)header->ifi_index,
		.is_up = header->ifi_flags & IFF_UP,
		.master = netlink_get_u32(found[IFLA_MASTER]),
		.mtu = netlink_get_u32(found[IFLA_MTU]),
		.peer = netlink_get_u32(found[IFLA_LINK]),
	};
	copy_text(ret_info->name, sizeof(ret_info->name), netlink_get_text(found[IFLA_IFNAME]));
	copy_text(ret_info->alias, sizeof(ret_info->alias), netlink_get_text(found[IFLA_IFALIAS]));
	copy_text(ret_info->kind, sizeof(ret_info->kind), netlink_get_text(kind[IFLA_INFO_KIND]));
	address = netlink_get(found[IFLA_ADDRESS], LINK_ADDRESS_LEN);
	if (address)
		memcpy(ret_info->address, address, LINK_ADDRESS_LEN);
	return 0;
}

struct link_query {
	struct link_info *one;
	link_each_fn *each;
	void *context;
	bool found;
};

static int take_link(const struct nlmsghdr *answer, void *context)
{
	struct link_query *query = context;
	struct link_info info;
	int r;

	r = link_parse(answer, &info);
	if (r < 0)
		return r;
	query->found = true;
	if (query->each)
		return query->each(&info, query->context);
	*query->one = info;
	return 0;
}

int link_find(int sock, const char *name, uint32_t index, struct link_info *ret_info)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct link_query query = {.one = ret_info};
	int r;

	begin_link(&batch, RTM_GETLINK, 0, name ? 0 : index, /* up= */ false);
	if (name)
		netlink_put_text(&batch, IFLA_IFNAME, name);
	r = netlink_ask(sock, &batch, take_link, &query);
	if (r < 0)
		return r;
	return query.found ? 0 : -ENODEV;
}

int link_each(int sock, link_each_fn *each, void *context)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct link_query query = {.each = each, .context = context};

	begin_link(&batch, RTM_GETLINK, NLM_F_DUMP, 0, /* up= */ false);
	return netlink_ask(sock, &batch, take_link, &query);
}

/* Unlike a request by netlink this takes no lock: removing a bridge holds that for a grace period. */
static bool is_seen(int sock, const char *name, uint32_t index)
{
	struct ifreq request = {0};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(sock, SIOCGIFINDEX, &request) == 0 && (uint32_t)request.ifr_ifindex == index;
}

int link_delete_promptly(int sock, const char *name, int kept_fd)
{
	const struct timespec pause = {.tv_nsec = GONE_PAUSE_NS};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct link_info info;
	int r;

	r = link_find(sock, name, 0, &info);
	if (r < 0)
		return r;
	link_put_delete(&batch, info.index);
	r = netlink_post(NETLINK_ROUTE, &batch, kept_fd);
	if (r < 0)
		return netlink_send(sock, &batch, NULL);
	for (int i = 0; i < GONE_TRIES; i++) {
		if (!is_seen(sock, name, info.index))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

static int stop_at_first(const struct link_info *info, void *context)
{
	(void)info;
	(void)context;
	return 1;
}

int link_has_ports(int sock, uint32_t bridge)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct link_query query = {.each = stop_at_first};

	begin_link(&batch, RTM_GETLINK, NLM_F_DUMP, 0, /* up= */ false);
	netlink_put_u32(&batch, IFLA_MASTER, bridge);
	return netlink_ask(sock, &batch, take_link, &query);
}

static void copy_address(uint8_t to[16], const struct nlattr *attribute, int family)
{
	const void *address = netlink_get(attribute, address_len(family));

	memset(to, 0, 16);
	if (address)
		memcpy(to, address, address_len(family));
}

int link_route_parse(const struct nlmsghdr *answer, struct link_route *ret_route)
{
	const struct rtmsg *header = NLMSG_DATA(answer);
	const struct nlattr *found[RTA_MAX + 1];

	if (answer->nlmsg_type != RTM_NEWROUTE ||
	    netlink_attributes(answer, sizeof(*header), found, ARRAY_SIZE(found)) < 0)
		return -EBADMSG;
	if ((header->rtm_family != AF_INET && header->rtm_family != AF_INET6) ||
	    header->rtm_type != RTN_UNICAST ||
	    header->rtm_dst_len > 8 * address_len(header->rtm_family))
		return 1;
	*ret_route = (struct link_route){
		.family = header->rtm_family,
		.prefix_len = header->rtm_dst_len,
		.index = netlink_get_u32(found[RTA_OIF]),
		.is_default = header->rtm_dst_len == 0,
		.metric = netlink_get_u32(found[RTA_PRIORITY]),
		.has_gateway = found[RTA_GATEWAY] != NULL,
	};
	copy_address(ret_route->address, found[RTA_DST], header->rtm_family);
	copy_address(ret_route->gateway, found[RTA_GATEWAY], header->rtm_family);
	return 0;
}

struct route_query {
	link_route_fn *each;
	link_local_fn *each_address;
	void *context;
};

static int take_route(const struct nlmsghdr *answer, void *context)
{
	struct route_query *query = context;
	struct link_route route;
	int r;

	r = link_route_parse(answer, &route);
	if (r != 0)
		return r < 0 ? r : 0;
	return query->each(&route, query->context);
}

int link_each_route(int sock, int family, link_route_fn *each, void *context)
{
	const struct rtmsg header = {.rtm_family = (uint8_t)family};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct route_query query = {.each = each, .context = context};

	netlink_begin(&batch, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	return netlink_ask(sock, &batch, take_route, &query);
}

static int take_way(const struct nlmsghdr *answer, void *context)
{
	const struct rtmsg *header = NLMSG_DATA(answer);
	bool *knows = context;

	if (answer->nlmsg_type != RTM_NEWROUTE || answer->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return -EBADMSG;
	*knows = header->rtm_dst_len > 0;
	return 0;
}

int link_knows_address(int sock, int family, const void *address)
{
	const struct rtmsg header = {
		.rtm_family = (uint8_t)family,
		.rtm_dst_len = (uint8_t)(8 * address_len(family)),
		.rtm_flags = RTM_F_FIB_MATCH, /* the route, not what follows from it; Linux 4.13 */
	};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	bool knows = false;
	int r;

	netlink_begin(&batch, RTM_GETROUTE, 0, &header, sizeof(header));
	netlink_put(&batch, RTA_DST, address, address_len(family));
	r = netlink_ask(sock, &batch, take_way, &knows);
	if (r == -ENETUNREACH || r == -EHOSTUNREACH)
		return 0;
	return r < 0 ? r : knows;
}

static int take_address(const struct nlmsghdr *answer, void *context)
{
	const struct ifaddrmsg *header = NLMSG_DATA(answer);
	struct route_query *query = context;
	const struct nlattr *found[IFA_MAX + 1];
	struct link_local_address address;

	if (answer->nlmsg_type != RTM_NEWADDR ||
	    netlink_attributes(answer, sizeof(*header), found, ARRAY_SIZE(found)) < 0)
		return -EBADMSG;
	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return 0;
	address = (struct link_local_address){
		.family = header->ifa_family,
		.prefix_len = header->ifa_prefixlen,
		.scope = header->ifa_scope,
		.index = header->ifa_index,
	};
	copy_address(address.address, found[IFA_LOCAL] ? found[IFA_LOCAL] : found[IFA_ADDRESS],
		     header->ifa_family);
	return query->each_address(&address, query->context);
}

int link_each_address(int sock, int family, link_local_fn *each, void *context)
{
	const struct ifaddrmsg header = {.ifa_family = (uint8_t)family};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct route_query query = {.each_address = each, .context = context};

	netlink_begin(&batch, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	return netlink_ask(sock, &batch, take_address, &query);
}
