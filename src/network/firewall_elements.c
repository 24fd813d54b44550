/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firewall_elements.c - what comes and goes with bridges and published ports
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "network/firewall_internal.h"
#include "sys/nftables.h"

/* Others come and go at the same moment; so often in a row they do not. */
#define TABLE_TRIES 16

/* ---- bridges ---- */

/* A set's key is the whole array, with zeros behind the name. */
static void put_link(char key[IFNAMSIZ], const char *name)
{
	memset(key, 0, IFNAMSIZ);
	(void)snprintf(key, IFNAMSIZ, "%s", name);
}

static void put_name(struct netlink_batch *batch, const char *set, const char *name, bool remove)
{
	struct nft_elements elements;
	char key[2][IFNAMSIZ];
	bool loop = strcmp(set, "loops") == 0;

	put_link(key[0], name);
	put_link(key[1], name);
	nft_elements_begin(&elements, batch, FIREWALL_TABLE, set, remove);
	nft_put_element(&elements, key, NULL, loop ? 2 * IFNAMSIZ : IFNAMSIZ, NULL, 0);
	nft_elements_end(&elements);
}

/* The bridge and its subnet: who asks from there is answered there, not through us. */
static void put_local(struct netlink_batch *batch, const char *name,
		      const struct ip_network *gateway, bool remove)
{
	struct ip_network subnet = ip_network_base(gateway);
	size_t len = ip_address_len(subnet.address.family);
	struct {
		char link[IFNAMSIZ];
		uint8_t address[16];
	} first, last;
	struct nft_elements elements;

	if (!subnet.address.family)
		return;
	put_link(first.link, name);
	memcpy(first.address, subnet.address.bytes, sizeof(first.address));
	last = first;
	for (size_t bit = subnet.prefix_len; bit < 8 * len; bit++)
		last.address[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	nft_elements_begin(&elements, batch, FIREWALL_TABLE, len == 4 ? "locals4" : "locals6",
			   remove);
	nft_put_element(&elements, &first, &last, IFNAMSIZ + len, NULL, 0);
	nft_elements_end(&elements);
}

static size_t names_of(const struct network_link *link, const char *ret_sets[5])
{
	size_t count = 0;

	ret_sets[count++] = "bridges";
	ret_sets[count++] = "loops";
	if (link->internal)
		ret_sets[count++] = "internal";
	if (link->masquerade4 && !link->internal)
		ret_sets[count++] = "nat4";
	if (link->masquerade6 && !link->internal)
		ret_sets[count++] = "nat6";
	return count;
}

/* A whole transaction. */
static void put_bridge(struct netlink_batch *batch, const struct network_link *link, bool remove)
{
	const char *names[5];
	size_t count = names_of(link, names);

	nft_begin(batch);
	for (size_t n = 0; n < count; n++)
		put_name(batch, names[n], link->name, remove);
	put_local(batch, link->name, &link->gateway4, remove);
	put_local(batch, link->name, &link->gateway6, remove);
	nft_end(batch);
}

int firewall_add_bridge(int nft_sock, const struct network_link *link, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r = 0;

	for (int i = 0; i < TABLE_TRIES; i++) {
		netlink_batch_clear(&batch);
		put_bridge(&batch, link, /* remove= */ false);
		r = netlink_send(nft_sock, &batch, &failure);
		if (r != -ENOENT)
			break;
		/* The last bridge of another store went with the table, since we looked for it. */
		r = firewall_prepare(nft_sock, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? firewall_fail(r, &failure, "tell the packet filter of a bridge", err) : 0;
}

/* One at a time: that one is not there must not keep the others. */
static int remove_element(int nft_sock, const struct network_link *link, const char *set,
			  struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	nft_begin(&batch);
	if (strcmp(set, "locals4") == 0)
		put_local(&batch, link->name, &link->gateway4, /* remove= */ true);
	else if (strcmp(set, "locals6") == 0)
		put_local(&batch, link->name, &link->gateway6, /* remove= */ true);
	else
		put_name(&batch, set, link->name, /* remove= */ true);
	nft_end(&batch);
	r = netlink_send(nft_sock, &batch, &failure);
	if (r < 0 && r != -ENOENT)
		return firewall_fail(r, &failure, "make the packet filter forget a bridge", err);
	return 0;
}

/*
 * All that was put there, at once. A transaction in which something is not there makes the kernel wait
 * for all of its readers: some 15 ms, which the removal of one element each pays only when it must.
 */
static int remove_elements(int nft_sock, const struct network_link *link, struct error *err)
{
	static const char *const names[] = {"loops",   "internal", "nat4",   "nat6",
					    "locals4", "locals6",  "bridges"};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	put_bridge(&batch, link, /* remove= */ true);
	r = netlink_send(nft_sock, &batch, &failure);
	if (r == 0)
		return 0;
	r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		r = remove_element(nft_sock, link, names[i], err);
	return r;
}

struct neighbours {
	const char *name;
	bool any; /* bridges of other names */
};

static int note_neighbour(const void *key, size_t len, void *context)
{
	struct neighbours *neighbours = context;

	if (strnlen(key, len) == len || strcmp(key, neighbours->name) != 0)
		neighbours->any = true;
	return 0;
}

/* 1: it is gone, with the table. -ERESTART: somebody changed something meanwhile. */
static int remove_last(int nft_sock, const struct network_link *link)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct neighbours neighbours = {.name = link->name};
	uint32_t generation;
	int r;

	r = nft_generation(nft_sock, &generation);
	if (r == 0)
		r = nft_each_key(nft_sock, FIREWALL_TABLE, "bridges", note_neighbour, &neighbours);
	if (r < 0 || neighbours.any)
		return r;
	nft_begin_at(&batch, generation);
	nft_put_table_delete(&batch, FIREWALL_TABLE);
	nft_end(&batch);
	r = netlink_send(nft_sock, &batch, NULL);
	return r < 0 ? r : 1;
}

int firewall_remove_bridge(int nft_sock, const struct network_link *link, struct error *err)
{
	int r = -ERESTART;

	for (int i = 0; i < TABLE_TRIES && (r == -ERESTART || r == -EINTR); i++)
		r = remove_last(nft_sock, link);
	if (r > 0 || r == -ENOENT)
		return 0;
	return remove_elements(nft_sock, link, err);
}

/* ---- published ports ---- */

struct key {
	uint8_t bytes[28];
	size_t len;
};

static void add_part(struct key *key, const void *data, size_t len)
{
	memcpy(key->bytes + key->len, data, len);
	key->len += (len + 3) & ~(size_t)3;
}

/* ([address,] protocol, port), every part padded to 4 bytes. */
static struct key port_key(const struct network_port *port, uint16_t number)
{
	uint8_t protocol = (uint8_t)port->protocol;
	uint16_t number_be = htons(number);
	struct key key = {0};

	if (port->host.family)
		add_part(&key, port->host.bytes, ip_address_len(port->host.family));
	add_part(&key, &protocol, sizeof(protocol));
	add_part(&key, &number_be, sizeof(number_be));
	return key;
}

/* A range's end: the address and the protocol are ranges of one. */
static bool keeps_numbers(const struct network_port *port)
{
	return port->count > 1 && port->host_port == port->container_port;
}

static void put_range(struct nft_elements *elements, const struct network_port *port,
		      const struct ip_address *target)
{
	struct key first = port_key(port, port->host_port);
	struct key last = port_key(port, (uint16_t)(port->host_port + port->count - 1));

	nft_put_element(elements, first.bytes, last.bytes, first.len, target->bytes,
			ip_address_len(target->family));
}

static void put_singles(struct nft_elements *elements, const struct network_port *port,
			const struct ip_address *target)
{
	for (uint32_t i = 0; i < port->count; i++) {
		struct key key = port_key(port, (uint16_t)(port->host_port + i));
		uint16_t number_be = htons((uint16_t)(port->container_port + i));
		struct key value = {0};

		add_part(&value, target->bytes, ip_address_len(target->family));
		add_part(&value, &number_be, sizeof(number_be));
		nft_put_element(elements, key.bytes, NULL, key.len, value.bytes, value.len);
	}
}

#define SET_NAME_SIZE 32

static void name_set(const struct network_port *port, int family, char ret_set[SET_NAME_SIZE])
{
	(void)snprintf(ret_set, SET_NAME_SIZE, "%s%s%c", port->host.family ? "host" : "port",
		       keeps_numbers(port) ? "_ranges" : "s", family == AF_INET6 ? '6' : '4');
}

static void put_port(struct netlink_batch *batch, const struct network_port *port,
		     const struct ip_address *target, bool remove)
{
	struct nft_elements elements;
	char set[SET_NAME_SIZE];

	name_set(port, target->family, set);
	nft_elements_begin(&elements, batch, FIREWALL_TABLE, set, remove);
	if (keeps_numbers(port))
		put_range(&elements, port, target);
	else
		put_singles(&elements, port, target);
	nft_elements_end(&elements);
}

/* A port for both families leads to each address that the container has. */
static void put_port_targets(struct netlink_batch *batch, const struct network_plan *plan,
			     const struct network_port *port, bool remove)
{
	if (plan->port_target4.family && port->host.family != AF_INET6)
		put_port(batch, port, &plan->port_target4, remove);
	if (plan->port_target6.family && port->host.family != AF_INET)
		put_port(batch, port, &plan->port_target6, remove);
}

int firewall_publish(int nft_sock, const struct network_plan *plan, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	if (plan->port_count == 0)
		return 0;
	nft_begin(&batch);
	for (size_t i = 0; i < plan->port_count; i++)
		put_port_targets(&batch, plan, &plan->ports[i], /* remove= */ false);
	nft_end(&batch);
	r = netlink_send(nft_sock, &batch, &failure);
	if (r == -EEXIST)
		return err_set(err, ERR_CONFLICT, EADDRINUSE, "port is already allocated");
	return r < 0 ? firewall_fail(r, &failure, "publish ports", err) : 0;
}

static int unpublish_one(int nft_sock, const struct network_plan *plan,
			 const struct network_port *port, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	nft_begin(&batch);
	put_port_targets(&batch, plan, port, /* remove= */ true);
	nft_end(&batch);
	r = netlink_send(nft_sock, &batch, &failure);
	return r < 0 && r != -ENOENT ? firewall_fail(r, &failure, "take back a published port", err)
				     : 0;
}

/* All at once; when some are not there, each by itself. */
int firewall_unpublish(int nft_sock, const struct network_plan *plan, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	int r;

	if (plan->port_count == 0)
		return 0;
	nft_begin(&batch);
	for (size_t i = 0; i < plan->port_count; i++)
		put_port_targets(&batch, plan, &plan->ports[i], /* remove= */ true);
	nft_end(&batch);
	r = netlink_send(nft_sock, &batch, &failure);
	if (r < 0 && r != -ENOENT)
		return firewall_fail(r, &failure, "take back published ports", err);
	for (size_t i = 0; r < 0 && i < plan->port_count; i++) {
		int one = unpublish_one(nft_sock, plan, &plan->ports[i], err);

		if (one < 0)
			return one;
	}
	return 0;
}

struct port_search {
	const struct network_port *port;
	uint32_t found;
};

/* The port is the key's last part; of a range that keeps its numbers the first one is the key. */
static int count_key(const void *bytes, size_t len, void *context)
{
	struct port_search *search = context;
	const struct network_port *port = search->port;
	struct key first = port_key(port, port->host_port);
	uint16_t number_be;
	uint32_t offset;

	if (len != first.len || memcmp(bytes, first.bytes, len - 4) != 0)
		return 0;
	memcpy(&number_be, (const uint8_t *)bytes + len - 4, sizeof(number_be));
	offset = (uint32_t)ntohs(number_be) - port->host_port;
	if (offset < (keeps_numbers(port) ? 1 : port->count))
		search->found++;
	return 0;
}

int firewall_has_port(int nft_sock, const struct network_port *port, int family)
{
	struct port_search search = {.port = port};
	char set[SET_NAME_SIZE];
	int r;

	name_set(port, family, set);
	r = nft_each_key(nft_sock, FIREWALL_TABLE, set, count_key, &search);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	return search.found == (keeps_numbers(port) ? 1 : port->count);
}

struct bridge_search {
	char name[IFNAMSIZ];
	bool found;
};

/* To the end: what is left of an answer would be taken for the next one. */
static int look_for_bridge(const void *key, size_t len, void *context)
{
	struct bridge_search *search = context;

	search->found |= len == IFNAMSIZ && memcmp(key, search->name, IFNAMSIZ) == 0;
	return 0;
}

int firewall_has_bridge(int nft_sock, const char *name)
{
	struct bridge_search search = {0};
	int r;

	put_link(search.name, name);
	r = nft_each_key(nft_sock, FIREWALL_TABLE, "bridges", look_for_bridge, &search);
	if (r < 0 && r != -ENOENT)
		return r;
	return search.found;
}
