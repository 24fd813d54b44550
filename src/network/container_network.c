/* SPDX-License-Identifier: Apache-2.0 */
#include "network/container_network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "network/bridge.h"
#include "network/firewall.h"
#include "network/parent_link.h"
#include "network/sysctl.h"
#include "sys/link.h"

int container_network_namespace(pid_t pid, struct error *err)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open the container's network namespace")
		      : fd;
}

/* ---- sockets ---- */

struct sockets {
	int route, nft, inside; /* `inside`: NETLINK_ROUTE of the container's namespace */
};

#define SOCKETS_EMPTY ((struct sockets){.route = NO_FD, .nft = NO_FD, .inside = NO_FD})

static void sockets_close(struct sockets *s)
{
	cleanup_close_fd(&s->route);
	cleanup_close_fd(&s->nft);
	cleanup_close_fd(&s->inside);
}

DEFINE_CLEANUP_VALUE(struct sockets, sockets_close);

static int open_sockets(struct sockets *s, struct error *err)
{
	s->route = netlink_open(NETLINK_ROUTE);
	if (s->route < 0)
		return err_set(err, ERR_SYSTEM, -s->route, "open a socket for links");
	s->nft = netlink_open(NETLINK_NETFILTER);
	if (s->nft < 0)
		return err_set(err, ERR_UNAVAILABLE, -s->nft,
			       "this kernel has no packet filter to be used (%s); use --network "
			       "none or --network host",
			       errno_text(-s->nft));
	return 0;
}

static bool speaks_ipv6(const struct network_plan *plan)
{
	for (size_t i = 0; i < plan->interface_count; i++) {
		const struct network_interface *interface = &plan->interfaces[i];

		if (interface->address6.address.family)
			return true;
		for (size_t k = 0; k < interface->more_addresses.count; k++)
			if (strchr(interface->more_addresses.items[k], ':'))
				return true;
	}
	return false;
}

/*
 * In the container's namespace, before it has a link: what links made there begin with. Without an
 * IPv6 address nobody may give it one (CVE-2020-13401).
 */
static int prepare_inside(const struct network_plan *plan, struct sockets *s)
{
	bool ipv6 = speaks_ipv6(plan);
	int r;

	s->inside = netlink_open(NETLINK_ROUTE);
	if (s->inside < 0)
		return s->inside;
	r = sysctl_set_link("ipv6", "default", "disable_ipv6", ipv6 ? "0" : "1");
	if (r == 0 && ipv6)
		r = sysctl_set_link("ipv6", "default", "accept_ra", "0");
	return r == -ENOENT ? 0 : r;
}

/* The way back home; leave() takes it. */
static int enter(int netns_fd, struct error *err)
{
	auto_close int home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open our network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_set(err, ERR_SYSTEM, errno, "enter the container's network namespace");
	return TAKE_FD(home_fd);
}

/* Staying there would make everything that follows act on the wrong network. */
static void leave(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
}

static int enter_and_prepare(const struct network_plan *plan, int netns_fd, struct sockets *s,
			     struct error *err)
{
	auto_close int home_fd = enter(netns_fd, err);
	int r;

	if (home_fd < 0)
		return home_fd;
	r = prepare_inside(plan, s);
	leave(home_fd);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "prepare the container's network") : 0;
}

/* ---- links ---- */

static int fail_interface(const struct network_interface *interface, int error,
			  const struct netlink_failure *failure, struct error *err)
{
	if (failure->text[0])
		return err_set(err, ERR_SYSTEM, -error, "make interface '%s' on '%s' (%s)",
			       interface->name, interface->link.name, failure->text);
	return err_set(err, ERR_SYSTEM, -error, "make interface '%s' on '%s'", interface->name,
		       interface->link.name);
}

static void delete_host_end(const struct sockets *s, const struct network_interface *interface)
{
	int r = link_delete_promptly(s->route, interface->host_name, s->nft);

	if (r < 0 && r != -ENODEV)
		log_debug("network", "ignoring: remove link '%s': %s", interface->host_name,
			  errno_text(-r));
}

