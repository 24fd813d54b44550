/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/env_file.h"

static char home[] = "HOME=/root", empty[] = "EMPTY=", homer[] = "HOMER=simpson";
static char *const environment[] = {homer, home, empty, NULL};

static void assert_parsed(const char *text, char *const *env, const char *joined)
{
	auto_(strv_release) struct strv list = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *result = NULL;

	assert_int_equal(env_text_parse(text, strlen(text), "f", env, &list, &err), 0);
	result = strv_join(&list, "|");
	assert_string_equal(result, joined);
}

static void assert_refused(const char *text, size_t len, const char *message)
{
	auto_(strv_release) struct strv list = {0};
	auto_(error_release) struct error err = {0};

	assert_true(env_text_parse(text, len, "f", environment, &list, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err_message(&err), message);
}

static void test_lines(void **state)
{
	(void)state;
	assert_parsed("", environment, "");
	assert_parsed("A=1\nB=2", environment, "A=1|B=2");
	assert_parsed("A=1\r\n\r\nB=2\r\n", environment, "A=1|B=2");
	assert_parsed("# comment\n  # too\n\n  A=1\n", environment, "A=1");
	assert_parsed("\xef\xbb\xbf"
		      "A=1\n",
		      environment, "A=1");
}

static void test_values_are_literal(void **state)
{
	(void)state;
	assert_parsed("A=\"x y\"  \nB='#'\nC=a=b\nD=\n", environment, "A=\"x y\"  |B='#'|C=a=b|D=");
}

static void test_bare_keys_are_inherited(void **state)
{
	(void)state;
	assert_parsed("HOME\nNOPE\nEMPTY\n", environment, "HOME=/root|EMPTY=");
	assert_parsed("HOME\nNOPE\n", NULL, "HOME|NOPE");
}

static void test_mistakes_are_refused(void **state)
{
	static const char nul[] = "A=1\nB\0=2\n";

	(void)state;
	assert_refused("a b=1\n", 6, "invalid env file (f): variable 'a b' contains whitespaces");
	assert_refused("KEY \n", 5, "invalid env file (f): variable 'KEY ' contains whitespaces");
	assert_refused("=1\n", 3, "invalid env file (f): no variable name on line '=1'");
	assert_refused(nul, sizeof(nul) - 1, "invalid env file (f): contains a NUL byte");
}

static void test_arguments(void **state)
{
	auto_(strv_release) struct strv args = {0};
	auto_(strv_release) struct strv list = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *joined = NULL;

	(void)state;
	strv_add(&args, "A=1");
	strv_add(&args, "HOME");
	strv_add(&args, "HOM");
	strv_add(&args, "A=");
	env_args_resolve(&args, environment, &list);
	joined = strv_join(&list, "|");
	assert_string_equal(joined, "A=1|HOME=/root|A=");

	assert_int_equal(env_arg_check("A", &err), 0);
	assert_true(env_arg_check("", &err) < 0);
	assert_true(env_arg_check("=x", &err) < 0);
	assert_string_equal(err_message(&err), "invalid environment variable: =x");
}

static void test_file_that_is_not_there(void **state)
{
	auto_(strv_release) struct strv list = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_true(env_file_read("/nonexistent/env", environment, &list, &err) < 0);
	assert_string_equal(err_message(&err), "open /nonexistent/env: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_values_are_literal),
		cmocka_unit_test(test_bare_keys_are_inherited),
		cmocka_unit_test(test_mistakes_are_refused),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_file_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
