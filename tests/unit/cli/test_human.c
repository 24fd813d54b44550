/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/human.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static void test_durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{-5 * SECOND, "Less than a second"},
		{SECOND - 1, "Less than a second"},
		{SECOND, "1 second"},
		{59 * SECOND, "59 seconds"},
		{MINUTE, "About a minute"},
		{2 * MINUTE - 1, "About a minute"},
		{59 * MINUTE, "59 minutes"},
		{HOUR, "About an hour"},
		{HOUR + 29 * MINUTE, "About an hour"},
		{HOUR + 30 * MINUTE, "2 hours"},
		{47 * HOUR, "47 hours"},
		{2 * DAY, "2 days"},
		{13 * DAY, "13 days"},
		{14 * DAY, "2 weeks"},
		{59 * DAY, "8 weeks"},
		{60 * DAY, "2 months"},
		{729 * DAY, "24 months"},
		{730 * DAY, "2 years"},
		{INT64_MAX, "292 years"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(strbuf_release) struct strbuf text = {0};

		human_duration(cases[i].ns, &text);
		assert_string_equal(strbuf_text(&text), cases[i].text);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		int digits;
		const char *text;
	} cases[] = {
		{0, 3, "0B"},           {999, 3, "999B"},        {1000, 3, "1kB"},
		{7331234, 3, "7.33MB"}, {7331234, 4, "7.331MB"}, {999999, 3, "1MB"},
		{999949, 4, "999.9kB"}, {999999, 4, "1MB"},      {UINT64_MAX, 4, "18.45EB"},
	};
	auto_(strbuf_release) struct strbuf binary = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(strbuf_release) struct strbuf text = {0};

		human_size(cases[i].bytes, cases[i].digits, &text);
		assert_string_equal(strbuf_text(&text), cases[i].text);
	}
	human_binary_size(UINT64_C(4096) << 20, &binary);
	assert_string_equal(strbuf_text(&binary), "4GiB");
}

static void assert_shortened(const char *text, size_t max, const char *expected)
{
	auto_(strbuf_release) struct strbuf shown = {0};

	human_shorten(text, max, &shown);
	assert_string_equal(strbuf_text(&shown), expected);
}

static void test_shortening_counts_characters(void **state)
{
	(void)state;
	assert_shortened("", 3, "");
	assert_shortened("abc", 3, "abc");
	assert_shortened("abcd", 3, "ab…");
	assert_shortened("äöü", 3, "äöü");
	assert_shortened("äöüß", 3, "äö…");
	assert_shortened("abcd", SIZE_MAX, "abcd");
}

static void test_quoting(void **state)
{
	auto_(strbuf_release) struct strbuf text = {0};

	(void)state;
	human_quote("a\"b\\c\n\t\x1b[1m\x7fü", &text);
	assert_string_equal(strbuf_text(&text), "\"a\\\"b\\\\c\\n\\t\\x1b[1m\\x7fü\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_shortening_counts_characters),
		cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
