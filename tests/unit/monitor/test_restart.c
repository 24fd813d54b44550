/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "monitor/restart.h"

#define MS INT64_C(1000000)

static const struct restart_policy always = {.kind = RESTART_ALWAYS};

static void test_delay_doubles_up_to_a_minute(void **state)
{
	static const int64_t wanted_ms[] = {100,  200,   400,   800,   1600,  3200,
					    6400, 12800, 25600, 51200, 60000, 60000};
	const struct restart_end end = {.exit_code = 1};
	struct restart_history history = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted_ms) / sizeof(wanted_ms[0]); i++) {
		assert_true(restart_decide(&history, &always, &end));
		assert_int_equal(history.delay_ns, wanted_ms[i] * MS);
		assert_int_equal(history.count, i + 1);
	}
}

static void test_long_run_resets_the_delay_but_not_the_count(void **state)
{
	struct restart_history history = {.count = 7, .delay_ns = 12800 * MS};
	struct restart_end end = {.ran_ns = RESTART_RAN_LONG_NS - 1};

	(void)state;
	assert_true(restart_decide(&history, &always, &end));
	assert_int_equal(history.delay_ns, 25600 * MS);
	end.ran_ns = RESTART_RAN_LONG_NS;
	assert_true(restart_decide(&history, &always, &end));
	assert_int_equal(history.delay_ns, 100 * MS);
	assert_int_equal(history.count, 9);
}

static void test_on_failure_counts(void **state)
{
	const struct restart_policy policy = {.kind = RESTART_ON_FAILURE, .max_retries = 2};
	const struct restart_policy unbounded = {.kind = RESTART_ON_FAILURE};
	struct restart_history history = {0};
	struct restart_end end = {.exit_code = 0};

	(void)state;
	assert_false(restart_decide(&history, &policy, &end));
	end.exit_code = 137;
	assert_true(restart_decide(&history, &policy, &end));
	assert_true(restart_decide(&history, &policy, &end));
	assert_false(restart_decide(&history, &policy, &end));
	assert_int_equal(history.count, 2);
	assert_true(restart_decide(&history, &unbounded, &end));
}

static void test_by_hand(void **state)
{
	const struct restart_policy unless_stopped = {.kind = RESTART_UNLESS_STOPPED};
	const struct restart_policy no = {.kind = RESTART_NO};
	struct restart_history history = {0};
	struct restart_end end = {.stopped_by_hand = true};

	(void)state;
	assert_true(restart_decide(&history, &always, &end));
	assert_false(restart_decide(&history, &unless_stopped, &end));
	end.is_cancelled = true;
	assert_false(restart_decide(&history, &always, &end));
	assert_false(restart_decide(&history, &no, &(struct restart_end){.exit_code = 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay_doubles_up_to_a_minute),
		cmocka_unit_test(test_long_run_resets_the_delay_but_not_the_count),
		cmocka_unit_test(test_on_failure_counts),
		cmocka_unit_test(test_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