static int make_veth(const struct sockets *s, const struct network_interface *interface,
		     int netns_fd, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	struct link_veth veth = {
		.name = interface->host_name,
		.peer_name = interface->name,
		.mtu = interface->link.mtu,
		.peer_ns_fd = netns_fd,
		.peer_address = interface->mac,
	};
	/* Then a redirected packet may have to leave by the port on which it came in. */
	bool hairpin = sysctl_bridge_filters();
	int r;

	r = bridge_ensure(s->route, s->nft, &interface->link, &veth.master, err);
	if (r < 0)
		return r;
	for (int attempt = 0; attempt < 2; attempt++) {
		netlink_batch_clear(&batch);
		link_put_veth(&batch, &veth);
		if (hairpin || interface->link.isolated)
			link_put_bridge_port(&batch, veth.name, hairpin, interface->link.isolated);
		r = netlink_send(s->route, &batch, &failure);
		if (r != -EEXIST)
			break;
		/* Of an earlier run of this container, whose namespace the kernel still takes down. */
		delete_host_end(s, interface);
	}
	return r < 0 ? fail_interface(interface, r, &failure, err) : 0;
}

/* macvlan, ipvlan: born in the container's namespace, no end on the host. */
static int make_upper(const struct sockets *s, const struct network_interface *interface,
		      int netns_fd, struct error *err)
{
	bool is_macvlan = interface->link.driver == NETWORK_DRIVER_MACVLAN;
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	struct link_upper upper = {
		.kind = network_driver_name(interface->link.driver),
		.mode = interface->link.mode,
		.name = interface->name,
		.mtu = interface->link.mtu,
		.ns_fd = netns_fd,
		/* An ipvlan has its parent's. */
		.address = is_macvlan ? interface->mac : NULL,
	};
	int r;

	r = parent_link_ensure(s->route, &interface->link, &upper.lower, err);
	if (r < 0)
		return r;
	link_put_upper(&batch, &upper);
	r = netlink_send(s->route, &batch, &failure);
	if (r == -EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP, "this kernel has no %s links",
			       upper.kind);
	return r < 0 ? fail_interface(interface, r, &failure, err) : 0;
}

static void put_host_address(struct netlink_batch *batch, uint32_t index,
			     const struct ip_network *network)
{
	const struct link_address address = {
		.family = network->address.family,
		.address = network->address.bytes,
		.prefix_len = network->prefix_len,
	};

	if (network->address.family)
		link_put_address(batch, index, &address);
}

static void put_default_route(struct netlink_batch *batch, uint32_t index,
			      const struct ip_address *gateway)
{
	if (gateway->family)
		link_put_route(batch, index, NULL, gateway->family, gateway->bytes, 0);
}

static int put_more_addresses(struct netlink_batch *batch, uint32_t index,
			      const struct network_interface *interface)
{
	for (size_t i = 0; i < interface->more_addresses.count; i++) {
		struct ip_network network;

		if (ip_network_parse(interface->more_addresses.items[i], &network) < 0)
			return -EBADMSG;
		put_host_address(batch, index, &network);
	}
	return 0;
}

/* Before the link is up: what it does then may depend on them. */
static int set_sysctls(const struct network_interface *interface, int netns_fd, struct error *err)
{
	auto_close int home_fd = NO_FD;
	const char *failed = NULL;
	int r = 0;

	if (interface->sysctls.count == 0)
		return 0;
	home_fd = enter(netns_fd, err);
	if (home_fd < 0)
		return home_fd;
	for (size_t i = 0; i < interface->sysctls.count && r == 0; i++) {
		failed = interface->sysctls.items[i];
		r = sysctl_set_text(interface->name, failed);
	}
	leave(home_fd);
	return r < 0 ? err_set(err, ERR_INVALID, -r, "set %s of interface '%s': %s", failed,
			       interface->name, errno_text(-r))
		     : 0;
}

