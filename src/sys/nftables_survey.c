/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nftables_survey.c - reading the chains and rules of all tables, ours and others'
 *
 * Only what is needed to say whether a packet may be kept from its way: which verdicts a rule can reach,
 * not when it does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/nftables.h"

static bool is_message(const struct nlmsghdr *message, uint16_t type)
{
	return message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	       message->nlmsg_len >= NLMSG_SPACE(sizeof(struct nfgenmsg));
}

static uint8_t family_of(const struct nlmsghdr *message)
{
	return ((const struct nfgenmsg *)NLMSG_DATA(message))->nfgen_family;
}

/* ---- chains ---- */

int nft_chain_parse(const struct nlmsghdr *message, struct nft_chain_info *ret_chain)
{
	const struct nlattr *found[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1] = {0};
	struct nft_chain_info chain = {0};

	if (!is_message(message, NFT_MSG_NEWCHAIN) ||
	    netlink_attributes(message, sizeof(struct nfgenmsg), found, ARRAY_SIZE(found)) < 0)
		return -EBADMSG;
	chain.family = family_of(message);
	chain.table = netlink_get_text(found[NFTA_CHAIN_TABLE]);
	chain.name = netlink_get_text(found[NFTA_CHAIN_NAME]);
	if (!chain.table || !chain.name)
		return -EBADMSG;
	if (found[NFTA_CHAIN_HOOK]) {
		if (netlink_nested(found[NFTA_CHAIN_HOOK], hook, ARRAY_SIZE(hook)) < 0)
			return -EBADMSG;
		chain.is_base = true;
		chain.hook = ntohl(netlink_get_u32(hook[NFTA_HOOK_HOOKNUM]));
		chain.drops = found[NFTA_CHAIN_POLICY] &&
			      ntohl(netlink_get_u32(found[NFTA_CHAIN_POLICY])) == NF_DROP;
	}
	*ret_chain = chain;
	return 0;
}

/* ---- rules ---- */

static void note_verdict(const struct nlattr *data, struct nft_rule_info *rule)
{
	const struct nlattr *value[NFTA_DATA_MAX + 1], *verdict[NFTA_VERDICT_MAX + 1];
	uint32_t code;

	if (netlink_nested(data, value, ARRAY_SIZE(value)) < 0 || !value[NFTA_DATA_VERDICT] ||
	    netlink_nested(value[NFTA_DATA_VERDICT], verdict, ARRAY_SIZE(verdict)) < 0)
		return;
	code = ntohl(netlink_get_u32(verdict[NFTA_VERDICT_CODE]));
	if (code == NF_DROP) {
		rule->may_drop = true;
	} else if (code == NF_ACCEPT) {
		rule->may_accept = true;
	} else if (code != (uint32_t)NFT_RETURN && code != (uint32_t)NFT_CONTINUE) {
		rule->may_accept = true;
		rule->may_drop = true;
	}
}

/* "target" is iptables' own, which we know nothing about. */
static int note_expression(const struct nlattr *expression, void *context)
{
	const struct nlattr *parts[NFTA_EXPR_MAX + 1], *data[NFTA_LOOKUP_MAX + 1];
	struct nft_rule_info *rule = context;
	const char *name;

	if (netlink_nested(expression, parts, ARRAY_SIZE(parts)) < 0)
		return -EBADMSG;
	name = netlink_get_text(parts[NFTA_EXPR_NAME]);
	if (!name)
		return -EBADMSG;
	if (strcmp(name, "reject") == 0)
		rule->may_drop = true;
	if (strcmp(name, "target") == 0 || strcmp(name, "queue") == 0)
		rule->may_drop = rule->may_accept = true;
	if (!parts[NFTA_EXPR_DATA])
		return 0;
	if (strcmp(name, "immediate") == 0 &&
	    netlink_nested(parts[NFTA_EXPR_DATA], data, ARRAY_SIZE(data)) == 0 &&
	    data[NFTA_IMMEDIATE_DATA])
		note_verdict(data[NFTA_IMMEDIATE_DATA], rule);
	if (strcmp(name, "lookup") == 0 &&
	    netlink_nested(parts[NFTA_EXPR_DATA], data, ARRAY_SIZE(data)) == 0 &&
	    data[NFTA_LOOKUP_DREG] &&
	    ntohl(netlink_get_u32(data[NFTA_LOOKUP_DREG])) == NFT_REG_VERDICT)
		rule->may_drop = rule->may_accept = true;
	return 0;
}

int nft_rule_parse(const struct nlmsghdr *message, struct nft_rule_info *ret_rule)
{
	const struct nlattr *found[NFTA_RULE_MAX + 1];
	struct nft_rule_info rule = {0};

	if (!is_message(message, NFT_MSG_NEWRULE) ||
	    netlink_attributes(message, sizeof(struct nfgenmsg), found, ARRAY_SIZE(found)) < 0)
		return -EBADMSG;
	rule.family = family_of(message);
	rule.table = netlink_get_text(found[NFTA_RULE_TABLE]);
	rule.chain = netlink_get_text(found[NFTA_RULE_CHAIN]);
	if (!rule.table || !rule.chain)
		return -EBADMSG;
	if (found[NFTA_RULE_EXPRESSIONS] &&
	    netlink_each_nested(found[NFTA_RULE_EXPRESSIONS], note_expression, &rule) < 0)
		return -EBADMSG;
	*ret_rule = rule;
	return 0;
}

/* ---- all of them ---- */

struct survey {
	nft_chain_fn *chain;
	nft_rule_fn *rule;
	void *context;
};

static int take(const struct nlmsghdr *answer, void *context)
{
	const struct survey *survey = context;
	struct nft_chain_info chain;
	struct nft_rule_info rule;
	int r;

	if (survey->chain) {
		r = nft_chain_parse(answer, &chain);
		return r < 0 ? r : survey->chain(&chain, survey->context);
	}
	r = nft_rule_parse(answer, &rule);
	return r < 0 ? r : survey->rule(&rule, survey->context);
}

static int ask(int sock, uint16_t type, struct survey *survey)
{
	const struct nfgenmsg every = {.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};

	netlink_begin(&batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, &every,
		      sizeof(every));
	return netlink_ask(sock, &batch, take, survey);
}

int nft_each_chain(int sock, nft_chain_fn *each, void *context)
{
	struct survey survey = {.chain = each, .context = context};

	return ask(sock, NFT_MSG_GETCHAIN, &survey);
}

int nft_each_rule(int sock, nft_rule_fn *each, void *context)
{
	struct survey survey = {.rule = each, .context = context};

	return ask(sock, NFT_MSG_GETRULE, &survey);
}
