/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "engine/network_ports.h"
#include "engine/network_spec.h"

static void a_name_is_a_name(void **state)
{
	static const char *const names[] = {"bridge", "none", "host", "container:web", "a,b", "x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_(network_spec_release) struct network_spec spec = {0};
		auto_(error_release) struct error err = {0};

		assert_parses(network_spec_parse(names[i], &spec, &err), &err);
		assert_string_equal(spec.name, names[i]);
	}
}

static void fields_in_any_order(void **state)
{
	auto_(network_spec_release) struct network_spec spec = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_parses(network_spec_parse("alias=a,ip=10.0.0.9,name=net,alias=b,ip6=fd12::9,"
					 "mac-address=02:42:0a:00:00:09,gw-priority=-3,"
					 "link-local-ip=169.254.1.1,\"driver-opt=a=b=1,c=2\"",
					 &spec, &err),
		      &err);
	assert_string_equal(spec.name, "net");
	assert_int_equal(spec.endpoint.aliases.count, 2);
	assert_string_equal(spec.endpoint.aliases.items[1], "b");
	assert_string_equal(spec.endpoint.ip, "10.0.0.9");
	assert_string_equal(spec.endpoint.ip6, "fd12::9");
	assert_string_equal(spec.endpoint.mac, "02:42:0a:00:00:09");
	assert_int_equal(spec.endpoint.gateway_priority, -3);
	assert_string_equal(spec.endpoint.link_local_ips.items[0], "169.254.1.1");
	assert_string_equal(spec.endpoint.driver_options.items[0], "a=b=1,c=2");
}

static void what_is_refused_and_why(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "network name is not specified"},
		{"name=", "network name is not specified"},
		{"alias=x", "network name is not specified"},
		{"name=net,", "must be key=value"},
		{"name=net,alias", "must be key=value"},
		{"name=net,=x", "must be key=value"},
		{"name=net,colour=red", "invalid field key colour"},
		{"name=net,ip=fd12::9", "invalid IPv4 address: fd12::9"},
		{"name=net,ip=0.0.0.0", "invalid IPv4 address"},
		{"name=net,ip=127.0.0.1", "invalid IPv4 address"},
		{"name=net,ip=", "invalid IPv4 address"},
		{"name=net,ip6=10.0.0.1", "invalid IPv6 address"},
		{"name=net,ip6=::1", "invalid IPv6 address"},
		{"name=net,mac-address=01:00:5e:00:00:01", "not a valid mac address"},
		{"name=net,gw-priority=high", "invalid gw-priority"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		struct network_spec spec;

		assert_refuses(network_spec_parse(cases[i].text, &spec, &err), &err, ERR_INVALID,
			       cases[i].words);
	}
}

/* What a start has published, as its row in the store has it. */
static void a_row_of_ports_and_back(void **state)
{
	static const char *const rows[] = {
		"4",
		"46 8080:80/tcp",
		"4 127.0.0.1:1-10:1-10/udp [::1]:53:53/sctp",
	};
	static const char *const bad[] = {"", "4 80", "4 8080:80/tcp x", "4 9-8:9-8/tcp"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_(network_plan_release) struct network_plan plan = {0};
		auto_free char *text = NULL;

		assert_int_equal(network_ports_parse(rows[i], &plan), 0);
		text = network_ports_format(&plan);
		assert_string_equal(text, rows[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(network_plan_release) struct network_plan plan = {0};

		if (network_ports_parse(bad[i], &plan) == 0)
			fail_msg("'%s' was accepted", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_a_name),
		cmocka_unit_test(fields_in_any_order),
		cmocka_unit_test(what_is_refused_and_why),
		cmocka_unit_test(a_row_of_ports_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
