/* SPDX-License-Identifier: Apache-2.0 */
#include "network/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "sys/nftables.h"

/* Of nf_nat and the raw table; <linux/netfilter_ipv4.h> does not go with <netinet/in.h>. */
#define PRIORITY_RAW (-300)
#define PRIORITY_DSTNAT (-100)
#define PRIORITY_FILTER 0
#define PRIORITY_SRCNAT 100

#define IPV4_SADDR 12
#define IPV4_DADDR 16
#define IPV6_SADDR 8
#define IPV6_DADDR 24
#define DPORT 2

/* Others come and go at the same moment; so often in a row they do not. */
#define TABLE_TRIES 16

#define REG(n) (NFT_REG32_00 + (n))

/* ---- sets ---- */

#define IFNAME                                                                                     \
	{                                                                                          \
		NFT_TYPE_IFNAME                                                                    \
	}
#define PORT_KEY                                                                                   \
	{                                                                                          \
		NFT_TYPE_PROTOCOL, NFT_TYPE_PORT                                                   \
	}
#define HOST4_KEY                                                                                  \
	{                                                                                          \
		NFT_TYPE_IPV4, NFT_TYPE_PROTOCOL, NFT_TYPE_PORT                                    \
	}
#define HOST6_KEY                                                                                  \
	{                                                                                          \
		NFT_TYPE_IPV6, NFT_TYPE_PROTOCOL, NFT_TYPE_PORT                                    \
	}
#define TARGET4                                                                                    \
	{                                                                                          \
		NFT_TYPE_IPV4, NFT_TYPE_PORT                                                       \
	}
#define TARGET6                                                                                    \
	{                                                                                          \
		NFT_TYPE_IPV6, NFT_TYPE_PORT                                                       \
	}

static const struct nft_set sets[] = {
	{.name = "bridges", .key = IFNAME},
	{.name = "loops", .key = {NFT_TYPE_IFNAME, NFT_TYPE_IFNAME}},
	{.name = "internal", .key = IFNAME},
	{.name = "nat4", .key = IFNAME},
	{.name = "nat6", .key = IFNAME},
	{.name = "locals4", .key = {NFT_TYPE_IFNAME, NFT_TYPE_IPV4}, .interval = true},
	{.name = "locals6", .key = {NFT_TYPE_IFNAME, NFT_TYPE_IPV6}, .interval = true},
	{.name = "ports4", .key = PORT_KEY, .data = TARGET4},
	{.name = "ports6", .key = PORT_KEY, .data = TARGET6},
	{.name = "hosts4", .key = HOST4_KEY, .data = TARGET4},
	{.name = "hosts6", .key = HOST6_KEY, .data = TARGET6},
	{.name = "port_ranges4", .key = PORT_KEY, .data = {NFT_TYPE_IPV4}, .interval = true},
	{.name = "port_ranges6", .key = PORT_KEY, .data = {NFT_TYPE_IPV6}, .interval = true},
	{.name = "host_ranges4", .key = HOST4_KEY, .data = {NFT_TYPE_IPV4}, .interval = true},
	{.name = "host_ranges6", .key = HOST6_KEY, .data = {NFT_TYPE_IPV6}, .interval = true},
};

