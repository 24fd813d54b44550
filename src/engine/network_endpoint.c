/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/network_internal.h"

/* Linux interface names have 15 characters: enough of a container's id and a number fit. */
#define HOST_LINK_FORMAT "sk%.10s.%u"

void endpoint_requests_release(struct endpoint_requests *requests)
{
	for (size_t i = 0; i < requests->count; i++) {
		struct endpoint_request *request = &requests->items[i];

		free((char *)request->network);
		free((char *)request->network_name);
		free((char *)request->config);
		free((int64_t *)request->pool4.reserved);
		free((int64_t *)request->pool6.reserved);
	}
	free(requests->items);
	*requests = (struct endpoint_requests){0};
}

/* ---- asking for addresses ---- */

static void reserve(const struct ip_network *subnet, const struct ip_address *address,
		    int64_t *reserved, size_t *count)
{
	if (address->family && ip_network_has(subnet, address))
		reserved[(*count)++] = ip_network_offset(subnet, address);
}

static void reserve_all(const struct network_config *config, const struct network_subnet *subnet,
			struct lease_pool *pool)
{
	const struct strv *aux = subnet->subnet.address.family == AF_INET6 ? &config->aux6
									   : &config->aux4;
	int64_t *reserved = xcalloc(aux->count + 1, sizeof(*reserved));
	size_t count = 0;

	reserve(&subnet->subnet, &subnet->gateway, reserved, &count);
	for (size_t i = 0; i < aux->count; i++) {
		const char *equals = strchr(aux->items[i], '=');
		struct ip_address address;

		if (equals && ip_address_parse(equals + 1, &address) == 0)
			reserve(&subnet->subnet, &address, reserved, &count);
	}
	pool->reserved = reserved;
	pool->reserved_count = count;
}

static int wish_for(const struct network_subnet *subnet, const char *text, struct lease_pool *pool,
		    struct error *err)
{
	struct ip_address address;
	int64_t offset;

	if (ip_address_parse(text, &address) < 0 || address.family != subnet->subnet.address.family)
		return err_set(err, ERR_INVALID, 0, "invalid IP address: %s", text);
	if (!ip_network_has(&subnet->subnet, &address))
		return err_set(err, ERR_INVALID, 0,
			       "no configured subnet contains the IP address %s", text);
	offset = ip_network_offset(&subnet->subnet, &address);
	for (size_t i = 0; i < pool->reserved_count; i++)
		if (pool->reserved[i] == offset)
			return err_set(err, ERR_CONFLICT, EADDRINUSE, "Address already in use");
	pool->wish = offset;
	return 0;
}

/* The network's own address and, in IPv4, its broadcast are nobody's. */
static void fill_pool(const struct network_subnet *subnet, struct lease_pool *pool)
{
	int64_t size = ip_network_size(&subnet->subnet);
	int64_t first = ip_network_offset(&subnet->subnet, &subnet->range.address);
	int64_t last = first + (ip_network_size(&subnet->range) - 1);
	bool is_v4 = subnet->subnet.address.family == AF_INET;

	if (size > 2 || !is_v4) {
		if (first == 0)
			first = 1;
		if (is_v4 && last == size - 1)
			last--;
	}
	pool->first = first;
	pool->last = last;
}

static int make_pool(const struct network *network, int family, const char *wish,
		     struct lease_pool *pool, struct error *err)
{
	struct network_subnet subnet;

	pool->wish = -1;
	if (!network_config_subnet(&network->config, family, &subnet)) {
		if (wish)
			return err_set(err, ERR_INVALID, 0,
				       "network %s has no %s subnet, so no address of it can be "
				       "chosen",
				       network->record.name, family == AF_INET6 ? "IPv6" : "IPv4");
		return 0;
	}
	fill_pool(&subnet, pool);
	reserve_all(&network->config, &subnet, pool);
	return wish ? wish_for(&subnet, wish, pool, err) : 0;
}

