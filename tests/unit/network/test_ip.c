/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "network/ip.h"

static struct ip_network network(const char *text)
{
	struct ip_network network;

	if (ip_network_parse(text, &network) < 0)
		fail_msg("%s is no network", text);
	return network;
}

static struct ip_address address(const char *text)
{
	struct ip_address address;

	if (ip_address_parse(text, &address) < 0)
		fail_msg("%s is no address", text);
	return address;
}

static void texts_and_back(void **state)
{
	static const char *const good[] = {"0.0.0.0/0", "10.1.2.3/16", "255.255.255.255/32",
					   "::/0",      "fd12::2/64",  "2001:db8::1/128"};
	static const char *const bad[] = {"",
					  "10.0.0.0",
					  "10.0.0.0/",
					  "/8",
					  "10.0.0.0/33",
					  "10.0.0/8",
					  "010.0.0.0/8",
					  "fd::/129",
					  "10.0.0.0/-1",
					  "10.0.0.0/+8",
					  "10.0.0.0/8 ",
					  "[::1]/64"};
	struct ip_network parsed;
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		parsed = network(good[i]);
		ip_network_format(&parsed, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ip_network_parse(bad[i], &parsed) == 0)
			fail_msg("'%s' was accepted", bad[i]);
}

static void hosts_are_counted_from_the_first_address(void **state)
{
	static const struct {
		const char *network, *address;
		int64_t offset;
	} cases[] = {
		{"10.1.2.3/16", "10.1.0.0", 0},
		{"10.1.2.3/16", "10.1.255.255", 65535},
		{"10.1.2.8/29", "10.1.2.15", 7},
		{"10.1.2.3/32", "10.1.2.3", 0},
		{"10.1.2.3/31", "10.1.2.3", 1},
		{"0.0.0.0/0", "255.255.255.255", 4294967295},
		{"fd12::/64", "fd12::1:0:2", INT64_C(0x100000002)},
		{"fd12::/120", "fd12::ff", 255},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_network in = network(cases[i].network);
		struct ip_address wanted = address(cases[i].address);
		struct ip_address found = ip_network_at(&in, cases[i].offset);

		assert_true(ip_address_equal(&found, &wanted));
		assert_true(ip_network_has(&in, &wanted));
		assert_int_equal(ip_network_offset(&in, &wanted), cases[i].offset);
	}
}

static void an_offset_that_is_too_far_away_is_none(void **state)
{
	struct ip_network wide = network("fd00::/8");
	struct ip_address far = address("fd12::1");

	(void)state;
	assert_int_equal(ip_network_offset(&wide, &far), -1);
	assert_int_equal(ip_network_size(&wide), INT64_MAX);
	wide = network("10.0.0.0/8");
	assert_int_equal(ip_network_size(&wide), 1 << 24);
}

static void networks_overlap_when_one_is_in_the_other(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} cases[] = {
		{"10.0.0.0/8", "10.200.0.0/16", true},     {"10.0.0.0/9", "10.128.0.0/9", false},
		{"172.17.0.0/16", "172.17.0.0/16", true},  {"172.17.0.5/32", "172.17.0.5/32", true},
		{"172.17.0.4/31", "172.17.0.6/31", false}, {"0.0.0.0/0", "192.0.2.0/24", true},
		{"::/0", "192.0.2.0/24", false},           {"fd00::/63", "fd00:0:0:1::/64", true},
		{"fd00::/64", "fd00:0:0:1::/64", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_network a = network(cases[i].a), b = network(cases[i].b);

		if (ip_network_overlaps(&a, &b) != cases[i].overlap ||
		    ip_network_overlaps(&b, &a) != cases[i].overlap)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		bool loopback, any;
	} cases[] = {
		{"127.0.0.1", true, false},  {"127.255.0.9", true, false},
		{"128.0.0.1", false, false}, {"0.0.0.0", false, true},
		{"::1", true, false},        {"::", false, true},
		{"::2", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_address a = address(cases[i].text);

		assert_int_equal(ip_address_is_loopback(&a), cases[i].loopback);
		assert_int_equal(ip_address_is_any(&a), cases[i].any);
	}
}

static void hardware_addresses(void **state)
{
	static const char *const bad[] = {"",
					  "02:42:ac:11:00",
					  "02:42:ac:11:00:02:03",
					  "02:42:ac:11:00:0g",
					  "02-42-ac-11-00-02",
					  "2:42:ac:11:00:002",
					  "01:42:ac:11:00:02",
					  "02:42:ac:11:00:02 "};
	char text[MAC_TEXT_SIZE];
	uint8_t mac[6];

	(void)state;
	assert_int_equal(mac_parse("02:42:AC:11:00:02", mac), 0);
	mac_format(mac, text);
	assert_string_equal(text, "02:42:ac:11:00:02");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (mac_parse(bad[i], mac) == 0)
			fail_msg("'%s' was accepted", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_back),
		cmocka_unit_test(hosts_are_counted_from_the_first_address),
		cmocka_unit_test(an_offset_that_is_too_far_away_is_none),
		cmocka_unit_test(networks_overlap_when_one_is_in_the_other),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(hardware_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
