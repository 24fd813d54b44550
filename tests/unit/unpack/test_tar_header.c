/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "unpack/tar_header.h"

static void numbers_are_octal_or_base_256(void **state)
{
	static const struct {
		const char *field;
		int result;
		int64_t value;
	} cases[] = {
		{"0000644\0", 0, 0644},
		{"    644 ", 0, 0644},
		{"\0\0\0\0\0\0\0\0", 0, 0},
		{"        ", 0, 0},
		{"77777777", 0, 077777777},
		{"12\0garbg", 0, 012},
		{"0000008\0", -EINVAL, 0},
		{"-000001\0", -EINVAL, 0},
		{"0x00001\0", -EINVAL, 0},
		{"\x80\0\0\0\0\0\1\0", 0, 256},
		{"\x80\0\0\0\xee\x6b\x28\0", 0, 4000000000},
		{"\xff\xff\xff\xff\xff\xff\xff\xff", 0, -1},
		{"\xff\xff\xff\xff\xff\xff\xff\xfe", 0, -2},
		{"\x81\0\0\0\0\0\0\0", 0, (int64_t)1 << 56},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = 0;

		assert_int_equal(tar_number((const uint8_t *)cases[i].field, 8, &value),
				 cases[i].result);
		assert_int_equal(value, cases[i].value);
	}
}

static void numbers_that_do_not_fit_are_refused(void **state)
{
	static const char *const fields[] = {
		"\x80\0\0\0\x80\0\0\0\0\0\0\0",                     /* 2^63 */
		"\x81\0\0\0\0\0\0\0\0\0\0\0",                       /* 2^88 */
		"\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", /* -2^63 - 1 */
		"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(tar_number((const uint8_t *)fields[i], 12, &value), -EINVAL);
	assert_int_equal(tar_number((const uint8_t *)"777777777777777777777777", 24, &value),
			 -EINVAL);
	assert_int_equal(
		tar_number((const uint8_t *)"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12, &value), 0);
	assert_true(value == INT64_MIN);
}

static void sum(uint8_t *block, bool as_signed)
{
	unsigned int total = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		total += as_signed ? (unsigned int)(int8_t)block[i] : block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", total & 0777777);
}

static void make_block(uint8_t *block)
{
	memset(block, 0, TAR_BLOCK);
	memset(block, 'n', 100);
	memcpy(block + 100, "0004755", 8);
	memcpy(block + 108, "0001750", 8);
	memcpy(block + 116, "0001751", 8);
	memcpy(block + 124, "00000000012", 12);
	memcpy(block + 136, "00000000007", 12);
	block[156] = '0';
	memset(block + 157, 'l', 100);
	memcpy(block + 257, "ustar\00000", 8);
	memset(block + 345, 'p', 155);
	sum(block, false);
}

static void headers_are_decoded(void **state)
{
	uint8_t block[TAR_BLOCK];
	struct tar_header h;

	(void)state;
	make_block(block);
	assert_int_equal(tar_header_decode(block, &h), 0);
	assert_int_equal(h.format, TAR_FORMAT_USTAR);
	assert_int_equal(h.mode, 04755);
	assert_int_equal(h.uid, 1000);
	assert_int_equal(h.gid, 1001);
	assert_int_equal(h.size, 10);
	assert_int_equal(h.mtime, 7);
	assert_int_equal(strlen(h.name), 155 + 1 + 100);
	assert_int_equal(strlen(h.link), 100);
	assert_int_equal(h.name[155], '/');

	memcpy(block + 257, "ustar  ", 8);
	sum(block, false);
	assert_int_equal(tar_header_decode(block, &h), 0);
	assert_int_equal(h.format, TAR_FORMAT_GNU);
	assert_int_equal(strlen(h.name), 100);
}

static void checksums_are_checked(void **state)
{
	uint8_t block[TAR_BLOCK];
	struct tar_header h;

	(void)state;
	make_block(block);
	block[0] ^= 1;
	assert_int_equal(tar_header_decode(block, &h), -EBADMSG);

	/* An old writer that summed signed characters. */
	make_block(block);
	block[5] = 0xe9;
	sum(block, true);
	assert_int_equal(tar_header_decode(block, &h), 0);

	make_block(block);
	memcpy(block + 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	sum(block, false);
	assert_int_equal(tar_header_decode(block, &h), -EINVAL);
}

static void zero_blocks_are_seen(void **state)
{
	uint8_t block[TAR_BLOCK] = {0};

	(void)state;
	assert_true(tar_block_is_zero(block));
	block[TAR_BLOCK - 1] = 1;
	assert_false(tar_block_is_zero(block));
	assert_int_equal(tar_padded(0), 0);
	assert_int_equal(tar_padded(1), 512);
	assert_int_equal(tar_padded(512), 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_octal_or_base_256),
		cmocka_unit_test(numbers_that_do_not_fit_are_refused),
		cmocka_unit_test(headers_are_decoded),
		cmocka_unit_test(checksums_are_checked),
		cmocka_unit_test(zero_blocks_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
