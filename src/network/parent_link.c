/* SPDX-License-Identifier: Apache-2.0 */
#include "network/parent_link.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "sys/link.h"

#define VLAN_MAX 4094

static int fail(const struct network_link *link, int error, struct error *err)
{
	if (error == -ENODEV)
		return err_set(err, ERR_NOT_FOUND, ENODEV, "the parent link '%s' does not exist",
			       link->name);
	return err_set(err, ERR_SYSTEM, -error, "parent link '%s'", link->name);
}

/* "eth0.20": its lower link and its number. */
static int make_vlan(int route_sock, const struct network_link *link, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	const char *dot = strrchr(link->name, '.');
	char lower_name[IFNAMSIZ] = "";
	struct link_info lower = {0}, made = {0};
	uint32_t id;
	int r;

	if (!dot || parse_u32(dot + 1, &id) < 0 || id == 0 || id > VLAN_MAX)
		return fail(link, -ENODEV, err);
	memcpy(lower_name, link->name, (size_t)(dot - link->name));
	r = link_find(route_sock, lower_name, 0, &lower);
	if (r < 0)
		return fail(link, r, err);
	link_put_vlan(&batch, link->name, lower.index, (uint16_t)id);
	r = netlink_send(route_sock, &batch, NULL);
	if (r == 0)
		r = link_find(route_sock, link->name, 0, &made);
	if (r < 0)
		return fail(link, r, err);
	netlink_batch_clear(&batch);
	link_put_alias(&batch, made.index, link->id);
	r = netlink_send(route_sock, &batch, NULL);
	return r < 0 ? fail(link, r, err) : 0;
}

int parent_link_ensure(int route_sock, const struct network_link *link, uint32_t *ret_index,
		       struct error *err)
{
	struct link_info info;
	int r;

	r = link_find(route_sock, link->name, 0, &info);
	if (r == -ENODEV) {
		r = make_vlan(route_sock, link, err);
		if (r < 0)
			return r;
		r = link_find(route_sock, link->name, 0, &info);
	}
	if (r < 0)
		return fail(link, r, err);
	*ret_index = info.index;
	return 0;
}

int parent_link_remove(int route_sock, const struct network_link *link, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct link_info info;
	int r;

	r = link_find(route_sock, link->name, 0, &info);
	if (r == -ENODEV || (r == 0 && strcmp(info.alias, link->id) != 0))
		return 0;
	if (r == 0) {
		link_put_delete(&batch, info.index);
		r = netlink_send(route_sock, &batch, NULL);
	}
	return r < 0 && r != -ENODEV ? fail(link, r, err) : 0;
}
