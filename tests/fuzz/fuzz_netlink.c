/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_netlink.c - what the kernel answers: messages, attributes, nests, texts */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/netlink.h"
#include "sys/nftables.h"

#define TYPES 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t checksum;

/* Everything that is handed out is read, so that the sanitizer sees what is not there. */
static void read_all(const struct nlattr *const found[TYPES], unsigned int depth)
{
	for (size_t i = 0; i < TYPES; i++) {
		const struct nlattr *inner[TYPES];
		const char *text = netlink_get_text(found[i]);

		checksum += netlink_get_u32(found[i]) + netlink_get_u16(found[i]);
		checksum += text ? (uint32_t)strlen(text) : 0;
		if (depth < 3 && found[i] && netlink_nested(found[i], inner, TYPES) == 0)
			read_all(inner, depth + 1);
	}
}

static int take(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *found[TYPES];
	const size_t *header_len = context;
	struct nft_chain_info chain;
	struct nft_rule_info rule;

	if (nft_chain_parse(message, &chain) == 0)
		checksum += (uint32_t)(strlen(chain.table) + strlen(chain.name));
	if (nft_rule_parse(message, &rule) == 0)
		checksum += (uint32_t)(strlen(rule.table) + strlen(rule.chain));
	if (netlink_attributes(message, *header_len, found, TYPES) == 0)
		read_all(found, 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t header_lengths[] = {0, 1, 4, 16, 20, 72};
	auto_free uint8_t *packet = NULL;
	size_t header_len;

	if (size == 0)
		return 0;
	header_len = header_lengths[data[0] % ARRAY_SIZE(header_lengths)];
	packet = xmemdup(data + 1, size - 1); /* aligned, and no longer than it says */
	(void)netlink_walk(packet, size - 1, take, &header_len);
	return 0;
}
