/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/id_map.h"

static void test_text(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"0:100000:65536", 0},
		{"0:1000:1,1:100000:65535", 0},
		{"5:6", 0}, /* one */
		{"0:0:4294967295", 0},
		{"", -EINVAL},
		{"0", -EINVAL},
		{"0:1:2:3", -EINVAL},
		{"0:1:0", -EINVAL},
		{"0:-1:1", -EINVAL},
		{"a:1:1", -EINVAL},
		{"0:1:1,", -EINVAL},
		{"0:4294967295:1", -EINVAL},
		{"0:1:4294967295", -EINVAL},
		{"0:100:10,9:200:1", -EEXIST},
		{"0:100:10,10:109:1", -EEXIST},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(id_map_release) struct id_map map = {0};

		if (id_map_parse(cases[i].text, &map) != cases[i].result)
			fail_msg("'%s'", cases[i].text);
	}
}

static void test_both_ways(void **state)
{
	auto_(id_map_release) struct id_map map = {0};
	auto_free char *text = NULL, *proc = NULL;
	uint32_t id;

	(void)state;
	assert_int_equal(id_map_parse("0:1000:1,1:100000:10", &map), 0);
	assert_true(id_map_outside(&map, 0, &id) && id == 1000);
	assert_true(id_map_outside(&map, 10, &id) && id == 100009);
	assert_false(id_map_outside(&map, 11, &id));
	assert_true(id_map_inside(&map, 100009, &id) && id == 10);
	assert_false(id_map_inside(&map, 100010, &id));
	assert_false(id_map_inside(&map, 0, &id));
	text = id_map_format(&map);
	assert_string_equal(text, "0:1000:1,1:100000:10");
	proc = id_map_proc_text(&map);
	assert_string_equal(proc, "0 1000 1\n1 100000 10");
	assert_false(id_map_is_identity(&map));
}

static void test_of_the_kernel(void **state)
{
	auto_(id_map_release) struct id_map map = {0}, all = {0}, bad = {0};
	auto_free char *text = NULL;

	(void)state;
	assert_int_equal(id_map_parse_proc("         0     100000      65536\n"
					   "     65536       1000          1\n",
					   &map),
			 0);
	text = id_map_format(&map);
	assert_string_equal(text, "0:100000:65536,65536:1000:1");
	assert_int_equal(id_map_parse_proc("         0          0 4294967295\n", &all), 0);
	assert_true(id_map_is_identity(&all));
	assert_int_equal(id_map_parse_proc("0 0\n", &bad), -EINVAL);
	assert_int_equal(id_map_parse_proc("0 0 4294967296\n", &bad), -EINVAL);
	assert_int_equal(id_map_parse_proc("nonsense", &bad), -EINVAL);
}

static void test_override(void **state)
{
	static const struct {
		struct id_range over;
		const char *result;
	} cases[] = {
		{{7, 1000, 1}, "0:500:7,8:508:92,7:1000:1"},
		{{0, 1000, 1}, "1:501:99,0:1000:1"},
		{{99, 1000, 5}, "0:500:99,99:1000:5"},
		{{0, 1000, 100}, "0:1000:100"},
		{{200, 1000, 1}, "0:500:100,200:1000:1"},
		/* Who is taken outside is no longer who he was inside. */
		{{200, 550, 1}, "0:500:50,51:551:49,200:550:1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(id_map_release) struct id_map map = {0};
		auto_free char *text = NULL;

		assert_int_equal(id_map_add(&map, (struct id_range){0, 500, 100}), 0);
		assert_int_equal(id_map_override(&map, cases[i].over), 0);
		text = id_map_format(&map);
		assert_string_equal(text, cases[i].result);
	}
}

static void test_is_bounded(void **state)
{
	auto_(id_map_release) struct id_map map = {0};
	int r = 0;

	(void)state;
	for (uint32_t i = 0; r == 0 && i < 1000; i++)
		r = id_map_add(&map, (struct id_range){i, i + 5000, 1});
	assert_int_equal(r, -E2BIG);
	assert_int_equal(map.count, ID_MAP_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),          cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_of_the_kernel), cmocka_unit_test(test_override),
		cmocka_unit_test(test_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
