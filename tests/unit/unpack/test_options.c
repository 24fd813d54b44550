/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/alloc.h"
#include "unpack/options.h"
#include "unpack/protocol.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static int parse(const char *const *words, struct options *ret_options)
{
	auto_(error_release) struct error err = {0};
	char *argv[8] = {(char *)"skiff-unpack"};
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	return options_parse(argc, argv, ret_options, &err);
}

static void jobs_have_defaults(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse((const char *const[]){"index", NULL}, &o), 0);
	assert_int_equal(o.job, JOB_INDEX);
	assert_int_equal(o.max_entries, UNPACK_INDEX_MAX_ENTRIES);
	assert_int_equal(parse((const char *const[]){"layer", NULL}, &o), 0);
	assert_int_equal(o.job, JOB_LAYER);
	assert_int_equal(o.max_entries, UNPACK_LAYER_MAX_ENTRIES);
	assert_int_equal(o.max_bytes, UNPACK_DEFAULT_MAX_BYTES);
	assert_false(o.region || o.blob || o.progress || o.digest);
}

static void options_are_read(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse((const char *const[]){"layer", "--blob", "--offset=512", "--size=10",
						     "--digest=" DIGEST, "--max-bytes=99", NULL},
			       &o),
			 0);
	assert_true(o.blob && o.region && !o.progress);
	assert_int_equal(o.offset, 512);
	assert_int_equal(o.size, 10);
	assert_int_equal(o.max_bytes, 99);
	assert_string_equal(o.digest, DIGEST);
	assert_null(o.diff_id);
}

static void bad_options_are_refused(void **state)
{
	static const char *const cases[][4] = {
		{NULL},
		{"unknown", NULL},
		{"layer", "--nonsense", NULL},
		{"layer", "--size", NULL},
		{"layer", "--size=", NULL},
		{"layer", "--size=-1", NULL},
		{"layer", "--size=1k", NULL},
		{"layer", "--offset=1", NULL},
		{"layer", "--size=9223372036854775807", "--offset=1", NULL},
		{"layer", "--blob=yes", NULL},
		{"layer", "--digest=sha256:0", NULL},
		{"layer", "--spool", NULL},
		{"index", "--blob", NULL},
		{"index", "extra", NULL},
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(parse(cases[i], &o), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_have_defaults),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(bad_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
