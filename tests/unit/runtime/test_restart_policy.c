/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/restart_policy.h"

static void test_good(void **state)
{
	static const struct {
		const char *text;
		enum restart_kind kind;
		uint32_t max_retries;
	} cases[] = {
		{NULL, RESTART_NO, 0},
		{"", RESTART_NO, 0},
		{"no", RESTART_NO, 0},
		{"always", RESTART_ALWAYS, 0},
		{"unless-stopped", RESTART_UNLESS_STOPPED, 0},
		{"on-failure", RESTART_ON_FAILURE, 0},
		{"on-failure:0", RESTART_ON_FAILURE, 0},
		{"on-failure:5", RESTART_ON_FAILURE, 5},
		{"on-failure:2147483647", RESTART_ON_FAILURE, INT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		struct restart_policy policy;

		assert_int_equal(restart_policy_parse(cases[i].text, &policy, &err), 0);
		assert_int_equal(policy.kind, cases[i].kind);
		assert_int_equal(policy.max_retries, cases[i].max_retries);
	}
}

static void test_bad(void **state)
{
	static const char *const texts[] = {
		"sometimes",
		"always:1",
		"no:0",
		":3",
		"on-failure:",
		"on-failure:x",
		"on-failure:-1",
		"on-failure:1:2",
		"on-failure:2147483648",
		"ALWAYS",
		"on-failure: 1",
		"unless-stopped:",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_(error_release) struct error err = {0};
		struct restart_policy policy;

		assert_true(restart_policy_parse(texts[i], &policy, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
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
