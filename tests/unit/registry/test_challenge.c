/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/challenge.h"

static void test_bearer(void **state)
{
	auto_(challenges_release) struct challenges c = {0};

	(void)state;
	challenges_parse(&c, "Bearer realm=\"https://auth.docker.io/token\","
			     "service=\"registry.docker.io\",scope=\"repository:a/b:pull,push\"");
	assert_int_equal(c.count, 1);
	assert_int_equal(c.items[0].scheme, CHALLENGE_BEARER);
	assert_string_equal(c.items[0].realm, "https://auth.docker.io/token");
	assert_string_equal(c.items[0].service, "registry.docker.io");
	assert_string_equal(c.items[0].scope, "repository:a/b:pull,push");
}

static void test_several_in_one_header(void **state)
{
	auto_(challenges_release) struct challenges c = {0};

	(void)state;
	challenges_parse(&c, "Negotiate, basic REALM=x , Bearer realm = \"a\\\"b\" ,service=s");
	assert_int_equal(c.count, 3);
	assert_int_equal(c.items[0].scheme, CHALLENGE_OTHER);
	assert_int_equal(c.items[1].scheme, CHALLENGE_BASIC);
	assert_string_equal(c.items[1].realm, "x");
	assert_string_equal(challenges_find(&c, CHALLENGE_BEARER)->realm, "a\"b");
	assert_string_equal(challenges_find(&c, CHALLENGE_BEARER)->service, "s");
}

static void test_several_headers(void **state)
{
	auto_(challenges_release) struct challenges c = {0};

	(void)state;
	challenges_parse(&c, "Basic realm=\"x\"");
	challenges_parse(&c, "Bearer realm=\"y\"");
	assert_non_null(challenges_find(&c, CHALLENGE_BASIC));
	assert_non_null(challenges_find(&c, CHALLENGE_BEARER));
}

static void test_first_of_a_parameter_counts(void **state)
{
	auto_(challenges_release) struct challenges c = {0};

	(void)state;
	challenges_parse(&c, "Bearer realm=\"one\",realm=\"two\"");
	assert_string_equal(c.items[0].realm, "one");
}

static void test_nonsense_is_not_seen(void **state)
{
	static const char *const texts[] = {
		"", " ", ",,,", "=", "realm=\"x\"", "\"", "Bearer realm=\"without an end",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_(challenges_release) struct challenges c = {0};

		challenges_parse(&c, texts[i]);
		for (size_t k = 0; k < c.count; k++)
			assert_null(c.items[k].realm);
	}
}

static void test_count_is_bounded(void **state)
{
	auto_(challenges_release) struct challenges c = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		challenges_parse(&c, "a, b, c");
	assert_int_equal(c.count, CHALLENGES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bearer),
		cmocka_unit_test(test_several_in_one_header),
		cmocka_unit_test(test_several_headers),
		cmocka_unit_test(test_first_of_a_parameter_counts),
		cmocka_unit_test(test_nonsense_is_not_seen),
		cmocka_unit_test(test_count_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
