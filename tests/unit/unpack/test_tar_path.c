/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "unpack/tar_path.h"

static void names_are_made_clean(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"/", ""},
		{".", ""},
		{"./", ""},
		{"a", "a"},
		{"/a", "a"},
		{"//a//b//", "a/b"},
		{"./a/./b", "a/b"},
		{"a/../b", "b"},
		{"a/b/../../c", "c"},
		{"a/..", ""},
		{"..a", "..a"},
		{"a/...", "a/..."},
		{"a/b/../c/", "a/c"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tar_path path;

		assert_int_equal(tar_path_clean(cases[i][0], &path), 0);
		assert_string_equal(path.text, cases[i][1]);
		assert_int_equal(path.len, strlen(cases[i][1]));
	}
}

static void names_that_climb_out_are_refused(void **state)
{
	static const char *const names[] = {"..",      "../a",      "/..",
					    "/../a",   "a/../../b", "./../a",
					    "a/../..", "../..",     "a/b/../../../c"};
	struct tar_path path;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(tar_path_clean(names[i], &path), -EXDEV);
}

static void lengths_are_bounded(void **state)
{
	auto_free char *name = xmalloc(8192);
	struct tar_path path;

	(void)state;
	memset(name, 'a', 8192);
	name[255] = '\0';
	assert_int_equal(tar_path_clean(name, &path), 0);
	name[255] = 'a';
	name[256] = '\0';
	assert_int_equal(tar_path_clean(name, &path), -ENAMETOOLONG);

	for (size_t i = 0; i < 8190; i += 2)
		memcpy(name + i, "a/", 2);
	name[4095] = '\0';
	assert_int_equal(tar_path_clean(name, &path), 0);
	assert_int_equal(path.len, 4095);
	name[4095] = '/';
	name[4097] = '\0';
	assert_int_equal(tar_path_clean(name, &path), -ENAMETOOLONG);
}

static void paths_are_split(void **state)
{
	struct tar_path path, parent;

	(void)state;
	assert_int_equal(tar_path_clean("a/b/c", &path), 0);
	assert_string_equal(tar_path_split(&path, &parent), "c");
	assert_string_equal(parent.text, "a/b");
	assert_int_equal(parent.len, 3);
	assert_int_equal(tar_path_clean("a", &path), 0);
	assert_string_equal(tar_path_split(&path, &parent), "a");
	assert_string_equal(parent.text, "");
}

static void whiteouts_are_told_apart(void **state)
{
	static const struct {
		const char *name;
		enum whiteout kind;
		const char *hidden;
	} cases[] = {
		{"a", WHITEOUT_NONE, NULL},
		{"a.wh.b", WHITEOUT_NONE, NULL},
		{".wh", WHITEOUT_NONE, NULL},
		{".wh.a/b", WHITEOUT_NONE, NULL},
		{".wh.a", WHITEOUT_FILE, "a"},
		{"d/.wh.a", WHITEOUT_FILE, "a"},
		{".wh.a.wh.b", WHITEOUT_FILE, "a.wh.b"},
		{".wh..a", WHITEOUT_FILE, ".a"},
		{".wh..wh..opq", WHITEOUT_OPAQUE, NULL},
		{"d/e/.wh..wh..opq", WHITEOUT_OPAQUE, NULL},
		{".wh..wh..opqx", WHITEOUT_META, NULL},
		{".wh..wh.plnk", WHITEOUT_META, NULL},
		{".wh..wh.plnk/1.2", WHITEOUT_META, NULL},
		{"a/.wh..wh.x/b", WHITEOUT_META, NULL},
		{".wh..wh.plnk/.wh..wh..opq", WHITEOUT_META, NULL},
		{".wh..wh..opq/a", WHITEOUT_META, NULL},
		{".wh.", WHITEOUT_INVALID, NULL},
		{"d/.wh..", WHITEOUT_INVALID, NULL},
		{".wh...", WHITEOUT_INVALID, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *hidden = NULL;
		struct tar_path path;

		assert_int_equal(tar_path_clean(cases[i].name, &path), 0);
		assert_int_equal(tar_path_whiteout(&path, &hidden), cases[i].kind);
		if (cases[i].hidden)
			assert_string_equal(hidden, cases[i].hidden);
	}
}

static void shown_names_are_printable(void **state)
{
	char long_name[1000];
	struct shown_name shown;

	(void)state;
	assert_string_equal(tar_path_show("plain").text, "plain");
	assert_string_equal(tar_path_show("a\x1b[0m\n").text, "a?[0m?");
	assert_string_equal(tar_path_show("\xff\xfe").text, "??");
	assert_string_equal(tar_path_show("f\xc5\x91").text, "f\xc5\x91");
	assert_string_equal(tar_path_show("cut \xe2\x98").text, "cut ??");
	memset(long_name, 'x', sizeof(long_name));
	long_name[999] = '\0';
	shown = tar_path_show(long_name);
	assert_true(strlen(shown.text) < sizeof(shown.text));
	assert_non_null(strstr(shown.text, "..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_clean),
		cmocka_unit_test(names_that_climb_out_are_refused),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(paths_are_split),
		cmocka_unit_test(whiteouts_are_told_apart),
		cmocka_unit_test(shown_names_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
