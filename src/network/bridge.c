/* SPDX-License-Identifier: Apache-2.0 */
#include "network/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hex.h"
#include "base/lock.h"
#include "base/log.h"
#include "network/firewall.h"
#include "network/sysctl.h"
#include "sys/link.h"

#define LOCK_TRIES 50
#define LOCK_PAUSE_NS 1000000

static int fail_link(const struct network_link *link, int error,
		     const struct netlink_failure *failure, struct error *err)
{
	if (error == -EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
			       "this kernel cannot make bridges; use --network none or --network "
			       "host");
	if (error == -EPERM)
		return err_set(err, ERR_DENIED, EPERM,
			       "make bridge '%s': not permitted here; use --network none or "
			       "--network host",
			       link->name);
	if (failure->text[0])
		return err_set(err, ERR_SYSTEM, -error, "make bridge '%s' (%s)", link->name,
			       failure->text);
	return err_set(err, ERR_SYSTEM, -error, "make bridge '%s'", link->name);
}

/* Locally administered, five bytes of the id. */
static void bridge_address(const struct network_link *link, uint8_t ret_address[LINK_ADDRESS_LEN])
{
	ret_address[0] = 0x0e;
	memset(ret_address + 1, 0, LINK_ADDRESS_LEN - 1);
	for (size_t i = 0; i < LINK_ADDRESS_LEN - 1; i++)
		(void)hex_byte(link->id + 2 * i, &ret_address[1 + i]);
}

bool bridge_is_ours(const struct network_link *link, const struct link_info *info)
{
	uint8_t address[LINK_ADDRESS_LEN];

	bridge_address(link, address);
	return strcmp(info->kind, "bridge") == 0 &&
	       memcmp(info->address, address, sizeof(address)) == 0;
}

static int check_ours(const struct network_link *link, const struct link_info *info,
		      struct error *err)
{
	if (bridge_is_ours(link, info))
		return 0;
	return err_set(err, ERR_CONFLICT, EEXIST,
		       "the link '%s' of this host is not the bridge of this network%s", link->name,
		       link->on_demand ? "; start again, and it will get another one" : "");
}

static int make_link(int route_sock, const struct network_link *link, struct link_info *ret_info,
		     struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	uint8_t address[LINK_ADDRESS_LEN];
	int r;

	bridge_address(link, address);
	link_put_bridge(&batch, link->name, address, link->mtu);
	r = netlink_send(route_sock, &batch, &failure);
	/* Made by somebody else at the same moment: it is looked at like any other. */
	if (r < 0 && r != -EEXIST)
		return fail_link(link, r, &failure, err);
	r = link_find(route_sock, link->name, 0, ret_info);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "find bridge '%s'", link->name);
	return check_ours(link, ret_info, err);
}

static void put_gateway(struct netlink_batch *batch, uint32_t index,
			const struct ip_network *gateway)
{
	const struct link_address address = {
		.family = gateway->address.family,
		.address = gateway->address.bytes,
		.prefix_len = gateway->prefix_len,
	};

	if (gateway->address.family)
		link_put_address(batch, index, &address);
}

/* Neighbours of forwarded packets are asked for from it (ndisc_send_ns()); docker has the same. */
static void put_link_local(struct netlink_batch *batch, uint32_t index)
{
	static const struct ip_network link_local = {
		{AF_INET6, {0xfe, 0x80, [15] = 1}},
		64,
	};

	put_gateway(batch, index, &link_local);
}

/* Everything but up. */
static int set_up_link(int route_sock, const struct network_link *link, uint32_t index,
		       struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	r = sysctl_set_link("ipv6", link->name, "accept_ra", "0");
	if (r < 0 && r != -ENOENT)
		return err_set(err, ERR_SYSTEM, -r, "set accept_ra of bridge '%s'", link->name);
	if (link->gateway6.address.family) {
		/* Where IPv6 is off for new links. */
		(void)sysctl_set_link("ipv6", link->name, "disable_ipv6", "0");
	}
	link_put_alias(&batch, index, link->id);
	link_put_no_autoconf(&batch, index);
	link_put_route_localnet(&batch, index);
	put_gateway(&batch, index, &link->gateway4);
	put_gateway(&batch, index, &link->gateway6);
	if (link->gateway6.address.family)
		put_link_local(&batch, index);
	r = netlink_send(route_sock, &batch, &failure);
	if (r == -EAFNOSUPPORT && !link->gateway6.address.family)
		r = 0; /* a kernel without IPv6 needs not be told to keep quiet */
	return r < 0 ? fail_link(link, r, &failure, err) : 0;
}

static int bring_up(int route_sock, const struct network_link *link, uint32_t index,
		    struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	link_put_up(&batch, index);
	r = netlink_send(route_sock, &batch, &failure);
	return r < 0 ? fail_link(link, r, &failure, err) : 0;
}

