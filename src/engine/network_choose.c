/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: a subnet that is free.
 *
 * docker's own pools are gone through in docker's order. A subnet is free when it overlaps neither an
 * address nor a route of this host (but for default routes), nor a subnet of a network of ours, which
 * may have no link at the moment. Two commands may choose the same at the same moment: the store
 * then refuses one, which chooses again.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/network_internal.h"
#include "sys/link.h"

#define LINK_DEFAULT "skiff"
#define LINK_TRIES 1000

static const struct {
	const char *first;
	uint8_t prefix_len;
	unsigned int count;
} pools[] = {
	{"172.17.0.0", 16, 1},   {"172.18.0.0", 16, 1}, {"172.19.0.0", 16, 1},
	{"172.20.0.0", 16, 4},   {"172.24.0.0", 16, 4}, {"172.28.0.0", 16, 4},
	{"192.168.0.0", 20, 16},
};

struct taken {
	struct ip_network *items;
	size_t count, capacity;
};

static void taken_release(struct taken *taken)
{
	free(taken->items);
	*taken = (struct taken){0};
}

DEFINE_CLEANUP_VALUE(struct taken, taken_release);

static void add_taken(struct taken *taken, const struct ip_network *network)
{
	if (taken->count == taken->capacity) {
		taken->capacity = taken->capacity ? 2 * taken->capacity : 32;
		taken->items = xreallocarray(taken->items, taken->capacity, sizeof(*taken->items));
	}
	taken->items[taken->count++] = *network;
}

static bool is_free(const struct taken *taken, const struct ip_network *network)
{
	for (size_t i = 0; i < taken->count; i++)
		if (ip_network_overlaps(&taken->items[i], network))
			return false;
	return true;
}

static int take_route(const struct link_route *route, void *context)
{
	struct ip_network network = {{route->family, {0}}, route->prefix_len};

	memcpy(network.address.bytes, route->address, sizeof(network.address.bytes));
	if (!route->is_default)
		add_taken(context, &network);
	return 0;
}

static int take_address(const struct link_local_address *address, void *context)
{
	struct ip_network network = {{address->family, {0}}, address->prefix_len};

	memcpy(network.address.bytes, address->address, sizeof(network.address.bytes));
	add_taken(context, &network);
	return 0;
}

static int collect_host(int family, struct taken *taken, struct error *err)
{
	auto_close int sock = netlink_open(NETLINK_ROUTE);
	int r = sock < 0 ? sock : link_each_route(sock, family, take_route, taken);

	if (r == 0)
		r = link_each_address(sock, family, take_address, taken);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "look at this host's routes") : 0;
}

static int collect_ours(struct engine *engine, int family, struct taken *taken, struct error *err)
{
	auto_(network_records_release) struct network_records records = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = network_record_list(store, &records, err);
	for (size_t i = 0; r >= 0 && i < records.count; i++) {
		auto_(network_config_release) struct network_config config = {0};
		struct network_subnet subnet;

		r = network_config_parse(records.items[i].config, &config, err);
		if (r >= 0 && network_config_subnet(&config, family, &subnet))
			add_taken(taken, &subnet.subnet);
	}
	return r < 0 ? r : 0;
}

static void set_subnet(const struct ip_network *subnet, char **ret_subnet, char **ret_gateway)
{
	struct ip_address gateway = ip_network_at(subnet, 1);
	char text[IP_TEXT_SIZE];

	ip_network_format(subnet, text);
	*ret_subnet = xstrdup(text);
	if (*ret_gateway)
		return;
	ip_address_format(&gateway, text);
	*ret_gateway = xstrdup(text);
}

void network_config_set_subnet6(struct network_config *config, const struct ip_network *subnet)
{
	free(TAKE_PTR(config->subnet6));
	free(TAKE_PTR(config->gateway6));
	set_subnet(subnet, &config->subnet6, &config->gateway6);
}

/* The n-th network of this size from `first` on. */
static struct ip_network nth(const struct ip_network *first, unsigned int n)
{
	struct ip_network whole = {first->address, 0};
	int64_t base = ip_network_offset(&whole, &first->address);

	return (struct ip_network){ip_network_at(&whole, base + n * ip_network_size(first)),
				   first->prefix_len};
}

static int choose4(struct engine *engine, struct network_config *config, struct error *err)
{
	auto_(taken_release) struct taken taken = {0};
	int r;

	r = collect_host(AF_INET, &taken, err);
	if (r == 0)
		r = collect_ours(engine, AF_INET, &taken, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
		struct ip_network first = {.prefix_len = pools[i].prefix_len};

		(void)ip_address_parse(pools[i].first, &first.address);
		for (unsigned int n = 0; n < pools[i].count; n++) {
			struct ip_network subnet = nth(&first, n);

			if (!is_free(&taken, &subnet))
				continue;
			set_subnet(&subnet, &config->subnet4, &config->gateway4);
			return 0;
		}
	}
	return err_set(err, ERR_UNAVAILABLE, ENOSPC,
		       "all predefined address pools have been fully subnetted; name one with "
		       "--subnet");
}

/* A unique local /64 that follows from the network's id (RFC 4193: 40 random bits). */
static int choose6(struct engine *engine, const char *id, struct network_config *config,
		   struct error *err)
{
	auto_(taken_release) struct taken taken = {0};
	int r;

	r = collect_host(AF_INET6, &taken, err);
	if (r == 0)
		r = collect_ours(engine, AF_INET6, &taken, err);
	if (r < 0)
		return r;
	for (unsigned int n = 0; n < 256; n++) {
		struct ip_network subnet = {{AF_INET6, {0xfd}}, 64};

		for (size_t i = 0; i < 7; i++)
			(void)hex_byte(id + 2 * i, &subnet.address.bytes[1 + i]);
		subnet.address.bytes[7] = (uint8_t)(subnet.address.bytes[7] + n);
		if (!is_free(&taken, &subnet))
			continue;
		set_subnet(&subnet, &config->subnet6, &config->gateway6);
		return 0;
	}
	return err_set(err, ERR_UNAVAILABLE, ENOSPC, "no IPv6 subnet is free");
}

/* "skiff0" and so on for the predefined one: another store of this host may have the first. */
static int choose_link(const char *id, bool predefined, struct network_config *config,
		       struct error *err)
{
	auto_close int sock = netlink_open(NETLINK_ROUTE);
	char name[IFNAMSIZ];
	int r = sock < 0 ? sock : 0;

	if (!predefined) {
		config->link = xasprintf("sk-%.12s", id);
		return 0;
	}
	for (unsigned int i = 0; r == 0 && i < LINK_TRIES; i++) {
		struct link_info info;

		(void)snprintf(name, sizeof(name), LINK_DEFAULT "%u", i);
		r = link_find(sock, name, 0, &info);
	}
	if (r != -ENODEV)
		return err_set(err, ERR_SYSTEM, r < 0 ? -r : ENOSPC, "find a name for a bridge");
	config->link = xstrdup(name);
	return 0;
}

int network_choose(struct engine *engine, const char *id, bool predefined,
		   struct network_config *config, struct error *err)
{
	const char *name = network_config_option(config, NETWORK_OPTION_NAME);
	int r = 0;

	if (!config->link && name)
		config->link = xstrdup(name);
	else if (!config->link)
		r = choose_link(id, predefined, config, err);
	if (r == 0 && !config->subnet4 && !config->no_ipv4)
		r = choose4(engine, config, err);
	if (r == 0 && !config->subnet6 && config->ipv6)
		r = choose6(engine, id, config, err);
	return r;
}
