/* SPDX-License-Identifier: Apache-2.0 */
/* test_origin.c - who may see what (CVE-2020-15157) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/origin.h"

static void test_parse(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(origin_release) struct origin origin = {0};

	(void)state;
	assert_int_equal(origin_parse("https://Registry.Example.com/v2/", &origin, &err), 0);
	assert_string_equal(origin.host, "registry.example.com");
	assert_string_equal(origin.port, "443");
	assert_false(origin.plain);
	origin_release(&origin);
	assert_int_equal(origin_parse("http://[::1]:5000/", &origin, &err), 0);
	assert_string_equal(origin.host, "[::1]");
	assert_string_equal(origin.port, "5000");
	assert_true(origin.plain);
}

static void test_what_is_no_origin(void **state)
{
	static const char *const texts[] = {
		"",       "/v2/", "file:///etc/passwd",       "ftp://host/",
		"host:1", "//",   "https://user@example.com", "https://",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_(error_release) struct error err = {0};
		auto_(origin_release) struct origin origin = {0};

		if (origin_parse(texts[i], &origin, &err) >= 0)
			fail_msg("'%s' is taken for an origin", texts[i]);
	}
}

static bool same(const char *a, const char *b)
{
	auto_(error_release) struct error err = {0};
	auto_(origin_release) struct origin x = {0}, y = {0};

	assert_int_equal(origin_parse(a, &x, &err), 0);
	assert_int_equal(origin_parse(b, &y, &err), 0);
	return origin_is_same(&x, &y);
}

static void test_same(void **state)
{
	(void)state;
	assert_true(same("https://a.example/x", "https://A.example:443/y?z"));
	assert_false(same("https://a.example/", "http://a.example/"));
	assert_false(same("https://a.example/", "https://a.example:444/"));
	assert_false(same("https://a.example/", "https://b.example/"));
	assert_false(same("https://a.example/", "https://a.example.evil/"));
}

static void test_resolve(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_free char *url = NULL, *other = NULL;

	(void)state;
	assert_int_equal(url_resolve("https://a/v2/x/blobs/1", "/y?z=1", &url, &err), 0);
	assert_string_equal(url, "https://a/y?z=1");
	assert_int_equal(url_resolve("https://a/v2/", "https://b/c", &other, &err), 0);
	assert_string_equal(other, "https://b/c");
}

static void test_who_may_see_a_password(void **state)
{
	static const struct {
		const char *registry, *realm;
		bool may;
	} cases[] = {
		{"registry-1.docker.io", "auth.docker.io", true},
		{"ghcr.io", "ghcr.io", true},
		{"registry.gitlab.com", "gitlab.com", true},
		{"registry.example.co.uk", "auth.example.co.uk", true},
		{"registry.example.co.uk", "auth.evil.co.uk", false},
		{"good.github.io", "evil.github.io", false},
		{"registry.example.com", "example.com.evil.net", false},
		{"10.0.0.1", "10.0.0.2", false},
		{"localhost", "127.0.0.1", false},
		{"one.example.org", "named.by.user", true},
	};
	auto_(strv_release) struct strv trusted = {0};

	(void)state;
	strv_add(&trusted, "named.by.user");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (host_may_see_password(cases[i].registry, cases[i].realm, &trusted) !=
		    cases[i].may)
			fail_msg("%s and %s", cases[i].registry, cases[i].realm);
}

static void test_loopback(void **state)
{
	(void)state;
	assert_true(host_is_loopback("localhost"));
	assert_true(host_is_loopback("127.1.2.3"));
	assert_true(host_is_loopback("[::1]"));
	assert_false(host_is_loopback("128.0.0.1"));
	assert_false(host_is_loopback("localhost.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_what_is_no_origin),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_who_may_see_a_password),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
