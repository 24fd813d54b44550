/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/tabs.h"

static void test_alignment(void **state)
{
	static const struct {
		const char *text, *aligned;
	} cases[] = {
		{"", ""},
		{"\n", "\n"},
		{"no tabs\nat all\n", "no tabs\nat all\n"},
		{"a\tb\n", "a         b\n"},
		{"a\t\n", "a         \n"},
		{"a\tb", "a         b"},
		{"12345678\tb\n", "12345678   b\n"},
		{"a\tb\n12345678\tc\n", "a          b\n12345678   c\n"},
		/* "ä" is two bytes and one character. */
		{"ääääääää\tb\na\tb\n", "ääääääää   b\na          b\n"},
		/* A line without the cell ends the column. */
		{"a\tb\nx\n12345678\tc\n", "a         b\nx\n12345678   c\n"},
		{"a\tb\tc\n123456789\td\n", "a           b         c\n123456789   d\n"},
		{"\t\tx\n", "                    x\n"},
		{"a\tb\tc\nd\n1234567890\tf\tg\n",
		 "a         b         c\nd\n1234567890   f         g\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(strbuf_release) struct strbuf text = {0};

		tabs_align(cases[i].text, &text);
		assert_string_equal(strbuf_text(&text), cases[i].aligned);
	}
}

static void test_many_columns_are_no_problem(void **state)
{
	auto_(strbuf_release) struct strbuf text = {0}, aligned = {0};

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		strbuf_adds(&text, "\t");
	tabs_align(strbuf_text(&text), &aligned);
	assert_true(aligned.len > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_many_columns_are_no_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
