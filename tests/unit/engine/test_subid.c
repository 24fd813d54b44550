/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/subid.h"

static void test_files(void **state)
{
	static const struct {
		const char *text, *name, *map;
	} cases[] = {
		{"", "alice", ""},
		{"alice:100000:65536\n", "alice", "0:100000:65536"},
		{"alice:100000:65536", "alice", "0:100000:65536"},
		{"bob:1:2\nalice:100000:10\nalice:200000:5\n", "alice", "0:100000:10,10:200000:5"},
		{"alice2:1:2\n", "alice", ""},
		{"# alice:1:2\nalice\nalice:x:2\nalice:1\nalice:1:2:3\n", "alice", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(id_map_release) struct id_map map = {0};
		auto_free char *text = NULL;

		assert_int_equal(subid_parse(cases[i].text, cases[i].name, &map), 0);
		text = id_map_format(&map);
		assert_string_equal(text, cases[i].map);
	}
}

static void test_bad_ranges(void **state)
{
	struct id_map map = {0};

	(void)state;
	assert_true(subid_parse("alice:1:0\n", "alice", &map) < 0);
	assert_true(subid_parse("alice:100:10\nalice:105:10\n", "alice", &map) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_bad_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
