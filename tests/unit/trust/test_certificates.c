/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "trust/certificates.h"

static void load(const struct places *places, const char *directory, const char *domain,
		 struct certificates *ret_certificates)
{
	auto_(error_release) struct error err = {0};

	if (certificates_load(&places->paths, directory, domain, ret_certificates, &err) < 0)
		fail_msg("%s", err_message(&err));
}

static void none(void **state)
{
	auto_(certificates_release) struct certificates found = {0};

	load(*state, NULL, "a.com", &found);
	assert_null(found.authorities);
	assert_null(found.client_certificate);
	assert_null(found.client_key);
}

static void by_host_and_port(void **state)
{
	auto_(certificates_release) struct certificates found = {0}, other = {0};

	places_write(*state, "etc/docker/certs.d/a.com:5000/b.crt", "B", 0644);
	places_write(*state, "etc/docker/certs.d/a.com:5000/a.crt", "A", 0644);
	places_write(*state, "etc/docker/certs.d/a.com:5000/z.cert", "Z", 0644);
	places_write(*state, "etc/docker/certs.d/a.com:5000/z.key", "zk", 0600);
	places_write(*state, "etc/docker/certs.d/a.com:5000/y.cert", "Y", 0644);
	places_write(*state, "etc/docker/certs.d/a.com:5000/y.key", "yk", 0600);
	load(*state, NULL, "a.com:5000", &found);
	assert_string_equal(found.authorities, "A\nB\n");
	assert_string_equal(found.client_certificate, "Y");
	assert_string_equal(found.client_key, "yk");
	load(*state, NULL, "a.com", &other);
	assert_null(other.authorities);
}

static void first_place_that_has_it(void **state)
{
	auto_(certificates_release) struct certificates a = {0}, b = {0}, c = {0};
	auto_free char *named = places_path(*state, "etc/docker/certs.d/a.com");

	places_write(*state, "etc/docker/certs.d/a.com/ca.crt", "docker", 0644);
	load(*state, NULL, "a.com", &a);
	assert_string_equal(a.authorities, "docker\n");
	places_write(*state, "etc/containers/certs.d/a.com/ca.crt", "containers", 0644);
	places_write(*state, "home/.config/containers/certs.d/a.com/ca.crt", "user", 0644);
	load(*state, NULL, "a.com", &b);
	assert_string_equal(b.authorities, "user\n");
	load(*state, named, "b.com", &c);
	assert_string_equal(c.authorities, "docker\n");
}

static void halves_are_refused(void **state)
{
	static const char *const names[] = {"a.cert", "a.key"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_(error_release) struct error err = {0};
		auto_free char *name = xasprintf("etc/docker/certs.d/%zu.com/%s", i, names[i]);
		auto_free char *domain = xasprintf("%zu.com", i);
		const struct places *places = *state;
		struct certificates found = {0};

		places_write(places, name, "x", 0644);
		assert_true(certificates_load(&places->paths, NULL, domain, &found, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err_message(&err), "is missing"));
	}
}

static void names_lead_nowhere_else(void **state)
{
	auto_(certificates_release) struct certificates a = {0}, b = {0};

	places_write(*state, "etc/docker/certs.d/x/ca.crt", "x", 0644);
	places_write(*state, "etc/docker/ca.crt", "above", 0644);
	load(*state, NULL, "..", &a);
	assert_null(a.authorities);
	load(*state, NULL, "x/../x", &b);
	assert_null(b.authorities);
}

int main(void)
{
#define WITH_PLACES(f) cmocka_unit_test_setup_teardown(f, places_setup, places_teardown)
	const struct CMUnitTest tests[] = {
		WITH_PLACES(none),
		WITH_PLACES(by_host_and_port),
		WITH_PLACES(first_place_that_has_it),
		WITH_PLACES(halves_are_refused),
		WITH_PLACES(names_lead_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
