/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "base/cleanup.h"
#include "engine/host_files.h"

static void add_host_texts(void **state)
{
	static const struct {
		const char *text, *entry;
	} good[] = {
		{"db:10.0.0.1", "db:10.0.0.1"},
		{"db=10.0.0.1", "db:10.0.0.1"},
		{"db:::1", "db:::1"},
		{"db:[fd00::2]", "db:fd00::2"},
		{"a.b-c_d:1.2.3.4", "a.b-c_d:1.2.3.4"},
	};
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"", "bad format"},
		{"db", "bad format"},
		{":10.0.0.1", "bad format"},
		{"db:", "invalid IP address"},
		{"db:10.0.0", "invalid IP address"},
		{"db:10.0.0.1 x", "invalid IP address"},
		{"d b:10.0.0.1", "bad format"},
		{"d\nb:10.0.0.1", "bad format"},
	};
	auto_(error_release) struct error err = {0};
	char *entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_parses(add_host_parse(good[i].text, &entry, &err), &err);
		assert_string_equal(entry, good[i].entry);
		free(entry);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refuses(add_host_parse(bad[i].text, &entry, &err), &err, ERR_INVALID,
			       bad[i].words);
	assert_parses(add_host_parse("db:" HOST_GATEWAY, &entry, &err), &err);
	assert_string_equal(entry, "db:host-gateway");
	free(entry);
}

static void hosts_have_docker_lines_and_ours(void **state)
{
	auto_(strv_release) struct strv entries = LIST("db:10.0.0.1", "six:fd00::2");
	auto_(strv_release) struct strv none = {0};
	auto_free char *text = hosts_text(NULL, &entries);
	auto_free char *host = hosts_text("10.1.1.1 box", &none);

	(void)state;
	assert_int_equal(strncmp(text, "127.0.0.1\tlocalhost\n::1\t", 23), 0);
	assert_non_null(strstr(text, "\n10.0.0.1\tdb\nfd00::2\tsix\n"));
	assert_string_equal(host, "10.1.1.1 box\n");
}

static char *resolv(const char *host, const char *server, const char *search, const char *option,
		    bool keep_loopback)
{
	auto_(strv_release) struct strv servers = {0};
	auto_(strv_release) struct strv domains = {0};
	auto_(strv_release) struct strv options = {0};
	const struct resolv_settings settings = {&servers, &domains, &options, keep_loopback};

	strv_split(&servers, server, ' ');
	strv_split(&domains, search, ' ');
	strv_split(&options, option, ' ');
	return resolv_conf_text(host, &settings);
}

static void resolv_conf_is_the_hosts_with_changes(void **state)
{
	static const char host[] = "# made by hand\n"
				   "domain old\n"
				   "nameserver 127.0.0.53\n"
				   "nameserver\t192.0.2.1 \r\n"
				   "search a b\n"
				   "options edns0 trust-ad\n"
				   "sortlist 1.2.3.4\n";
	auto_free char *plain = resolv(host, "", "", "", false);
	auto_free char *loopback = resolv(host, "", "", "", true);
	auto_free char *changed = resolv(host, "127.0.0.1 ::1", "x", "ndots:2", false);
	auto_free char *no_search = resolv(host, "", ".", "", false);
	auto_free char *empty = resolv("", "", "", "", false);

	(void)state;
	assert_string_equal(plain, "nameserver 192.0.2.1\nsearch a b\noptions edns0 trust-ad\n");
	assert_int_equal(strncmp(loopback, "nameserver 127.0.0.53\nnameserver 192.0.2.1\n", 42), 0);
	assert_string_equal(changed, "nameserver 127.0.0.1\nnameserver ::1\nsearch x\n"
				     "options ndots:2\n");
	assert_string_equal(no_search, "nameserver 192.0.2.1\noptions edns0 trust-ad\n");
	assert_string_equal(empty, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_host_texts),
		cmocka_unit_test(hosts_have_docker_lines_and_ours),
		cmocka_unit_test(resolv_conf_is_the_hosts_with_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
