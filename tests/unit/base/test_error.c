/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"

static void system_errors_say_why(void **state)
{
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(err_set(&err, ERR_SYSTEM, ENOENT, "open '%s'", "x"), -ENOENT);
	assert_string_equal(err_message(&err), "open 'x': No such file or directory");
	assert_int_equal(err_result(&err), -ENOENT);
}

static void other_errors_are_as_said(void **state)
{
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(err_set(&err, ERR_NOT_FOUND, 0, "No such image: x"), -ENOENT);
	assert_string_equal(err_message(&err), "No such image: x");
	assert_int_equal(err_wrap(&err, -ENOENT, "run"), -ENOENT);
	assert_string_equal(err_message(&err), "run: No such image: x");
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void moving_empties_the_source(void **state)
{
	auto_(error_release) struct error from = {0};
	auto_(error_release) struct error to = {0};

	(void)state;
	(void)err_set(&to, ERR_INTERNAL, 0, "old");
	(void)err_set(&from, ERR_CONFLICT, 0, "new");
	assert_int_equal(err_move(&to, &from), -EBUSY);
	assert_string_equal(err_message(&to), "new");
	assert_int_equal(from.kind, ERR_NONE);
	assert_int_equal(err_result(&from), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_errors_say_why),
		cmocka_unit_test(other_errors_are_as_said),
		cmocka_unit_test(moving_empties_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
