/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "sys/netlink.h"

struct seen {
	uint16_t types[8];
	size_t count;
	int result; /* what the callback gives back */
};

static int note(const struct nlmsghdr *message, void *context)
{
	struct seen *seen = context;

	assert_true(seen->count < ARRAY_SIZE(seen->types));
	seen->types[seen->count++] = message->nlmsg_type;
	return seen->result;
}

/* Two messages; a dump's answers look like that. The second's length is written last. */
static void build(struct netlink_batch *batch, const char *text)
{
	const uint32_t header = 7;

	netlink_begin(batch, 21, 0, &header, sizeof(header));
	netlink_put_u32(batch, 1, 0x2a2a2a2a);
	netlink_begin(batch, 22, 0, &header, sizeof(header));
	netlink_put_text(batch, 3, text);
	((struct nlmsghdr *)(void *)(batch->bytes.data + batch->message))->nlmsg_len =
		(uint32_t)(batch->bytes.len - batch->message);
}

static void messages_are_walked_over(void **state)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	struct seen seen = {0};

	(void)state;
	build(&batch, "eth0");
	assert_int_equal(netlink_walk(batch.bytes.data, batch.bytes.len, note, &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.types[0], 21);
	assert_int_equal(seen.types[1], 22);
	seen = (struct seen){.result = -ECANCELED};
	assert_int_equal(netlink_walk(batch.bytes.data, batch.bytes.len, note, &seen), -ECANCELED);
	assert_int_equal(seen.count, 1);
}

static void a_packet_that_is_cut_is_noticed(void **state)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};

	(void)state;
	build(&batch, "eth0");
	for (size_t len = 1; len < batch.bytes.len; len++) {
		/* A copy of that length: what is read beyond it the sanitizer sees. */
		auto_free char *copy = xmemdup(batch.bytes.data, len);
		struct seen seen = {0};
		int r = netlink_walk(copy, len, note, &seen);

		if (len == batch.message)
			assert_int_equal(r, 0);
		else
			assert_int_equal(r, -EBADMSG);
	}
}

static void attributes_are_found_by_type(void **state)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	const struct nlattr *found[4];
	const struct nlmsghdr *message;

	(void)state;
	build(&batch, "eth0");
	message = (const void *)batch.bytes.data;
	assert_int_equal(netlink_attributes(message, sizeof(uint32_t), found, ARRAY_SIZE(found)),
			 0);
	assert_int_equal(netlink_get_u32(found[1]), 0x2a2a2a2a);
	assert_null(found[3]);
	assert_null(netlink_get_text(found[1])); /* it does not end */
	message = (const void *)(batch.bytes.data + batch.message);
	assert_int_equal(netlink_attributes(message, sizeof(uint32_t), found, ARRAY_SIZE(found)),
			 0);
	assert_string_equal(netlink_get_text(found[3]), "eth0");
	assert_int_equal(netlink_get_u32(found[1]), 0);
}

static void lengths_that_lie_are_noticed(void **state)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	static const uint16_t lengths[] = {0, 3, 13, 0xffff};
	const struct nlattr *found[4];
	struct nlattr *attribute;

	(void)state;
	build(&batch, "eth0");
	attribute = (void *)(batch.bytes.data + NLMSG_HDRLEN + sizeof(uint32_t));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		attribute->nla_len = lengths[i];
		assert_int_equal(netlink_attributes((const void *)batch.bytes.data,
						    sizeof(uint32_t), found, ARRAY_SIZE(found)),
				 -EBADMSG);
	}
	assert_int_equal(netlink_attributes((const void *)batch.bytes.data, 4096, found,
					    ARRAY_SIZE(found)),
			 -EBADMSG);
}

static void nests_hold_attributes(void **state)
{
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	const struct nlattr *found[4], *inner[4];
	const uint32_t header = 0;
	size_t nest;

	(void)state;
	netlink_begin(&batch, 21, 0, &header, sizeof(header));
	nest = netlink_nest(&batch, 2);
	netlink_put_u16(&batch, 1, 1400);
	netlink_nest_end(&batch, nest);
	((struct nlmsghdr *)(void *)batch.bytes.data)->nlmsg_len = (uint32_t)batch.bytes.len;
	assert_int_equal(netlink_attributes((const void *)batch.bytes.data, sizeof(header), found,
					    ARRAY_SIZE(found)),
			 0);
	assert_int_equal(netlink_nested(found[2], inner, ARRAY_SIZE(inner)), 0);
	assert_int_equal(netlink_get_u16(inner[1]), 1400);
	assert_int_equal(netlink_nested(NULL, inner, ARRAY_SIZE(inner)), 0);
	assert_null(inner[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_walked_over),
		cmocka_unit_test(a_packet_that_is_cut_is_noticed),
		cmocka_unit_test(attributes_are_found_by_type),
		cmocka_unit_test(lengths_that_lie_are_noticed),
		cmocka_unit_test(nests_hold_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
