/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/parse.h"

static void numbers_are_whole_strings(void **state)
{
	uint32_t value = 7;
	int64_t number = 7;

	(void)state;
	assert_int_equal(parse_u32("0", &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(parse_u32("4294967295", &value), 0);
	assert_int_equal(value, UINT32_MAX);
	value = 7;
	assert_int_equal(parse_u32("4294967296", &value), -ERANGE);
	assert_int_equal(parse_u32("", &value), -EINVAL);
	assert_int_equal(parse_u32(" 1", &value), -EINVAL);
	assert_int_equal(parse_u32("+1", &value), -EINVAL);
	assert_int_equal(parse_u32("-1", &value), -EINVAL);
	assert_int_equal(parse_u32("1x", &value), -EINVAL);
	assert_int_equal(parse_u32("0x10", &value), -EINVAL);
	assert_int_equal(value, 7);
	assert_int_equal(parse_i64("-9223372036854775808", &number), 0);
	assert_true(number == INT64_MIN);
	assert_int_equal(parse_i64("9223372036854775808", &number), -ERANGE);
}

static void octal_has_no_eights(void **state)
{
	uint32_t mode;

	(void)state;
	assert_int_equal(parse_octal("1777", &mode), 0);
	assert_int_equal(mode, 01777);
	assert_int_equal(parse_octal("8", &mode), -EINVAL);
	assert_int_equal(parse_octal("17777", &mode), -ERANGE);
}

static void sizes_are_binary(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"512", 512},
		{"1b", 1},
		{"64m", 64 << 20},
		{"64M", 64 << 20},
		{"1k", 1024},
		{"1kb", 1024},
		{"1KiB", 1024},
		{"1.5g", 3ULL << 29},
		{"1 GB", 1ULL << 30},
		{"2t", 2ULL << 40},
	};
	static const char *const bad[] = {"", "m", "1x", "-1", "1kk", "1 k ", "99999999p", "0x1"};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		print_message("%s\n", good[i].text);
		assert_int_equal(parse_size(good[i].text, &bytes), 0);
		assert_int_equal(bytes, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("%s\n", bad[i]);
		assert_true(parse_size(bad[i], &bytes) < 0);
	}
}

static void durations_as_go_writes_them(void **state)
{
	int64_t ns;

	(void)state;
	assert_int_equal(parse_duration("1h2m3.5s", &ns), 0);
	assert_true(ns == 3723500000000);
	assert_int_equal(parse_duration("300ms", &ns), 0);
	assert_true(ns == 300000000);
	assert_int_equal(parse_duration("-10s", &ns), 0);
	assert_true(ns == -10000000000);
	assert_int_equal(parse_duration("0", &ns), 0);
	assert_true(ns == 0);
	assert_int_equal(parse_duration("10", &ns), -EINVAL);
	assert_int_equal(parse_duration("", &ns), -EINVAL);
	assert_int_equal(parse_duration("s", &ns), -EINVAL);
	assert_int_equal(parse_duration("99999999999h", &ns), -ERANGE);
}

static void booleans_as_go_writes_them(void **state)
{
	bool value;

	(void)state;
	assert_int_equal(parse_bool("true", &value), 0);
	assert_true(value);
	assert_int_equal(parse_bool("F", &value), 0);
	assert_false(value);
	assert_int_equal(parse_bool("yes", &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_strings),
		cmocka_unit_test(octal_has_no_eights),
		cmocka_unit_test(sizes_are_binary),
		cmocka_unit_test(durations_as_go_writes_them),
		cmocka_unit_test(booleans_as_go_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
