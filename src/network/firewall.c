/* SPDX-License-Identifier: Apache-2.0 */
#include "network/firewall_internal.h"

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

static void if_to_loopback6(struct nft_rule *r)
{
	static const uint8_t loopback[16] = {[15] = 1};

	if_family(r, NFPROTO_IPV6);
	nft_put_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IPV6_DADDR, sizeof(loopback), REG(0));
	nft_put_cmp(r, NFT_CMP_EQ, REG(0), loopback, sizeof(loopback));
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
	/* Its answers would not come back: refused at once, clients of "localhost" go on to 127.0.0.1. */
	rule(&r, batch, "output");
	if_to_loopback6(&r);
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

void firewall_put_table(struct netlink_batch *batch)
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

int firewall_fail(int error, const struct netlink_failure *failure, const char *what,
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
		firewall_put_table(&batch);
		nft_end(&batch);
		r = netlink_send(nft_sock, &batch, &failure);
	}
	/* Somebody else was faster. */
	if (r == -EEXIST)
		return 0;
	return r < 0 ? firewall_fail(r, &failure, "make the packet filter's rules", err) : 1;
}
