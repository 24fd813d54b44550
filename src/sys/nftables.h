/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nftables.h - the packet filter's tables, chains, rules, sets and elements, as messages of a batch
 *
 *	nft_begin(&batch);
 *	nft_put_table(&batch, "skiff");
 *	…
 *	nft_end(&batch);
 *	r = netlink_send(sock, &batch, &failure);     sock: netlink_open(NETLINK_NETFILTER)
 *
 * Between begin and end everything happens at once or not at all. All is of family inet. Adding what is
 * there already (the same element, the same chain) is success; an element that is there with another
 * value is -EEXIST; deleting what is not there is -ENOENT.
 *
 * A rule is nft_rule_begin(), expressions in the order they are evaluated, nft_rule_end(). Expressions
 * work on registers of 4 bytes: NFT_REG32_00 is the first of sixteen; a key of several parts lies in
 * registers that follow each other, each part padded to 4 bytes.
 */
#ifndef SKIFF_SYS_NFTABLES_H
#define SKIFF_SYS_NFTABLES_H

#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/netlink.h"

void nft_begin(struct netlink_batch *batch);
void nft_end(struct netlink_batch *batch);

/*
 * The ruleset's generation, which every change of anybody's advances. A batch that begins with
 * nft_begin_at() is refused with -ERESTART when it is another one by then.
 */
int nft_generation(int sock, uint32_t *ret_generation);
void nft_begin_at(struct netlink_batch *batch, uint32_t generation);

void nft_put_table(struct netlink_batch *batch, const char *table);
void nft_put_table_delete(struct netlink_batch *batch, const char *table);

/* 1: it exists, 0: it does not. */
int nft_table_exists(int sock, const char *table);

/*
 * A socket that becomes readable when a table, chain, rule or set goes ("nft flush ruleset" does that), and
 * not when elements come and go. What can be read from it does not matter.
 */
int nft_watch_deletions(void);

#define NFT_NO_HOOK UINT32_MAX

struct nft_chain {
	const char *name;
	const char *type; /* "filter", "nat", … of a base chain */
	uint32_t hook;    /* NF_INET_*, or NFT_NO_HOOK: only jumped to */
	int32_t priority;
};
void nft_put_chain(struct netlink_batch *batch, const char *table, const struct nft_chain *chain);

/* Types as nft(8) names them, so that it can show what is in a set. */
enum nft_type {
	NFT_TYPE_NONE = 0,
	NFT_TYPE_IPV4 = 7,
	NFT_TYPE_IPV6 = 8,
	NFT_TYPE_PROTOCOL = 12,
	NFT_TYPE_PORT = 13,
	NFT_TYPE_IFNAME = 41,
};

#define NFT_SET_PARTS 3

struct nft_set {
	const char *name;
	enum nft_type key[NFT_SET_PARTS];  /* NFT_TYPE_NONE ends it */
	enum nft_type data[NFT_SET_PARTS]; /* NFT_TYPE_NONE: a set, not a map */
	bool interval;                     /* a key may be a range, part by part */
	uint32_t id;                       /* any number that is unique in its batch */
};
void nft_put_set(struct netlink_batch *batch, const char *table, const struct nft_set *set);

/* Elements of one set: begin, any number of nft_put_element(), end. */
struct nft_elements {
	struct netlink_batch *batch;
	const char *table, *set;
	uint16_t message;
	size_t list;
};
void nft_elements_begin(struct nft_elements *elements, struct netlink_batch *batch,
			const char *table, const char *set, bool remove);
/* `end` (NULL: none) makes the key a range, `data` (NULL: none) is a map's value. */
void nft_put_element(struct nft_elements *elements, const void *key, const void *end,
		     size_t key_len, const void *data, size_t data_len);
void nft_elements_end(struct nft_elements *elements);

/* Calls `each` with the keys that are in a set. -ENOENT when there is no such set. */
typedef int nft_each_key_fn(const void *key, size_t len, void *context);
int nft_each_key(int sock, const char *table, const char *set, nft_each_key_fn *each,
		 void *context);

/* ---- what everybody's rules are, for who looks on (nftables_survey.c) ---- */

/* Texts are borrowed for the call. */
struct nft_chain_info {
	uint8_t family; /* NFPROTO_* */
	const char *table, *name;
	bool is_base;
	uint32_t hook; /* NF_INET_*, of a base chain */
	bool drops;    /* its policy */
};

/* What a rule may do to a packet that it matches. A jump, or a verdict from a map, may do both. */
struct nft_rule_info {
	uint8_t family;
	const char *table, *chain;
	bool may_accept, may_drop;
};

/* Of all families and tables. A result that is not 0 ends it. */
typedef int nft_chain_fn(const struct nft_chain_info *chain, void *context);
int nft_each_chain(int sock, nft_chain_fn *each, void *context);
typedef int nft_rule_fn(const struct nft_rule_info *rule, void *context);
int nft_each_rule(int sock, nft_rule_fn *each, void *context);

/*
 * One message of either kind, as the kernel sends it or as a batch of ours has it. -EBADMSG when it is
 * none.
 */
int nft_chain_parse(const struct nlmsghdr *message, struct nft_chain_info *ret_chain);
int nft_rule_parse(const struct nlmsghdr *message, struct nft_rule_info *ret_rule);

/* ---- rules ---- */

struct nft_rule {
	struct netlink_batch *batch;
	size_t expressions;
};
void nft_rule_begin(struct nft_rule *rule, struct netlink_batch *batch, const char *table,
		    const char *chain);
void nft_rule_end(struct nft_rule *rule);

void nft_put_meta(struct nft_rule *rule, enum nft_meta_keys key, uint32_t reg);
void nft_put_payload(struct nft_rule *rule, enum nft_payload_bases base, uint32_t offset,
		     uint32_t len, uint32_t reg);
void nft_put_cmp(struct nft_rule *rule, enum nft_cmp_ops op, uint32_t reg, const void *data,
		 size_t len);
/* In the set (or, with `invert`, not in it). */
void nft_put_lookup(struct nft_rule *rule, const char *set, uint32_t reg, bool invert);
/* The map's value goes to data_reg; without an element the rule ends here. */
void nft_put_map(struct nft_rule *rule, const char *set, uint32_t reg, uint32_t data_reg);
/* Whether any bit of `mask` is set: ct state, ct status. */
void nft_put_ct_any(struct nft_rule *rule, enum nft_ct_keys key, uint32_t mask);
/* The destination (or with NFTA_FIB_F_SADDR the source) is of this address type (RTN_*). */
void nft_put_fib_type(struct nft_rule *rule, uint32_t flags, uint32_t type);
/* Destination becomes the address at addr_reg and, when port_reg is not 0, the port at port_reg. */
void nft_put_dnat(struct nft_rule *rule, int family, uint32_t addr_reg, uint32_t port_reg);
void nft_put_masquerade(struct nft_rule *rule);
/* A constant into a register. */
void nft_put_value(struct nft_rule *rule, uint32_t reg, const void *data, size_t len);
/* NF_ACCEPT, NF_DROP, NFT_RETURN, or NFT_JUMP to `chain`. */
void nft_put_verdict(struct nft_rule *rule, int32_t verdict, const char *chain);

#endif
