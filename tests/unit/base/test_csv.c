/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/csv.h"

static void fields_as_go_reads_them(void **state)
{
	static const struct {
		const char *line;
		const char *fields[4];
	} cases[] = {
		{"a,b,c", {"a", "b", "c"}},
		{"", {""}},
		{",", {"", ""}},
		{"\"a,b\",c", {"a,b", "c"}},
		{"\"say \"\"x\"\"\",", {"say \"x\"", ""}},
		{"\"\",x", {"", "x"}},
		{" a , b", {" a ", " b"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(strv_release) struct strv fields = {0};
		const char *problem;
		size_t column, n = 0;

		assert_int_equal(csv_split(cases[i].line, &fields, &problem, &column), 0);
		for (; cases[i].fields[n]; n++) {
			assert_true(n < fields.count);
			assert_string_equal(fields.items[n], cases[i].fields[n]);
		}
		assert_int_equal(fields.count, n);
	}
}

static void quotes_that_do_not_fit(void **state)
{
	static const struct {
		const char *line, *words;
		size_t column;
	} cases[] = {
		{"a\"b", "bare", 2},      {"x,a=\"b\"", "bare", 5},  {"\"a\"b,c", "extraneous", 3},
		{"\"a", "extraneous", 1}, {"a,\"", "extraneous", 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(strv_release) struct strv fields = {0};
		const char *problem;
		size_t column;

		assert_int_equal(csv_split(cases[i].line, &fields, &problem, &column), -EINVAL);
		assert_non_null(strstr(problem, cases[i].words));
		assert_int_equal(column, cases[i].column);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_as_go_reads_them),
		cmocka_unit_test(quotes_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
