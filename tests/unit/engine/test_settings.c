/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "base/cleanup.h"
#include "engine/settings.h"

static void read_over(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(settings_release) struct settings s = {0};

	(void)state;
	assert_parses(settings_parse("# first\n\n  shm_size=64m\r\ndns = 192.0.2.1\ndns = ::1\n"
				     "init = true\nnetwork = \" quoted \"",
				     "a", &s, &err),
		      &err);
	assert_string_equal(s.shm_size, "64m");
	assert_int_equal(s.dns.count, 2);
	assert_true(s.init);
	assert_string_equal(s.network, " quoted ");
	assert_parses(settings_parse("dns = 192.0.2.7\ninit = false\n", "b", &s, &err), &err);
	assert_int_equal(s.dns.count, 1);
	assert_string_equal(s.dns.items[0], "192.0.2.7");
	assert_false(s.init);
	assert_string_equal(s.shm_size, "64m");

	assert_int_equal(s.origins.count, 4);
	assert_string_equal(s.origins.items[0], "shm_size = 64m (a:3)");
	assert_string_equal(s.origins.items[1], "network =  quoted  (a:7)");
	assert_string_equal(s.origins.items[2], "dns = 192.0.2.7 (b:1)");
	assert_string_equal(s.origins.items[3], "init = false (b:2)");
}

static void refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"shm_size", "f, line 1: 'shm_size' is not understood"},
		{"\nshmsize = 1m", "f, line 2: 'shmsize' is no key"},
		{"Init = true", "f, line 1: 'Init' is no key"},
		{"init = maybe", "f, line 1: init = maybe: must be true or false"},
		{"init = true\ninit = true", "f, line 2: 'init' is set twice"},
		{"shm_size =", "f, line 1: 'shm_size' has no value"},
		{"shm_size = \"\"", "f, line 1: 'shm_size' has no value"},
		{"shm_size = big", "f, line 1: shm_size = big: is no size"},
		{"dns = here", "f, line 1: dns = here: "},
		{"root = relative", "f, line 1: root = relative: must be an absolute path"},
		{"network = \"open", "is not quoted as it should be"},
		{"network = \"a\"b\"", "is not quoted as it should be"},
		{"bridge_subnet6 = 10.0.0.0/24", "f, line 1: bridge_subnet6 = 10.0.0.0/24: must be "
						 "an IPv6 subnet as fd00:1234::/64"},
		{"bridge_ipv6 = maybe", "f, line 1: bridge_ipv6 = maybe: must be true or false"},
		{"publish_address = x", "f, line 1: publish_address = x: must be an address"},
		{"ulimit = nofile", "f, line 1: ulimit = nofile: "},
		{"log_opt = x", "f, line 1: log_opt = x: must be KEY=VALUE"},
		{"runtime = runc", "f, line 1: runtime = runc: there is only 'skiff'"},
		{"= 3", "f, line 1: '' is no key"},
		{"network = \xff", "f is not UTF-8 text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_(error_release) struct error err = {0};
		auto_(settings_release) struct settings s = {0};

		assert_refuses(settings_parse(cases[i].text, "f", &s, &err), &err, ERR_INVALID,
			       cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_over),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
