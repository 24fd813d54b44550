/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"

static void lists_end_with_null(void **state)
{
	auto_(strv_release) struct strv list = {0};
	auto_free char *joined = NULL;

	(void)state;
	for (int i = 0; i < 20; i++) {
		strv_addf(&list, "%d", i);
		assert_null(list.items[list.count]);
	}
	strv_remove(&list, 3);
	assert_int_equal(list.count, 19);
	assert_string_equal(list.items[3], "4");
	assert_null(list.items[19]);
	joined = strv_join(&list, ",");
	assert_string_equal(joined, "0,1,2,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19");
}

static void splitting_keeps_empty_pieces(void **state)
{
	auto_(strv_release) struct strv list = {0};

	(void)state;
	strv_split(&list, "a::b:", ':');
	assert_int_equal(list.count, 4);
	assert_string_equal(list.items[1], "");
	assert_string_equal(list.items[3], "");
	strv_split(&list, "", ':');
	assert_int_equal(list.count, 4);
}

static void environments_have_keys_once(void **state)
{
	auto_(strv_release) struct strv env = {0};

	(void)state;
	strv_env_set(&env, "PATH", "/bin");
	strv_env_set(&env, "PATHS", "x");
	strv_env_set(&env, "PATH", "/sbin");
	assert_int_equal(env.count, 2);
	assert_string_equal(strv_env_find(&env, "PATH"), "/sbin");
	assert_null(strv_env_find(&env, "PAT"));
	strv_env_unset(&env, "PATH");
	assert_null(strv_env_find(&env, "PATH"));
	assert_string_equal(strv_env_find(&env, "PATHS"), "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_end_with_null),
		cmocka_unit_test(splitting_keeps_empty_pieces),
		cmocka_unit_test(environments_have_keys_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
