/* SPDX-License-Identifier: Apache-2.0 */
#include "network/network_host.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "network/bridge.h"
#include "network/firewall.h"
#include "network/parent_link.h"
#include "sys/link.h"

struct host_sockets {
	int route, nft;
};

static void host_sockets_close(struct host_sockets *s)
{
	cleanup_close_fd(&s->route);
	cleanup_close_fd(&s->nft);
}

DEFINE_CLEANUP_VALUE(struct host_sockets, host_sockets_close);

static int open_sockets(struct host_sockets *s, struct error *err)
{
	s->route = netlink_open(NETLINK_ROUTE);
	s->nft = netlink_open(NETLINK_NETFILTER);
	if (s->route < 0 || s->nft < 0)
		return err_set(err, ERR_SYSTEM, s->route < 0 ? -s->route : -s->nft,
			       "open a netlink socket");
	return 0;
}

int network_host_make(const struct network_link *link, struct error *err)
{
	auto_(host_sockets_close) struct host_sockets s = {NO_FD, NO_FD};
	uint32_t index;
	int r = open_sockets(&s, err);

	if (r < 0)
		return r;
	if (link->driver == NETWORK_DRIVER_BRIDGE)
		return bridge_ensure(s.route, s.nft, link, &index, err);
	return parent_link_ensure(s.route, link, &index, err);
}

int network_host_remove(const struct network_link *link, struct error *err)
{
	auto_(host_sockets_close) struct host_sockets s = {NO_FD, NO_FD};
	int r = open_sockets(&s, err);

	if (r < 0)
		return r;
	if (link->driver == NETWORK_DRIVER_BRIDGE)
		return bridge_remove(s.route, s.nft, link, err);
	return parent_link_remove(s.route, link, err);
}

int network_host_repair(const struct network_link *link, struct error *err)
{
	auto_(host_sockets_close) struct host_sockets s = {NO_FD, NO_FD};
	uint32_t index;
	int r = open_sockets(&s, err);

	if (r < 0)
		return r;
	if (link->driver != NETWORK_DRIVER_BRIDGE)
		return 0;
	r = bridge_ensure(s.route, s.nft, link, &index, err);
	return r < 0 ? r : firewall_add_bridge(s.nft, link, err);
}

int network_host_sweep(const struct network_link *link, int state_fd, struct error *err)
{
	auto_(host_sockets_close) struct host_sockets s = {NO_FD, NO_FD};
	int r = open_sockets(&s, err);

	return r < 0 ? r : bridge_remove_unused(s.route, s.nft, state_fd, link, err);
}