int endpoint_request_add(struct endpoint_requests *requests, const struct network *network,
			 const char *container_id, struct endpoint_config *config,
			 struct error *err)
{
	struct endpoint_request *request;
	int r;

	requests->items =
		xreallocarray(requests->items, requests->count + 1, sizeof(*requests->items));
	request = &requests->items[requests->count++];
	*request = (struct endpoint_request){
		.network = xstrdup(network->record.id),
		.network_name = xstrdup(network->record.name),
	};
	r = make_pool(network, AF_INET, config->ip, &request->pool4, err);
	if (r == 0)
		r = make_pool(network, AF_INET6, config->ip6, &request->pool6, err);
	if (r < 0)
		return r;
	if (!config->interface)
		config->interface = xasprintf("eth%u", (unsigned int)config->position);
	if (strcmp(network->record.driver, "bridge") == 0)
		config->host_link =
			xasprintf(HOST_LINK_FORMAT, container_id, (unsigned int)config->position);
	request->config = endpoint_config_format(config);
	return 0;
}

/* ---- what a container has ---- */

void endpoint_release(struct endpoint *endpoint)
{
	network_release(&endpoint->network);
	endpoint_config_release(&endpoint->config);
}

void endpoint_set_release(struct endpoint_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		endpoint_release(&set->items[i]);
	free(set->items);
	*set = (struct endpoint_set){0};
}

static struct ip_network address_at(const struct network_config *config, int family, int64_t offset)
{
	struct network_subnet subnet;

	if (offset < 0 || !network_config_subnet(config, family, &subnet))
		return (struct ip_network){0};
	return (struct ip_network){ip_network_at(&subnet.subnet, offset), subnet.subnet.prefix_len};
}

/*
 * docker's scheme: locally administered, the IPv4 address at its end. So an address that goes to another
 * container keeps its hardware address, and neighbours that remember it are right.
 */
static void derive_mac(const struct endpoint *endpoint, const char *container, uint8_t mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0x42;
	if (endpoint->address4.address.family) {
		memcpy(mac + 2, endpoint->address4.address.bytes, 4);
		return;
	}
	if (endpoint->address6.address.family) {
		memcpy(mac + 2, endpoint->address6.address.bytes + 12, 4);
		return;
	}
	for (size_t i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)container[i] ^ (uint8_t)(container[i + 4] << 4);
}

static int fill_endpoint(struct engine *engine, const struct endpoint_record *record,
			 struct endpoint *endpoint, struct error *err)
{
	int r;

	r = network_open(engine, record->network, &endpoint->network, err);
	if (r == 0)
		r = endpoint_config_parse(record->config, &endpoint->config, err);
	if (r < 0)
		return r;
	endpoint->address4 = address_at(&endpoint->network.config, AF_INET, record->offset4);
	endpoint->address6 = address_at(&endpoint->network.config, AF_INET6, record->offset6);
	if (!endpoint->config.mac || mac_parse(endpoint->config.mac, endpoint->mac) < 0)
		derive_mac(endpoint, record->container, endpoint->mac);
	return 0;
}

static int by_position(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;

	return x->config.position < y->config.position   ? -1
	       : x->config.position > y->config.position ? 1
							 : 0;
}

int endpoint_set_load(struct engine *engine, const char *container_id, struct endpoint_set *ret_set,
		      struct error *err)
{
	auto_(endpoint_records_release) struct endpoint_records records = {0};
	auto_(endpoint_set_release) struct endpoint_set set = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = endpoint_list(store, container_id, NULL, &records, err);
	if (r < 0)
		return r;
	set.items = xcalloc(records.count + 1, sizeof(*set.items));
	for (size_t i = 0; r >= 0 && i < records.count; i++)
		r = fill_endpoint(engine, &records.items[i], &set.items[set.count++], err);
	if (r < 0)
		return r;
	if (set.count > 1)
		qsort(set.items, set.count, sizeof(*set.items), by_position);
	*ret_set = set;
	set = (struct endpoint_set){0};
	return 0;
}
