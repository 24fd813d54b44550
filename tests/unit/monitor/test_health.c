/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "monitor/health.h"
#include "runtime/state.h"

static const struct health_check two_tries = {.retries = 2, .start_period_ns = 1000};

static bool add(struct health *health, int64_t start_ns, int exit_code)
{
	struct health_result result = {.start_ns = start_ns,
				       .end_ns = start_ns + 1,
				       .exit_code = exit_code,
				       .output = xstrdup("o")};

	return health_add(health, &two_tries, /* run_started_ns= */ 0, &result);
}

static void test_status(void **state)
{
	auto_(health_release) struct health health = {0};

	(void)state;
	health_begin(&health);
	assert_false(add(&health, 999, 1)); /* within the start period: does not count */
	assert_int_equal(health.failing_streak, 0);
	assert_false(add(&health, 1000, 1));
	assert_int_equal(health.status, HEALTH_STARTING);
	assert_true(add(&health, 1001, 1));
	assert_int_equal(health.status, HEALTH_UNHEALTHY);
	assert_true(add(&health, 1002, 0));
	assert_int_equal(health.status, HEALTH_HEALTHY);
	assert_int_equal(health.failing_streak, 0);
	assert_false(add(&health, 1003, -1));
	assert_int_equal(health.status, HEALTH_HEALTHY);
	assert_true(add(&health, 1004, -1));
}

/* Once it was healthy, the start period is over. */
static void test_start_period_ends_with_success(void **state)
{
	auto_(health_release) struct health health = {0};

	(void)state;
	health_begin(&health);
	assert_true(add(&health, 1, 0));
	assert_false(add(&health, 2, 1));
	assert_true(add(&health, 3, 1));
	assert_int_equal(health.status, HEALTH_UNHEALTHY);
}

static void test_five_are_kept_and_survive(void **state)
{
	auto_(health_release) struct health health = {0};
	auto_(health_release) struct health again = {0};
	char path[] = "/tmp/skiff-health-XXXXXX", text[16] = "";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	health_begin(&health);
	for (int i = 1; i <= 7; i++)
		(void)add(&health, i, i);
	assert_int_equal(health_save(&health, fd, fd), 0);
	health_load(fd, &again);
	assert_int_equal(again.count, HEALTH_RESULTS_MAX);
	for (size_t i = 0; i < again.count; i++) {
		assert_int_equal(again.results[i].exit_code, i + 3);
		assert_int_equal(again.results[i].start_ns, i + 3);
		assert_string_equal(again.results[i].output, "o");
	}
	assert_true(readlinkat(fd, STATE_HEALTH_NAME, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "starting"); /* all within the start period */
	(void)close(fd);
	assert_int_equal(path_remove_tree(AT_FDCWD, path), 0);
}

static void test_nothing_to_load(void **state)
{
	auto_(health_release) struct health health = {0};

	(void)state;
	health_load(NO_FD, &health);
	assert_int_equal(health.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_start_period_ends_with_success),
		cmocka_unit_test(test_five_are_kept_and_survive),
		cmocka_unit_test(test_nothing_to_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
