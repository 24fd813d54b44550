/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "engine/container_link.h"

static void names_and_aliases(void **state)
{
	static const struct {
		const char *text, *name, *alias;
	} cases[] = {
		{"db", "db", "db"},
		{"db:database", "db", "database"},
		{"/db:/web/database", "db", "database"},
		{"/db:database", "db", "database"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		auto_free char *name = NULL;
		auto_free char *alias = NULL;

		assert_parses(container_link_parse(cases[i].text, &name, &alias, &err), &err);
		assert_string_equal(name, cases[i].name);
		assert_string_equal(alias, cases[i].alias);
	}
}

/* Nothing that could end a line of /etc/hosts or a word in it. */
static void what_is_refused(void **state)
{
	static const char *const bad[] = {"",        ":",     "db:",    ":x",
					  "a:b:c",   "/:x",   "db:a b", "db:a\nb",
					  "db:a\tb", "db:.a", "db:a/b", "db:a=b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		auto_free char *name = NULL;
		auto_free char *alias = NULL;

		assert_true(container_link_parse(bad[i], &name, &alias, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void full_ids_become_short_ones(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv typed = {0};
	auto_(strv_release) struct strv links = {0};

	(void)state;
	strv_add(&typed, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef:db");
	strv_add(&typed, "cache");
	assert_parses(container_links_check(&typed, &links, &err), &err);
	assert_int_equal(links.count, 2);
	assert_string_equal(links.items[0], "0123456789ab:db");
	assert_string_equal(links.items[1], "cache:cache");
}

/* What docker's own tests of links expect. */
static void variables_of_ports_and_ranges(void **state)
{
	static const char *const wanted[] = {
		"DB_PORT=tcp://172.17.0.2:6379",    "DB_PORT_6379_TCP=tcp://172.17.0.2:6379",
		"DB_PORT_6379_TCP_ADDR=172.17.0.2", "DB_PORT_6379_TCP_PORT=6379",
		"DB_PORT_6379_TCP_PROTO=tcp",       "DB_PORT_6380_TCP=tcp://172.17.0.2:6380",
		"DB_PORT_6380_TCP_ADDR=172.17.0.2", "DB_PORT_6380_TCP_PORT=6380",
		"DB_PORT_6380_TCP_PROTO=tcp",       "DB_PORT_6379_TCP_START=tcp://172.17.0.2:6379",
		"DB_PORT_6379_TCP_PORT_START=6379", "DB_PORT_6379_TCP_END=tcp://172.17.0.2:6380",
		"DB_PORT_6379_TCP_PORT_END=6380",   "DB_PORT_53_UDP=udp://172.17.0.2:53",
		"DB_PORT_53_UDP_ADDR=172.17.0.2",   "DB_PORT_53_UDP_PORT=53",
		"DB_PORT_53_UDP_PROTO=udp",         "DB_NAME=/web/db",
		"DB_ENV_PASSWORD=gordon=1",
	};
	auto_(strv_release) struct strv ports = {0};
	auto_(strv_release) struct strv child = {0};
	auto_(strv_release) struct strv env = {0};
	struct link_facts facts = {
		.parent = "web", .alias = "db", .ports = &ports, .child_env = &child};

	(void)state;
	assert_int_equal(ip_address_parse("172.17.0.2", &facts.address), 0);
	strv_add(&ports, "53/udp");
	strv_add(&ports, "6380/tcp");
	strv_add(&ports, "6379/tcp");
	strv_add(&child, "PASSWORD=gordon=1");
	strv_add(&child, "PATH=/bin");
	strv_add(&child, "HOME=/");
	strv_add(&child, "NOTHING");
	link_environment(&facts, &env);
	assert_int_equal(env.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < env.count; i++)
		assert_string_equal(env.items[i], wanted[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_aliases),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(full_ids_become_short_ones),
		cmocka_unit_test(variables_of_ports_and_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