/* Packets must be allowed to pass through the host; it stays so, as docker leaves it. */
static int allow_forwarding(const struct network_link *link, struct error *err)
{
	int r = 0;

	if (link->internal)
		return 0;
	if (link->gateway4.address.family)
		r = sysctl_forward4();
	if (r == 0 && link->gateway6.address.family)
		r = sysctl_forward6();
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "let packets pass through this host") : 0;
}

/* The predefined bridge may have been made before the configuration asked for IPv6. */
static bool lacks_ipv6(int route_sock, const struct network_link *link)
{
	return link->on_demand && link->gateway6.address.family &&
	       link_knows_address(route_sock, AF_INET6, link->gateway6.address.bytes) == 0;
}

int bridge_ensure(int route_sock, int nft_sock, const struct network_link *link,
		  uint32_t *ret_index, struct error *err)
{
	struct link_info info;
	bool missing, new_rules, is_ready;
	int r;

	r = firewall_prepare(nft_sock, err);
	if (r < 0)
		return r;
	new_rules = r > 0;
	r = link_find(route_sock, link->name, 0, &info);
	missing = r == -ENODEV;
	if (missing)
		r = make_link(route_sock, link, &info, err);
	else if (r < 0)
		r = err_set(err, ERR_SYSTEM, -r, "find bridge '%s'", link->name);
	else
		r = check_ours(link, &info, err);
	if (r < 0)
		return r;
	is_ready = info.is_up && !lacks_ipv6(route_sock, link);
	if (new_rules || !is_ready) {
		r = firewall_add_bridge(nft_sock, link, err);
		if (r < 0)
			return r;
	}
	if (!is_ready) {
		log_debug("network", "set up bridge %s", link->name);
		r = allow_forwarding(link, err);
		if (r == 0)
			r = set_up_link(route_sock, link, info.index, err);
		if (r == 0)
			r = bring_up(route_sock, link, info.index, err);
		if (r < 0)
			return r;
	}
	*ret_index = info.index;
	return 0;
}

int bridge_remove(int route_sock, int nft_sock, const struct network_link *link, struct error *err)
{
	struct link_info info;
	int r;

	r = link_find(route_sock, link->name, 0, &info);
	if (r < 0 && r != -ENODEV)
		return err_set(err, ERR_SYSTEM, -r, "find bridge '%s'", link->name);
	if (r == 0) {
		r = check_ours(link, &info, err);
		if (r < 0)
			return r;
		r = link_delete_promptly(route_sock, link->name, nft_sock);
		if (r < 0 && r != -ENODEV)
			return err_set(err, ERR_SYSTEM, -r, "remove bridge '%s'", link->name);
	}
	return firewall_remove_bridge(nft_sock, link, err);
}

/* ---- bridges that go with their last port ---- */

static int open_bridges(int state_fd, struct error *err)
{
	static const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(state_fd, "networks", flags);

	if (fd < 0 && errno == ENOENT &&
	    (mkdirat(state_fd, "networks", 0700) == 0 || errno == EEXIST))
		fd = openat(state_fd, "networks", flags);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open the directory of networks") : fd;
}

int bridge_hold(int state_fd, struct error *err)
{
	auto_close int fd = open_bridges(state_fd, err);
	int r;

	if (fd < 0)
		return fd;
	r = lock_fd_shared(fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock the directory of networks");
	return TAKE_FD(fd);
}

/* 1, 0; a bridge that is not there has none. In a socket of its own, as a dump is left half-way. */
static int has_ports(int route_sock, const struct network_link *link, struct error *err)
{
	auto_close int sock = NO_FD;
	struct link_info info;
	int r;

	r = link_find(route_sock, link->name, 0, &info);
	if (r == -ENODEV || (r == 0 && !bridge_is_ours(link, &info)))
		return 0;
	if (r == 0)
		r = sock = netlink_open(NETLINK_ROUTE);
	if (r >= 0)
		r = link_has_ports(sock, info.index);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "look for the ports of a bridge") : r;
}

/* 1; 0 when others have held them for so long that they must be many who start. */
static int lock_bridges(int fd, struct error *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	int r = -EWOULDBLOCK;

	for (int i = 0; i < LOCK_TRIES; i++) {
		r = lock_fd(fd, /* wait= */ false);
		if (r != -EWOULDBLOCK)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (r == 0 || r == -EWOULDBLOCK)
		return r == 0;
	return err_set(err, ERR_SYSTEM, -r, "lock the directory of networks");
}

/*
 * Looked at twice: without the lock, so that nobody waits for those who start while there are others; and with
 * it. Of two whose ports go at the same moment the second one finds none.
 */
int bridge_remove_unused(int route_sock, int nft_sock, int state_fd,
			 const struct network_link *link, struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	r = has_ports(route_sock, link, err);
	if (r != 0)
		return r < 0 ? r : 0;
	fd = open_bridges(state_fd, err);
	if (fd < 0)
		return fd;
	r = lock_bridges(fd, err);
	if (r <= 0)
		return r;
	r = has_ports(route_sock, link, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return bridge_remove(route_sock, nft_sock, link, err);
}