static int configure_inside(const struct sockets *s, const struct network_interface *interface,
			    struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure = {0};
	struct link_info info;
	int r;

	r = link_find(s->inside, interface->name, 0, &info);
	if (r < 0)
		return fail_interface(interface, r, &failure, err);
	put_host_address(&batch, info.index, &interface->address4);
	put_host_address(&batch, info.index, &interface->address6);
	r = put_more_addresses(&batch, info.index, interface);
	if (r < 0)
		return fail_interface(interface, r, &failure, err);
	link_put_up(&batch, info.index);
	put_default_route(&batch, info.index, &interface->route4);
	put_default_route(&batch, info.index, &interface->route6);
	r = netlink_send(s->inside, &batch, &failure);
	return r < 0 ? fail_interface(interface, r, &failure, err) : 0;
}

/* Those with an end on the host go with it; the others are removed inside. */
static int remove_interface(const struct sockets *s, const struct network_interface *interface,
			    struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	link_put_delete_name(&batch, interface->name);
	r = netlink_send(s->inside, &batch, &failure);
	return r < 0 && r != -ENODEV ? fail_interface(interface, r, &failure, err) : 0;
}

static int make_interface(const struct sockets *s, const struct network_interface *interface,
			  int netns_fd, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	int r;

	if (interface->link.driver == NETWORK_DRIVER_BRIDGE)
		r = make_veth(s, interface, netns_fd, err);
	else
		r = make_upper(s, interface, netns_fd, err);
	if (r < 0)
		return r;
	r = set_sysctls(interface, netns_fd, err);
	if (r == 0)
		r = configure_inside(s, interface, err);
	/* A running container goes on without it. */
	if (r < 0)
		(void)remove_interface(s, interface, &ignored);
	return r;
}

static void delete_interfaces(const struct sockets *s, const struct network_plan *plan)
{
	for (size_t i = 0; i < plan->interface_count; i++)
		if (plan->interfaces[i].host_name[0])
			delete_host_end(s, &plan->interfaces[i]);
}

static const struct network_interface *find_interface(const struct network_plan *plan,
						      const char *name)
{
	for (size_t i = 0; i < plan->interface_count; i++)
		if (strcmp(plan->interfaces[i].name, name) == 0)
			return &plan->interfaces[i];
	return NULL;
}

/* ---- bridges that go with their last container ---- */

/* NO_FD when the plan has none of them: then there is nothing to be held. */
static int hold_bridges(const struct network_plan *plan, int state_fd, int *ret_fd,
			struct error *err)
{
	*ret_fd = NO_FD;
	for (size_t i = 0; i < plan->interface_count; i++) {
		if (!plan->interfaces[i].link.on_demand)
			continue;
		*ret_fd = bridge_hold(state_fd, err);
		return *ret_fd < 0 ? *ret_fd : 0;
	}
	return 0;
}

/* Of the interfaces that are not in `kept` (NULL: all). */
static int remove_unused_bridges(const struct sockets *s, const struct network_plan *plan,
				 const struct network_plan *kept, int state_fd, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < plan->interface_count && r == 0; i++) {
		const struct network_interface *interface = &plan->interfaces[i];

		if (interface->link.on_demand && (!kept || !find_interface(kept, interface->name)))
			r = bridge_remove_unused(s->route, s->nft, state_fd, &interface->link, err);
	}
	return r;
}

/* ---- a container's network ---- */

static int make_interfaces(const struct network_plan *plan, int state_fd, int netns_fd,
			   const struct sockets *s, struct error *err)
{
	auto_close int hold_fd = NO_FD;
	int r;

	r = hold_bridges(plan, state_fd, &hold_fd, err);
	for (size_t i = 0; i < plan->interface_count && r == 0; i++)
		r = make_interface(s, &plan->interfaces[i], netns_fd, err);
	return r;
}

int container_network_attach(const struct network_plan *plan, int state_fd, int netns_fd,
			     struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	auto_(sockets_close) struct sockets s = SOCKETS_EMPTY;
	int r;

	log_debug("network", "attach");
	r = open_sockets(&s, err);
	if (r == 0)
		r = enter_and_prepare(plan, netns_fd, &s, err);
	if (r < 0)
		return r;
	r = make_interfaces(plan, state_fd, netns_fd, &s, err);
	if (r == 0)
		r = firewall_publish(s.nft, plan, err);
	if (r < 0) {
		delete_interfaces(&s, plan);
		(void)remove_unused_bridges(&s, plan, NULL, state_fd, &ignored);
	}
	log_debug("network", "attached");
	return r;
}

