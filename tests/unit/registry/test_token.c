/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "registry/token.h"

static char *parse(const char *text)
{
	auto_(error_release) struct error err = {0};
	char *token = NULL;

	if (token_parse(text, strlen(text), &token, &err) < 0) {
		/* Whatever it was, it may have been a secret. */
		assert_null(strstr(err_message(&err), "secret"));
		return NULL;
	}
	return token;
}

static void test_good(void **state)
{
	auto_free char *a = parse("{\"token\": \"abc.def\", \"expires_in\": 300}");
	auto_free char *b = parse("{\"access_token\": \"xyz\"}");
	auto_free char *c = parse("{\"token\": \"\", \"access_token\": \"xyz\"}");

	(void)state;
	assert_string_equal(a, "abc.def");
	assert_string_equal(b, "xyz");
	assert_string_equal(c, "xyz");
}

static void test_bad(void **state)
{
	(void)state;
	assert_null(parse(""));
	assert_null(parse("{}"));
	assert_null(parse("[\"secret\"]"));
	assert_null(parse("{\"token\": 5}"));
	assert_null(parse("{\"token\": \"secret\\r\\nX: y\"}"));
	assert_null(parse("{\"token\": \"secret with spaces\"}"));
	assert_null(parse("{\"token\": \"secret\", \"token\": \"secret\"}"));
	assert_null(parse("{\"token\": \"secret\" secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
