/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/table.h"

static void columns_are_aligned(void **state)
{
	static const char *const headers[] = {"ID", "NAME", "X"};
	auto_(table_release) struct table t = {0};
	auto_(strbuf_release) struct strbuf text = {0};

	(void)state;
	table_init(&t, headers, 3);
	table_add(&t, "1");
	table_add(&t, "\xe5\xae\xb9\xe5\x99\xa8");
	table_add(&t, "a");
	table_add(&t, "1234");
	table_add(&t, "n\x1b[31m");
	table_add(&t, "b");
	table_format(&t, &text);
	/* The first column has docker's least width, ten. */
	assert_string_equal(strbuf_text(&text), "ID        NAME      X\n"
						"1         \xe5\xae\xb9\xe5\x99\xa8        a\n"
						"1234      n?[31m    b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(columns_are_aligned)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
