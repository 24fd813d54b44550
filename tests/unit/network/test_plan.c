/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "network/plan.h"

static void fill(struct network_plan *plan)
{
	struct network_interface *eth0 = network_plan_add_interface(plan);

	memcpy(eth0->link.id, "abc", 4);
	memcpy(eth0->link.name, "sk-abc", 7);
	memcpy(eth0->name, "eth0", 5);
	memcpy(eth0->host_name, "sk0.0", 6);
	memcpy(eth0->mac, "\x02\x42\xac\x11\x00\x02", 6);
	eth0->link.mtu = 1400;
	eth0->link.internal = eth0->link.masquerade6 = true;
	assert_int_equal(ip_network_parse("172.18.0.1/16", &eth0->link.gateway4), 0);
	assert_int_equal(ip_network_parse("172.18.0.2/16", &eth0->address4), 0);
	assert_int_equal(ip_network_parse("fd12::2/64", &eth0->address6), 0);
	assert_int_equal(ip_address_parse("172.18.0.1", &eth0->route4), 0);
	strv_add(&eth0->names, "web");
	strv_add(&eth0->links, "db:database");
	strv_add(&eth0->more_addresses, "169.254.1.1/16");
	strv_add(&eth0->sysctls, "ipv4/conf/log_martians=1");
	memcpy(eth0->link.network, "net", 4);
	plan->port_target4 = eth0->address4.address;
	network_plan_add_port(plan, &(struct network_port){.protocol = IPPROTO_SCTP,
							   .host_port = 8000,
							   .container_port = 80,
							   .count = 10});
	strv_add(&plan->resolvers, "192.0.2.53");
}

static void it_comes_back_as_it_was_written(void **state)
{
	auto_(network_plan_release) struct network_plan plan = {0};
	auto_(network_plan_release) struct network_plan again = {0};
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *object = NULL;
	auto_(json_decref) json_t *second = NULL;

	(void)state;
	fill(&plan);
	object = network_plan_format(&plan);
	assert_int_equal(network_plan_parse(object, &again, &err), 0);
	second = network_plan_format(&again);
	assert_true(json_equal(object, second));
	assert_true(network_plan_has_names(&again));
	assert_string_equal(again.interfaces[0].links.items[0], "db:database");
	assert_string_equal(again.interfaces[0].more_addresses.items[0], "169.254.1.1/16");
	assert_string_equal(again.interfaces[0].sysctls.items[0], "ipv4/conf/log_martians=1");
	assert_string_equal(again.interfaces[0].link.network, "net");
	assert_int_equal(again.ports[0].protocol, IPPROTO_SCTP);
	assert_true(again.interfaces[0].link.internal && !again.interfaces[0].link.isolated);
}

/* A file that was cut or changed is not carried out. */
static void what_does_not_fit_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"interfaces\":[{}]}",
		"{\"ports\":[{\"protocol\":\"tcp\",\"hostPort\":1,\"containerPort\":1}]}",
		"{\"ports\":[{\"protocol\":\"icmp\",\"hostPort\":1,\"containerPort\":1,\"count\":1}"
		"]}",
		"{\"ports\":[{\"protocol\":\"tcp\",\"hostPort\":65535,\"containerPort\":1,"
		"\"count\":2}]}",
		"{\"ports\":[{\"protocol\":\"tcp\",\"hostPort\":1,\"containerPort\":70000,"
		"\"count\":1}]}",
		"{\"ports\":[{\"protocol\":\"tcp\",\"hostPort\":-1,\"containerPort\":1,\"count\":1}"
		"]}",
		"{\"portTarget4\":\"fd12::2\"}",
		"{\"portTarget6\":\"10.0.0.1\"}",
		"{\"interfaces\":[{\"link\":{\"driver\":\"bridge\",\"name\":\"sixteen-letters-\"},"
		"\"name\":\"eth0\",\"mac\":\"02:42:ac:11:00:02\"}]}",
		"{\"interfaces\":[{\"link\":{\"driver\":\"bridge\"},\"name\":\"eth0\",\"mac\":"
		"\"x\"}]}",
		"{\"interfaces\":[{\"link\":{\"driver\":\"overlay\"},\"name\":\"eth0\","
		"\"mac\":\"02:42:ac:11:00:02\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(network_plan_release) struct network_plan plan = {0};
		auto_(error_release) struct error err = {0};
		auto_(json_decref) json_t *object = json_loads(bad[i], 0, NULL);

		assert_non_null(object);
		if (network_plan_parse(object, &plan, &err) >= 0)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_INTERNAL);
		assert_null(plan.interfaces);
	}
}

static void names_of_drivers_and_protocols(void **state)
{
	enum network_driver driver;
	int protocol;

	(void)state;
	for (int i = 0; i < NETWORK_DRIVER_COUNT; i++) {
		assert_int_equal(network_driver_find(network_driver_name((enum network_driver)i),
						     &driver),
				 0);
		assert_int_equal(driver, i);
	}
	assert_true(network_driver_find("overlay", &driver) < 0);
	assert_int_equal(network_protocol_find("sctp", &protocol), 0);
	assert_string_equal(network_protocol_name(protocol), "sctp");
	assert_true(network_protocol_find("TCP", &protocol) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was_written),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(names_of_drivers_and_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
