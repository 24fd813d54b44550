/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/clock.h"

static void formats_as_rfc3339_nano(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	clock_format(1700000000123456789, text);
	assert_string_equal(text, "2023-11-14T22:13:20.123456789Z");
	clock_format(1700000000100000000, text);
	assert_string_equal(text, "2023-11-14T22:13:20.1Z");
}

static void parses_what_it_formats(void **state)
{
	int64_t ns;

	(void)state;
	assert_int_equal(clock_parse("2023-11-14T22:13:20.123456789Z", &ns), 0);
	assert_true(ns == 1700000000123456789);
	assert_int_equal(clock_parse("2023-11-15T00:13:20+02:00", &ns), 0);
	assert_true(ns == 1700000000000000000);
	assert_int_equal(clock_parse("2023-11-14T22:13:20", &ns), -EINVAL);
	assert_int_equal(clock_parse("2023-13-14T22:13:20Z", &ns), -EINVAL);
	assert_int_equal(clock_parse("2023-11-14T22:13:20Zx", &ns), -EINVAL);
	assert_int_equal(clock_parse("4040-01-01T00:00:00Z", &ns), -ERANGE);
	assert_int_equal(clock_parse("", &ns), -EINVAL);
}

static void users_may_be_brief(void **state)
{
	int64_t ns;

	(void)state;
	assert_int_equal(clock_parse_user("10m", 1000000000000, &ns), 0);
	assert_true(ns == 400000000000);
	assert_int_equal(clock_parse_user("1700000000.5", 0, &ns), 0);
	assert_true(ns == 1700000000500000000);
	assert_int_equal(clock_parse_user("2023-11-14T22:13:20Z", 0, &ns), 0);
	assert_true(ns == 1700000000000000000);
	assert_int_equal(clock_parse_user("2023-11-14", 0, &ns), 0);
	assert_int_equal(clock_parse_user("yesterday", 0, &ns), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_rfc3339_nano),
		cmocka_unit_test(parses_what_it_formats),
		cmocka_unit_test(users_may_be_brief),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
