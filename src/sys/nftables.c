/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nftables.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"

/* A list of elements is one attribute, whose length has 16 bits. */
#define ELEMENTS_MAX_BYTES 60000

static uint16_t message_type(uint16_t type)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
}

static void begin(struct netlink_batch *batch, uint16_t type, uint16_t flags)
{
	const struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	netlink_begin(batch, message_type(type), flags, &header, sizeof(header));
}

static void begin_control(struct netlink_batch *batch, uint16_t type)
{
	const struct nfgenmsg header = {
		.nfgen_family = AF_UNSPEC,
		.version = NFNETLINK_V0,
		.res_id = htons(NFNL_SUBSYS_NFTABLES),
	};

	netlink_begin(batch, type, 0, &header, sizeof(header));
}

void nft_begin(struct netlink_batch *batch)
{
	begin_control(batch, NFNL_MSG_BATCH_BEGIN);
}

void nft_begin_at(struct netlink_batch *batch, uint32_t generation)
{
	begin_control(batch, NFNL_MSG_BATCH_BEGIN);
	netlink_put_be32(batch, NFNL_BATCH_GENID, generation);
}

void nft_end(struct netlink_batch *batch)
{
	begin_control(batch, NFNL_MSG_BATCH_END);
}

static int take_generation(const struct nlmsghdr *answer, void *context)
{
	const struct nlattr *found[NFTA_GEN_MAX + 1];
	uint32_t *generation = context;

	if (netlink_attributes(answer, sizeof(struct nfgenmsg), found, ARRAY_SIZE(found)) < 0 ||
	    !found[NFTA_GEN_ID])
		return -EBADMSG;
	*generation = ntohl(netlink_get_u32(found[NFTA_GEN_ID]));
	return 0;
}

int nft_generation(int sock, uint32_t *ret_generation)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};

	begin(&batch, NFT_MSG_GETGEN, 0);
	return netlink_ask(sock, &batch, take_generation, ret_generation);
}

/* ---- tables and chains ---- */