static const struct nft_chain chains[] = {
	{"guard", "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW},
	{"publish4", NULL, NFT_NO_HOOK, 0},
	{"publish6", NULL, NFT_NO_HOOK, 0},
	{"prerouting", "nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT},
	{"output", "nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT},
	{"postrouting", "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT},
	{"forward", "filter", NF_INET_FORWARD, PRIORITY_FILTER},
};

/* ---- rules: each function adds the condition or the verdict that its name says ---- */

static void rule(struct nft_rule *r, struct netlink_batch *batch, const char *chain)
{
	nft_rule_begin(r, batch, FIREWALL_TABLE, chain);
}

static void if_family(struct nft_rule *r, uint8_t family)
{
	nft_put_meta(r, NFT_META_NFPROTO, REG(0));
	nft_put_cmp(r, NFT_CMP_EQ, REG(0), &family, sizeof(family));
}

static void if_loopback4(struct nft_rule *r, uint32_t address_offset)
{
	static const uint8_t net = 127;

	if_family(r, NFPROTO_IPV4);
	nft_put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, address_offset, sizeof(net), REG(0));
	nft_put_cmp(r, NFT_CMP_EQ, REG(0), &net, sizeof(net));
}

static void if_link(struct nft_rule *r, enum nft_meta_keys which, const char *set, bool invert)
{
	nft_put_meta(r, which, REG(0));
	nft_put_lookup(r, set, REG(0), invert);
}

static void if_looping(struct nft_rule *r)
{
	nft_put_meta(r, NFT_META_IIFNAME, REG(0));
	nft_put_meta(r, NFT_META_OIFNAME, REG(4));
	nft_put_lookup(r, "loops", REG(0), /* invert= */ false);
}

static void if_redirected(struct nft_rule *r)
{
	nft_put_ct_any(r, NFT_CT_STATUS, IPS_DST_NAT);
}

static void verdict(struct nft_rule *r, int32_t code)
{
	nft_put_verdict(r, code, NULL);
	nft_rule_end(r);
}

static void jump(struct nft_rule *r, const char *chain)
{
	nft_put_verdict(r, NFT_JUMP, chain);
	nft_rule_end(r);
}

static void masquerade(struct nft_rule *r)
{
	nft_put_masquerade(r);
	nft_rule_end(r);
}

/* The most special map first: one address of ours, then any; single ports, then ranges. */
static void put_redirect(struct netlink_batch *batch, int family, bool one_host, bool range,
			 const char *map)
{
	bool is_v6 = family == AF_INET6;
	uint32_t words = is_v6 ? 4 : 1, reg = 0;
	struct nft_rule r;

	rule(&r, batch, is_v6 ? "publish6" : "publish4");
	if (one_host) {
		if_family(&r, is_v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
		nft_put_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, is_v6 ? IPV6_DADDR : IPV4_DADDR,
				4 * words, REG(0));
		reg = words;
	}
	nft_put_meta(&r, NFT_META_L4PROTO, REG(reg));
	nft_put_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT, 2, REG(reg + 1));
	nft_put_map(&r, map, REG(0), REG(0));
	nft_put_dnat(&r, family, REG(0), range ? 0 : REG(words));
	nft_rule_end(&r);
}

static void put_publish(struct netlink_batch *batch)
{
	struct nft_rule r;

	put_redirect(batch, AF_INET, true, false, "hosts4");
	put_redirect(batch, AF_INET, true, true, "host_ranges4");
	put_redirect(batch, AF_INET, false, false, "ports4");
	put_redirect(batch, AF_INET, false, true, "port_ranges4");
	put_redirect(batch, AF_INET6, true, false, "hosts6");
	put_redirect(batch, AF_INET6, true, true, "host_ranges6");
	put_redirect(batch, AF_INET6, false, false, "ports6");
	put_redirect(batch, AF_INET6, false, true, "port_ranges6");

	rule(&r, batch, "prerouting");
	if_loopback4(&r, IPV4_DADDR);
	verdict(&r, NFT_RETURN);
	for (size_t i = 0; i < 2; i++) {
		const char *chain = i ? "output" : "prerouting";

		rule(&r, batch, chain);
		if_family(&r, NFPROTO_IPV4);
		nft_put_fib_type(&r, NFTA_FIB_F_DADDR, RTN_LOCAL);
		jump(&r, "publish4");
		rule(&r, batch, chain);
		if_family(&r, NFPROTO_IPV6);
		nft_put_fib_type(&r, NFTA_FIB_F_DADDR, RTN_LOCAL);
		jump(&r, "publish6");
	}
}

static void put_borrowed_addresses(struct netlink_batch *batch)
{
	struct nft_rule r;

	for (size_t i = 0; i < 2; i++) {
		rule(&r, batch, "postrouting");
		if_family(&r, i ? NFPROTO_IPV6 : NFPROTO_IPV4);
		if_redirected(&r);
		nft_put_meta(&r, NFT_META_OIFNAME, REG(0));
		nft_put_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, i ? IPV6_SADDR : IPV4_SADDR,
				i ? 16 : 4, REG(4));
		nft_put_lookup(&r, i ? "locals6" : "locals4", REG(0), /* invert= */ false);
		masquerade(&r);
	}

	rule(&r, batch, "postrouting");
	if_loopback4(&r, IPV4_SADDR);
	if_link(&r, NFT_META_OIFNAME, "bridges", /* invert= */ false);
	masquerade(&r);

	for (size_t i = 0; i < 2; i++) {
		rule(&r, batch, "postrouting");
		if_family(&r, i ? NFPROTO_IPV6 : NFPROTO_IPV4);
		if_link(&r, NFT_META_IIFNAME, i ? "nat6" : "nat4", /* invert= */ false);
		if_link(&r, NFT_META_OIFNAME, "bridges", /* invert= */ true);
		masquerade(&r);
	}
}

#define CT_STATE_BIT(state) (1U << ((state) % IP_CT_IS_REPLY + 1)) /* NF_CT_STATE_BIT */

static void put_forward(struct netlink_batch *batch)
{
	struct nft_rule r;

	rule(&r, batch, "guard");
	if_link(&r, NFT_META_IIFNAME, "bridges", /* invert= */ false);
	if_loopback4(&r, IPV4_DADDR);
	verdict(&r, NF_DROP);

	rule(&r, batch, "forward");
	nft_put_ct_any(&r, NFT_CT_STATE,
		       CT_STATE_BIT(IP_CT_ESTABLISHED) | CT_STATE_BIT(IP_CT_RELATED));
	verdict(&r, NF_ACCEPT);
	rule(&r, batch, "forward");
	if_looping(&r);
	verdict(&r, NF_ACCEPT);
	for (size_t i = 0; i < 2; i++) {
		rule(&r, batch, "forward");
		if_link(&r, i ? NFT_META_OIFNAME : NFT_META_IIFNAME, "internal", false);
		verdict(&r, NF_DROP);
	}
	rule(&r, batch, "forward");
	if_link(&r, NFT_META_OIFNAME, "bridges", /* invert= */ false);
	if_redirected(&r);
	verdict(&r, NF_ACCEPT);
	rule(&r, batch, "forward");
	if_link(&r, NFT_META_OIFNAME, "bridges", /* invert= */ false);
	verdict(&r, NF_DROP);
}

static void put_table(struct netlink_batch *batch)
{
	nft_put_table(batch, FIREWALL_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct nft_set set = sets[i];

		set.id = (uint32_t)i + 1;
		nft_put_set(batch, FIREWALL_TABLE, &set);
	}
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		nft_put_chain(batch, FIREWALL_TABLE, &chains[i]);
	put_publish(batch);
	put_borrowed_addresses(batch);
	put_forward(batch);
}

static int fail(int error, const struct netlink_failure *failure, const char *what,
		struct error *err)
{
	if (error == -EPERM || error == -EACCES)
		return err_set(err, ERR_DENIED, -error, "%s: %s", what, errno_text(-error));
	if (error == -EOPNOTSUPP || error == -EPROTONOSUPPORT || error == -EAFNOSUPPORT)
		return err_set(err, ERR_UNAVAILABLE, -error,
			       "%s: this kernel has no nf_tables or lacks a part of it (%s); use "
			       "--network none or --network host",
			       what, errno_text(-error));
	if (failure->text[0])
		return err_set(err, ERR_SYSTEM, -error, "%s (%s)", what, failure->text);
	return err_set(err, ERR_SYSTEM, -error, "%s", what);
}

int firewall_prepare(int nft_sock, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure = {0};
	int r;

	r = nft_table_exists(nft_sock, FIREWALL_TABLE);
	if (r == 1)
		return 0;
	if (r == 0) {
		nft_begin(&batch);
		put_table(&batch);
		nft_end(&batch);
		r = netlink_send(nft_sock, &batch, &failure);
	}
	/* Somebody else was faster. */
	if (r == -EEXIST)
		return 0;
	return r < 0 ? fail(r, &failure, "make the packet filter's rules", err) : 1;
}

/* ---- elements ---- */

static void put_name(struct netlink_batch *batch, const char *set, const char *name, bool remove)
{
	struct nft_elements elements;
	char key[2 * IFNAMSIZ] = "";
	bool loop = strcmp(set, "loops") == 0;

	memcpy(key, name, strlen(name));
	if (loop)
		memcpy(key + IFNAMSIZ, name, strlen(name));
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
	char first[IFNAMSIZ + 16] = "", last[IFNAMSIZ + 16] = "";
	struct nft_elements elements;

	if (!subnet.address.family)
		return;
	memcpy(first, name, strlen(name));
	memcpy(last, name, strlen(name));
	memcpy(first + IFNAMSIZ, subnet.address.bytes, len);
	memcpy(last + IFNAMSIZ, subnet.address.bytes, len);
	for (size_t bit = subnet.prefix_len; bit < 8 * len; bit++)
		last[IFNAMSIZ + bit / 8] |= (char)(0x80U >> bit % 8);
	nft_elements_begin(&elements, batch, FIREWALL_TABLE, len == 4 ? "locals4" : "locals6",
			   remove);
	nft_put_element(&elements, first, last, IFNAMSIZ + len, NULL, 0);
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

int firewall_add_bridge(int nft_sock, const struct network_link *link, struct error *err)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct netlink_failure failure;
	const char *names[5];
	size_t count = names_of(link, names);
	int r = 0;

	for (int i = 0; i < TABLE_TRIES; i++) {
		netlink_batch_clear(&batch);
		nft_begin(&batch);
		for (size_t n = 0; n < count; n++)
			put_name(&batch, names[n], link->name, /* remove= */ false);
		put_local(&batch, link->name, &link->gateway4, /* remove= */ false);
		put_local(&batch, link->name, &link->gateway6, /* remove= */ false);
		nft_end(&batch);
		r = netlink_send(nft_sock, &batch, &failure);
		if (r != -ENOENT)
			break;
		/* The last bridge of another store went with the table, since we looked for it. */
		r = firewall_prepare(nft_sock, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? fail(r, &failure, "tell the packet filter of a bridge", err) : 0;
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
		return fail(r, &failure, "make the packet filter forget a bridge", err);
	return 0;
}

static int remove_elements(int nft_sock, const struct network_link *link, struct error *err)
{
	static const char *const names[] = {"loops",   "internal", "nat4",   "nat6",
					    "locals4", "locals6",  "bridges"};
	int r = 0;

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

static void put_port(struct netlink_batch *batch, const struct network_port *port,
		     const struct ip_address *target, bool remove)
{
	bool range = keeps_numbers(port);
	struct nft_elements elements;
	char set[32];

	(void)snprintf(set, sizeof(set), "%s%s%c", port->host.family ? "host" : "port",
		       range ? "_ranges" : "s", target->family == AF_INET6 ? '6' : '4');
	nft_elements_begin(&elements, batch, FIREWALL_TABLE, set, remove);
	if (range)
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
	return r < 0 ? fail(r, &failure, "publish ports", err) : 0;
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
	return r < 0 && r != -ENOENT ? fail(r, &failure, "take back a published port", err) : 0;
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
		return fail(r, &failure, "take back published ports", err);
	for (size_t i = 0; r < 0 && i < plan->port_count; i++) {
		int one = unpublish_one(nft_sock, plan, &plan->ports[i], err);

		if (one < 0)
			return one;
	}
	return 0;
}
