/* SPDX-License-Identifier: Apache-2.0 */
#include "network/firewall_survey.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "network/firewall_internal.h"
#include "sys/nftables.h"

/*
 * What we would write if the table were not there is the list of what it must have: the same messages
 * are counted in a batch that is never sent, and in what the kernel has.
 */
#define CHAINS_MAX 16

struct chain_count {
	char name[32];
	bool is_there;
	unsigned int wanted, found; /* rules */
};

struct survey {
	struct firewall_survey *result;
	struct chain_count chains[CHAINS_MAX];
	size_t chain_count;
};

static bool is_ours(uint8_t family, const char *table)
{
	return family == NFPROTO_INET && strcmp(table, FIREWALL_TABLE) == 0;
}

static struct chain_count *find_chain(struct survey *survey, const char *name)
{
	for (size_t i = 0; i < survey->chain_count; i++)
		if (strcmp(survey->chains[i].name, name) == 0)
			return &survey->chains[i];
	return NULL;
}

static int want(const struct nlmsghdr *message, void *context)
{
	struct survey *survey = context;
	struct nft_chain_info chain;
	struct nft_rule_info rule;

	if (nft_chain_parse(message, &chain) == 0 && survey->chain_count < CHAINS_MAX)
		(void)snprintf(survey->chains[survey->chain_count++].name,
			       sizeof(survey->chains[0].name), "%s", chain.name);
	if (nft_rule_parse(message, &rule) == 0 && find_chain(survey, rule.chain))
		find_chain(survey, rule.chain)->wanted++;
	return 0;
}

/* nft_end() closes the last message before its own, which has no length yet and says nothing. */
static void want_table(struct survey *survey)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};

	nft_begin(&batch);
	firewall_put_table(&batch);
	nft_end(&batch);
	(void)netlink_walk(batch.bytes.data, batch.message, want, survey);
}

/* ---- what there is ---- */

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_NETDEV:
		return "netdev";
	}
	return "unknown";
}

static void note_table(struct firewall_survey *result, uint8_t family, const char *table)
{
	auto_free char *name = xasprintf("%s %s", family_name(family), table);

	if (!strv_has(&result->tables, name))
		strv_add(&result->tables, name);
}

static bool is_on_the_way(const struct nft_chain_info *chain)
{
	bool routed = chain->family == NFPROTO_IPV4 || chain->family == NFPROTO_IPV6 ||
		      chain->family == NFPROTO_INET;

	return chain->is_base && routed &&
	       (chain->hook == NF_INET_PRE_ROUTING || chain->hook == NF_INET_FORWARD ||
		chain->hook == NF_INET_POST_ROUTING);
}

static int take_chain(const struct nft_chain_info *chain, void *context)
{
	struct survey *survey = context;
	struct firewall_survey *result = survey->result;
	struct chain_count *ours;

	if (is_ours(chain->family, chain->table)) {
		result->has_table = true;
		ours = find_chain(survey, chain->name);
		if (ours)
			ours->is_there = true;
		return 0;
	}
	note_table(result, chain->family, chain->table);
	if (!is_on_the_way(chain))
		return 0;
	result->gates =
		xreallocarray(result->gates, result->gate_count + 1, sizeof(*result->gates));
	result->gates[result->gate_count++] = (struct firewall_gate){
		.name = xasprintf("%s %s %s", family_name(chain->family), chain->table,
				  chain->name),
		.v4 = chain->family != NFPROTO_IPV6,
		.v6 = chain->family != NFPROTO_IPV4,
		.drops = chain->drops,
	};
	return 0;
}

static int take_rule(const struct nft_rule_info *rule, void *context)
{
	struct survey *survey = context;
	auto_free char *name = NULL;
	struct chain_count *ours;

	if (is_ours(rule->family, rule->table)) {
		ours = find_chain(survey, rule->chain);
		if (ours)
			ours->found++;
		return 0;
	}
	name = xasprintf("%s %s %s", family_name(rule->family), rule->table, rule->chain);
	for (size_t i = 0; i < survey->result->gate_count; i++) {
		struct firewall_gate *gate = &survey->result->gates[i];

		if (strcmp(gate->name, name) != 0)
			continue;
		gate->accepts |= rule->may_accept;
		gate->refuses |= rule->may_drop;
	}
	return 0;
}

/* ---- what it means ---- */

static void note_faults(const struct survey *survey)
{
	struct strv *faults = &survey->result->faults;

	for (size_t i = 0; i < survey->chain_count && survey->result->has_table; i++) {
		const struct chain_count *chain = &survey->chains[i];

		if (!chain->is_there)
			strv_addf(faults, "the chain %s is missing", chain->name);
		else if (chain->found != chain->wanted)
			strv_addf(faults, "the chain %s has %u rules instead of %u", chain->name,
				  chain->found, chain->wanted);
	}
}

/* Those that let everything pass are no gates. */
static void drop_open_gates(struct firewall_survey *result)
{
	size_t kept = 0;

	for (size_t i = 0; i < result->gate_count; i++) {
		if (result->gates[i].drops || result->gates[i].refuses)
			result->gates[kept++] = result->gates[i];
		else
			free(result->gates[i].name);
	}
	result->gate_count = kept;
}

bool firewall_gate_is_shut(const struct firewall_gate *gate)
{
	return gate->drops && !gate->accepts;
}

int firewall_survey(int nft_sock, struct firewall_survey *ret_survey, struct error *err)
{
	auto_(firewall_survey_release) struct firewall_survey result = {0};
	struct survey survey = {.result = &result};
	const struct netlink_failure failure = {0};
	int r;

	want_table(&survey);
	r = nft_each_chain(nft_sock, take_chain, &survey);
	if (r == 0)
		r = nft_each_rule(nft_sock, take_rule, &survey);
	if (r < 0)
		return firewall_fail(r, &failure, "read the packet filter's rules", err);
	note_faults(&survey);
	drop_open_gates(&result);
	*ret_survey = result;
	result = (struct firewall_survey){0};
	return 0;
}

void firewall_survey_release(struct firewall_survey *survey)
{
	for (size_t i = 0; i < survey->gate_count; i++)
		free(survey->gates[i].name);
	free(survey->gates);
	strv_release(&survey->faults);
	strv_release(&survey->tables);
	*survey = (struct firewall_survey){0};
}
