/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/stats_graph.h"

static void assert_graph(const float *samples, size_t count, size_t width, bool utf8,
			 const char *expected)
{
	auto_(strbuf_release) struct strbuf text = {0};

	stats_graph(samples, count, width, utf8, &text);
	assert_string_equal(strbuf_text(&text), expected);
}

static void newest_at_the_right(void **state)
{
	static const float samples[] = {0, 50, 100};

	(void)state;
	assert_graph(samples, 3, 5, true, "   ▄█");
	assert_graph(samples, 3, 2, true, "▄█");
	assert_graph(samples, 3, 3, false, " -#");
	assert_graph(samples, 0, 3, true, "   ");
}

static void little_is_not_nothing_and_not_much(void **state)
{
	static const float samples[] = {0.01F, 1, 0};

	(void)state;
	assert_graph(samples, 3, 3, true, "▁▁ ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_at_the_right),
		cmocka_unit_test(little_is_not_nothing_and_not_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