void nft_put_table(struct netlink_batch *batch, const char *table)
{
	begin(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_text(batch, NFTA_TABLE_NAME, table);
}

void nft_put_table_delete(struct netlink_batch *batch, const char *table)
{
	begin(batch, NFT_MSG_DELTABLE, 0);
	netlink_put_text(batch, NFTA_TABLE_NAME, table);
}

int nft_table_exists(int sock, const char *table)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	int r;

	begin(&batch, NFT_MSG_GETTABLE, 0);
	netlink_put_text(&batch, NFTA_TABLE_NAME, table);
	r = netlink_ask(sock, &batch, NULL, NULL);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

int nft_watch_deletions(void)
{
	/*
	 * What one transaction changes comes in one packet, of which the first message is looked at: a
	 * table that goes takes its rules, chains and sets with it, before it. The type, in the
	 * machine's order, is what BPF loads in the network's.
	 */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(message_type(NFT_MSG_DELTABLE)), 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(message_type(NFT_MSG_DELCHAIN)), 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(message_type(NFT_MSG_DELRULE)), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(message_type(NFT_MSG_DELSET)), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = {ARRAY_SIZE(code), code};
	int group = NFNLGRP_NFTABLES;
	auto_close int sock = netlink_open(NETLINK_NETFILTER);

	if (sock < 0)
		return sock;
	if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return TAKE_FD(sock);
}

void nft_put_chain(struct netlink_batch *batch, const char *table, const struct nft_chain *chain)
{
	size_t hook;

	begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(batch, NFTA_CHAIN_TABLE, table);
	netlink_put_text(batch, NFTA_CHAIN_NAME, chain->name);
	if (chain->hook == NFT_NO_HOOK)
		return;
	hook = netlink_nest(batch, NFTA_CHAIN_HOOK);
	netlink_put_be32(batch, NFTA_HOOK_HOOKNUM, chain->hook);
	netlink_put_be32(batch, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	netlink_nest_end(batch, hook);
	netlink_put_be32(batch, NFTA_CHAIN_POLICY, NF_ACCEPT);
	netlink_put_text(batch, NFTA_CHAIN_TYPE, chain->type);
}

/* ---- sets ---- */

static uint32_t type_len(enum nft_type type)
{
	switch (type) {
	case NFT_TYPE_NONE:
		return 0;
	case NFT_TYPE_IPV4:
		return 4;
	case NFT_TYPE_IPV6:
	case NFT_TYPE_IFNAME:
		return 16;
	case NFT_TYPE_PROTOCOL:
		return 1;
	case NFT_TYPE_PORT:
		return 2;
	}
	return 0;
}

struct shape {
	uint32_t type, len;
	size_t parts;
};

/* nft(8) packs the types of a key into one number, six bits each. */
static struct shape shape_of(const enum nft_type types[NFT_SET_PARTS])
{
	struct shape shape = {0};

	while (shape.parts < NFT_SET_PARTS && types[shape.parts] != NFT_TYPE_NONE) {
		uint32_t len = type_len(types[shape.parts]);

		shape.type = shape.type << 6 | types[shape.parts++];
		shape.len += (len + 3) & ~3U;
	}
	if (shape.parts == 1)
		shape.len = type_len(types[0]);
	return shape;
}

static void put_parts(struct netlink_batch *batch, const enum nft_type *types, size_t count)
{
	size_t description = netlink_nest(batch, NFTA_SET_DESC);
	size_t concat = netlink_nest(batch, NFTA_SET_DESC_CONCAT);

	for (size_t i = 0; i < count; i++) {
		size_t item = netlink_nest(batch, NFTA_LIST_ELEM);

		netlink_put_be32(batch, NFTA_SET_FIELD_LEN, type_len(types[i]));
		netlink_nest_end(batch, item);
	}
	netlink_nest_end(batch, concat);
	netlink_nest_end(batch, description);
}

void nft_put_set(struct netlink_batch *batch, const char *table, const struct nft_set *set)
{
	struct shape key = shape_of(set->key), data = shape_of(set->data);
	uint32_t flags = 0;

	if (data.parts)
		flags |= NFT_SET_MAP;
	if (set->interval)
		flags |= NFT_SET_INTERVAL;
	if (set->interval && key.parts > 1)
		flags |= NFT_SET_CONCAT;
	begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	netlink_put_text(batch, NFTA_SET_TABLE, table);
	netlink_put_text(batch, NFTA_SET_NAME, set->name);
	netlink_put_be32(batch, NFTA_SET_FLAGS, flags);
	netlink_put_be32(batch, NFTA_SET_KEY_TYPE, key.type);
	netlink_put_be32(batch, NFTA_SET_KEY_LEN, key.len);
	if (data.parts) {
		netlink_put_be32(batch, NFTA_SET_DATA_TYPE, data.type);
		netlink_put_be32(batch, NFTA_SET_DATA_LEN, data.len);
	}
	netlink_put_be32(batch, NFTA_SET_ID, set->id);
	if (key.parts > 1 && set->interval)
		put_parts(batch, set->key, key.parts);
}

static void begin_list(struct nft_elements *elements)
{
	begin(elements->batch, elements->message,
	      elements->message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	netlink_put_text(elements->batch, NFTA_SET_ELEM_LIST_TABLE, elements->table);
	netlink_put_text(elements->batch, NFTA_SET_ELEM_LIST_SET, elements->set);
	elements->list = netlink_nest(elements->batch, NFTA_SET_ELEM_LIST_ELEMENTS);
}

void nft_elements_begin(struct nft_elements *elements, struct netlink_batch *batch,
			const char *table, const char *set, bool remove)
{
	*elements = (struct nft_elements){
		.batch = batch,
		.table = table,
		.set = set,
		.message = remove ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM,
	};
	begin_list(elements);
}

static void put_value(struct netlink_batch *batch, uint16_t type, const void *value, size_t len)
{
	size_t nest = netlink_nest(batch, type);

	netlink_put(batch, NFTA_DATA_VALUE, value, len);
	netlink_nest_end(batch, nest);
}

void nft_put_element(struct nft_elements *elements, const void *key, const void *end,
		     size_t key_len, const void *data, size_t data_len)
{
	struct netlink_batch *batch = elements->batch;
	size_t element;

	if (batch->bytes.len - elements->list > ELEMENTS_MAX_BYTES) {
		netlink_nest_end(batch, elements->list);
		begin_list(elements);
	}
	element = netlink_nest(batch, NFTA_LIST_ELEM);
	put_value(batch, NFTA_SET_ELEM_KEY, key, key_len);
	if (end)
		put_value(batch, NFTA_SET_ELEM_KEY_END, end, key_len);
	if (data)
		put_value(batch, NFTA_SET_ELEM_DATA, data, data_len);
	netlink_nest_end(batch, element);
}

void nft_elements_end(struct nft_elements *elements)
{
	netlink_nest_end(elements->batch, elements->list);
}

/* ---- what is in a set ---- */

struct key_query {
	nft_each_key_fn *each;
	void *context;
};

static int take_element(const struct nlattr *element, void *context)
{
	const struct nlattr *parts[NFTA_SET_ELEM_MAX + 1], *data[NFTA_DATA_MAX + 1];
	const struct key_query *query = context;
	const struct nlattr *key;

	if (netlink_nested(element, parts, ARRAY_SIZE(parts)) < 0 ||
	    netlink_nested(parts[NFTA_SET_ELEM_KEY], data, ARRAY_SIZE(data)) < 0)
		return -EBADMSG;
	key = data[NFTA_DATA_VALUE];
	if (!key)
		return 0;
	return query->each(netlink_get(key, 0), key->nla_len - (size_t)NLA_HDRLEN, query->context);
}

static int take_elements(const struct nlmsghdr *answer, void *context)
{
	const struct nlattr *found[NFTA_SET_ELEM_LIST_MAX + 1];

	if (netlink_attributes(answer, sizeof(struct nfgenmsg), found, ARRAY_SIZE(found)) < 0)
		return -EBADMSG;
	return netlink_each_nested(found[NFTA_SET_ELEM_LIST_ELEMENTS], take_element, context);
}

int nft_each_key(int sock, const char *table, const char *set, nft_each_key_fn *each, void *context)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct key_query query = {each, context};

	begin(&batch, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	netlink_put_text(&batch, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_put_text(&batch, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_ask(sock, &batch, take_elements, &query);
}

/* ---- rules ---- */

void nft_rule_begin(struct nft_rule *rule, struct netlink_batch *batch, const char *table,
		    const char *chain)
{
	begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_put_text(batch, NFTA_RULE_TABLE, table);
	netlink_put_text(batch, NFTA_RULE_CHAIN, chain);
	rule->batch = batch;
	rule->expressions = netlink_nest(batch, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft_rule *rule)
{
	netlink_nest_end(rule->batch, rule->expressions);
}

struct expression {
	struct netlink_batch *batch;
	size_t item, data;
};

static struct expression expression_begin(struct nft_rule *rule, const char *name)
{
	struct expression e = {.batch = rule->batch};

	e.item = netlink_nest(e.batch, NFTA_LIST_ELEM);
	netlink_put_text(e.batch, NFTA_EXPR_NAME, name);
	e.data = netlink_nest(e.batch, NFTA_EXPR_DATA);
	return e;
}

static void expression_end(const struct expression *e)
{
	netlink_nest_end(e->batch, e->data);
	netlink_nest_end(e->batch, e->item);
}

void nft_put_meta(struct nft_rule *rule, enum nft_meta_keys key, uint32_t reg)
{
	struct expression e = expression_begin(rule, "meta");

	netlink_put_be32(e.batch, NFTA_META_KEY, key);
	netlink_put_be32(e.batch, NFTA_META_DREG, reg);
	expression_end(&e);
}

void nft_put_payload(struct nft_rule *rule, enum nft_payload_bases base, uint32_t offset,
		     uint32_t len, uint32_t reg)
{
	struct expression e = expression_begin(rule, "payload");

	netlink_put_be32(e.batch, NFTA_PAYLOAD_DREG, reg);
	netlink_put_be32(e.batch, NFTA_PAYLOAD_BASE, base);
	netlink_put_be32(e.batch, NFTA_PAYLOAD_OFFSET, offset);
	netlink_put_be32(e.batch, NFTA_PAYLOAD_LEN, len);
	expression_end(&e);
}

void nft_put_cmp(struct nft_rule *rule, enum nft_cmp_ops op, uint32_t reg, const void *data,
		 size_t len)
{
	struct expression e = expression_begin(rule, "cmp");

	netlink_put_be32(e.batch, NFTA_CMP_SREG, reg);
	netlink_put_be32(e.batch, NFTA_CMP_OP, op);
	put_value(e.batch, NFTA_CMP_DATA, data, len);
	expression_end(&e);
}

void nft_put_lookup(struct nft_rule *rule, const char *set, uint32_t reg, bool invert)
{
	struct expression e = expression_begin(rule, "lookup");

	netlink_put_text(e.batch, NFTA_LOOKUP_SET, set);
	netlink_put_be32(e.batch, NFTA_LOOKUP_SREG, reg);
	if (invert)
		netlink_put_be32(e.batch, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expression_end(&e);
}

void nft_put_map(struct nft_rule *rule, const char *set, uint32_t reg, uint32_t data_reg)
{
	struct expression e = expression_begin(rule, "lookup");

	netlink_put_text(e.batch, NFTA_LOOKUP_SET, set);
	netlink_put_be32(e.batch, NFTA_LOOKUP_SREG, reg);
	netlink_put_be32(e.batch, NFTA_LOOKUP_DREG, data_reg);
	expression_end(&e);
}

static void put_and(struct nft_rule *rule, uint32_t reg, uint32_t mask)
{
	struct expression e = expression_begin(rule, "bitwise");
	const uint32_t none = 0;

	netlink_put_be32(e.batch, NFTA_BITWISE_SREG, reg);
	netlink_put_be32(e.batch, NFTA_BITWISE_DREG, reg);
	netlink_put_be32(e.batch, NFTA_BITWISE_LEN, sizeof(mask));
	put_value(e.batch, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_value(e.batch, NFTA_BITWISE_XOR, &none, sizeof(none));
	expression_end(&e);
}

void nft_put_ct_any(struct nft_rule *rule, enum nft_ct_keys key, uint32_t mask)
{
	struct expression e = expression_begin(rule, "ct");
	const uint32_t none = 0;

	netlink_put_be32(e.batch, NFTA_CT_KEY, key);
	netlink_put_be32(e.batch, NFTA_CT_DREG, NFT_REG32_00);
	expression_end(&e);
	put_and(rule, NFT_REG32_00, mask);
	nft_put_cmp(rule, NFT_CMP_NEQ, NFT_REG32_00, &none, sizeof(none));
}

void nft_put_fib_type(struct nft_rule *rule, uint32_t flags, uint32_t type)
{
	struct expression e = expression_begin(rule, "fib");

	netlink_put_be32(e.batch, NFTA_FIB_DREG, NFT_REG32_00);
	netlink_put_be32(e.batch, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	netlink_put_be32(e.batch, NFTA_FIB_FLAGS, flags);
	expression_end(&e);
	nft_put_cmp(rule, NFT_CMP_EQ, NFT_REG32_00, &type, sizeof(type));
}

void nft_put_dnat(struct nft_rule *rule, int family, uint32_t addr_reg, uint32_t port_reg)
{
	struct expression e = expression_begin(rule, "nat");

	netlink_put_be32(e.batch, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	netlink_put_be32(e.batch, NFTA_NAT_FAMILY,
			 family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	netlink_put_be32(e.batch, NFTA_NAT_REG_ADDR_MIN, addr_reg);
	if (port_reg)
		netlink_put_be32(e.batch, NFTA_NAT_REG_PROTO_MIN, port_reg);
	expression_end(&e);
}

void nft_put_masquerade(struct nft_rule *rule)
{
	struct expression e = expression_begin(rule, "masq");

	expression_end(&e);
}

void nft_put_value(struct nft_rule *rule, uint32_t reg, const void *data, size_t len)
{
	struct expression e = expression_begin(rule, "immediate");

	netlink_put_be32(e.batch, NFTA_IMMEDIATE_DREG, reg);
	put_value(e.batch, NFTA_IMMEDIATE_DATA, data, len);
	expression_end(&e);
}

void nft_put_verdict(struct nft_rule *rule, int32_t verdict, const char *chain)
{
	struct expression e = expression_begin(rule, "immediate");
	size_t data, code;

	netlink_put_be32(e.batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = netlink_nest(e.batch, NFTA_IMMEDIATE_DATA);
	code = netlink_nest(e.batch, NFTA_DATA_VERDICT);
	netlink_put_be32(e.batch, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain)
		netlink_put_text(e.batch, NFTA_VERDICT_CHAIN, chain);
	netlink_nest_end(e.batch, code);
	netlink_nest_end(e.batch, data);
	expression_end(&e);
}
