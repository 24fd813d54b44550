/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "unpack/tar_pax.h"

static int parse(const char *text, size_t len, char **ret_copy, struct pax *ret_pax)
{
	auto_(error_release) struct error err = {0};

	*ret_copy = xmemdup(text, len);
	return pax_parse(*ret_copy, len, ret_pax, &err);
}

static void records_are_understood(void **state)
{
	static const char text[] = "12 path=a/b\n"
				   "14 linkpath=c\n"
				   "13 uid=70000\n"
				   "12 size=999\n"
				   "15 mtime=12.25\n"
				   "7 gid=\n"
				   "17 comment=hello\n"
				   "28 SCHILY.xattr.user.a=x=\0y\n"
				   "26 SCHILY.xattr.user.b=\n\n\n";
	auto_(pax_release) struct pax pax = {0};
	auto_free char *copy = NULL;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &copy, &pax), 0);
	assert_string_equal(pax.path, "a/b");
	assert_string_equal(pax.link, "c");
	assert_true(pax.has_uid && pax.uid == 70000);
	assert_false(pax.has_gid);
	assert_true(pax.has_size && pax.size == 999);
	assert_true(pax.has_mtime && pax.mtime.tv_sec == 12 && pax.mtime.tv_nsec == 250000000);
	assert_int_equal(pax.xattr_count, 2);
	assert_string_equal(pax.xattrs[0].name, "user.a");
	assert_int_equal(pax.xattrs[0].len, 4);
	assert_memory_equal(pax.xattrs[0].value, "x=\0y", 4);
	assert_memory_equal(pax.xattrs[1].value, "\n\n", 2);
}

static void malformed_records_are_refused(void **state)
{
	static const char *const texts[] = {
		"\n",
		"5\n",
		"path=a\n",
		"6 path=a\n",
		"7 path=a\n",
		"0 path=a\n",
		"-8 path=a\n",
		"08 path=\n\n",
		"7 patha\n",
		"5 =a\n",
		"99 path=a\n",
		"8 path=ab",
		"11 size=-1\n",
		"10 uid=0x\n",
		"11 mtime=.\n",
		" 8 path=a\n",
		"4294967304 path=a\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_(pax_release) struct pax pax = {0};
		auto_free char *copy = NULL;

		assert_int_equal(parse(texts[i], strlen(texts[i]), &copy, &pax), -EINVAL);
	}
}

static void times_are_read_to_the_nanosecond(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t sec;
		long nsec;
	} cases[] = {
		{"0", 0, 0, 0},
		{"1350244992.023960108", 0, 1350244992, 23960108},
		{"1.5", 0, 1, 500000000},
		{"1.", 0, 1, 0},
		{"1.1234567899", 0, 1, 123456789},
		{"-1.5", 0, -2, 500000000},
		{"-1", 0, -1, 0},
		{"", -EINVAL, 0, 0},
		{".5", -EINVAL, 0, 0},
		{"1.5x", -EINVAL, 0, 0},
		{"1e9", -EINVAL, 0, 0},
		{"99999999999999999999", -EINVAL, 0, 0},
		{"99999999999999999999999999999", -EINVAL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct timespec t = {0};

		assert_int_equal(pax_time(cases[i].text, &t), cases[i].result);
		assert_int_equal(t.tv_sec, cases[i].sec);
		assert_int_equal(t.tv_nsec, cases[i].nsec);
	}
}

static void sparse_maps_are_checked(void **state)
{
	static const struct {
		const char *list;
		uint64_t size, stored;
		bool valid;
	} cases[] = {
		{"", 0, 0, true},
		{"", 100, 0, true},
		{"0,5", 5, 5, true},
		{"5,5,20,1,100,0", 100, 6, true},
		{"5,5,10,1", 11, 6, true},
		{"0,5", 4, 5, false},
		{"0,5", 5, 4, false},
		{"5,5,9,1", 100, 6, false},
		{"20,1,5,5", 100, 6, false},
		{"18446744073709551615,2", 100, 2, false},
		{"1,18446744073709551615", 100, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(sparse_release) struct sparse_map map = {0};

		assert_int_equal(sparse_parse_list(cases[i].list, &map), 0);
		assert_int_equal(sparse_is_valid(&map, cases[i].size, cases[i].stored),
				 cases[i].valid);
	}
}

static void malformed_lists_are_refused(void **state)
{
	static const char *const lists[] = {
		"1", "1,2,3", "a,b", "1,,2", "-1,2", "1 ,2", "99999999999999999999,1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		auto_(sparse_release) struct sparse_map map = {0};

		assert_int_equal(sparse_parse_list(lists[i], &map), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_understood),
		cmocka_unit_test(malformed_records_are_refused),
		cmocka_unit_test(times_are_read_to_the_nanosecond),
		cmocka_unit_test(sparse_maps_are_checked),
		cmocka_unit_test(malformed_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