static int set_default_routes(const struct sockets *s, const struct network_plan *plan,
			      struct error *err)
{
	for (size_t i = 0; i < plan->interface_count; i++) {
		const struct network_interface *interface = &plan->interfaces[i];
		auto_(netlink_batch_release) struct netlink_batch batch = {0};
		struct netlink_failure failure = {0};
		struct link_info info;
		int r;

		if (!interface->route4.family && !interface->route6.family)
			continue;
		r = link_find(s->inside, interface->name, 0, &info);
		if (r == 0) {
			put_default_route(&batch, info.index, &interface->route4);
			put_default_route(&batch, info.index, &interface->route6);
			r = netlink_send(s->inside, &batch, &failure);
		}
		if (r < 0)
			return fail_interface(interface, r, &failure, err);
	}
	return 0;
}

static int replace_interfaces(const struct network_plan *before, const struct network_plan *after,
			      int state_fd, int netns_fd, const struct sockets *s,
			      struct error *err)
{
	auto_close int hold_fd = NO_FD;
	int r;

	r = hold_bridges(after, state_fd, &hold_fd, err);
	for (size_t i = 0; i < before->interface_count && r == 0; i++)
		if (!find_interface(after, before->interfaces[i].name))
			r = remove_interface(s, &before->interfaces[i], err);
	for (size_t i = 0; i < after->interface_count && r == 0; i++)
		if (!find_interface(before, after->interfaces[i].name))
			r = make_interface(s, &after->interfaces[i], netns_fd, err);
	return r;
}

int container_network_change(const struct network_plan *before, const struct network_plan *after,
			     int state_fd, int netns_fd, struct error *err)
{
	auto_(sockets_close) struct sockets s = SOCKETS_EMPTY;
	int r;

	r = open_sockets(&s, err);
	if (r == 0)
		r = enter_and_prepare(after, netns_fd, &s, err);
	if (r == 0)
		r = replace_interfaces(before, after, state_fd, netns_fd, &s, err);
	if (r == 0)
		r = set_default_routes(&s, after, err);
	return r < 0 ? r : remove_unused_bridges(&s, before, after, state_fd, err);
}

int container_network_repair(const struct network_plan *plan, struct error *err)
{
	auto_(sockets_close) struct sockets s = SOCKETS_EMPTY;
	uint32_t index;
	int r;

	r = open_sockets(&s, err);
	for (size_t i = 0; i < plan->interface_count && r == 0; i++) {
		if (plan->interfaces[i].link.driver != NETWORK_DRIVER_BRIDGE)
			continue;
		r = bridge_ensure(s.route, s.nft, &plan->interfaces[i].link, &index, err);
		if (r == 0)
			r = firewall_add_bridge(s.nft, &plan->interfaces[i].link, err);
	}
	return r < 0 ? r : firewall_publish(s.nft, plan, err);
}

int container_network_unpublish(const struct network_plan *plan, struct error *err)
{
	auto_(sockets_close) struct sockets s = SOCKETS_EMPTY;
	int r = open_sockets(&s, err);

	return r < 0 ? r : firewall_unpublish(s.nft, plan, err);
}

int container_network_publish(const struct network_plan *plan, struct error *err)
{
	auto_(sockets_close) struct sockets s = SOCKETS_EMPTY;
	int r = open_sockets(&s, err);

	return r < 0 ? r : firewall_publish(s.nft, plan, err);
}

/* Ports first: nothing may be sent to an address that is about to be somebody else's. */
int container_network_detach(const struct network_plan *plan, int state_fd, struct error *err)
{
	auto_(sockets_close) struct sockets s = SOCKETS_EMPTY;
	int r;

	log_debug("network", "detach");
	r = open_sockets(&s, err);
	if (r < 0)
		return r;
	r = firewall_unpublish(s.nft, plan, err);
	delete_interfaces(&s, plan);
	if (r == 0)
		r = remove_unused_bridges(&s, plan, NULL, state_fd, err);
	log_debug("network", "detached");
	return r;
}
