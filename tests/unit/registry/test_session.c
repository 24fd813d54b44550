/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "registry/session.h"

static int parse(const char *text, struct session *session)
{
	auto_(error_release) struct error err = {0};

	return session_parse(text, strlen(text), "SYSTEM", session, &err);
}

static void test_good(void **state)
{
	auto_(session_release) struct session session = {0};

	(void)state;
	assert_int_equal(parse("{\"actions\": \"pull,push\", \"backoffMs\": 7, \"endpoints\": ["
			       "{\"host\": \"a:5000\", \"repository\": \"x/y\", \"insecure\": true,"
			       " \"username\": \"me\", \"password\": \"p\"},"
			       "{\"host\": \"b\", \"repository\": \"y\", \"authorities\": \"MINE\","
			       " \"registryToken\": \"t\"}]}",
			       &session),
			 0);
	assert_string_equal(session.actions, "pull,push");
	assert_int_equal(session.backoff_ms, 7);
	assert_int_equal(session.endpoint_count, 2);
	assert_true(session.endpoints[0].insecure);
	assert_string_equal(session.endpoints[0].authorities, "SYSTEM");
	assert_string_equal(session.endpoints[1].authorities, "SYSTEM\nMINE");
	assert_string_equal(session.endpoints[1].token, "t");
}

static void test_bad(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"endpoints\": []}",
		"{\"endpoints\": [{}]}",
		"{\"endpoints\": [{\"host\": \"a\"}]}",
		"{\"endpoints\": 5}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_(session_release) struct session session = {0};

		if (parse(texts[i], &session) >= 0)
			fail_msg("'%s' is taken", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
