/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "memory_input.h"
#include "unpack/tar_header.h"

static void add_header(struct strbuf *tar, char flag, const char *name, size_t size)
{
	uint8_t block[TAR_BLOCK] = {0};
	unsigned int sum = 0;

	(void)snprintf((char *)block, 100, "%s", name);
	memcpy(block + 100, "0000644\0000000000\0000000000", 24);
	(void)snprintf((char *)block + 124, 12, "%011o", (unsigned int)size & 07777777777);
	memcpy(block + 136, "00000000000", 12);
	memset(block + 148, ' ', 8);
	block[156] = (uint8_t)flag;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += block[i];
	(void)snprintf((char *)block + 148, 8, "%06o", sum & 0777777);
	strbuf_add(tar, block, sizeof(block));
}

static void add(struct strbuf *tar, char flag, const char *name, const char *data, size_t len)
{
	static const uint8_t zeros[TAR_BLOCK];

	add_header(tar, flag, name, len);
	strbuf_add(tar, data, len);
	strbuf_add(tar, zeros, tar_padded(len) - len);
}

static void add_end(struct strbuf *tar)
{
	static const uint8_t zeros[2 * TAR_BLOCK];

	strbuf_add(tar, zeros, sizeof(zeros));
}

static void read_all(struct tar_reader *reader, struct strbuf *ret_content)
{
	auto_(error_release) struct error err = {0};
	const uint8_t *data;
	ssize_t n;

	while ((n = tar_reader_data(reader, &data, &err)) > 0) {
		strbuf_add(ret_content, data, (size_t)n);
		assert_int_equal(tar_reader_consume(reader, (uint64_t)n, &err), 0);
	}
	assert_int_equal(n, 0);
}

/* However the bytes arrive, the entries are the same. */
static void entries_come_one_by_one(void **state)
{
	static const size_t steps[] = {0, 512, 777, 4096};
	auto_(strbuf_release) struct strbuf tar = {0};

	(void)state;
	add(&tar, 'x', "pax", "15 path=long/a\n", 15);
	add(&tar, '0', "first", "hello", 5);
	add(&tar, '0', "second", "world", 5);
	add_end(&tar);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct memory_input input = memory_input(tar.data, tar.len);
		auto_(tar_reader_release) struct tar_reader reader = {.input = &input.input};
		auto_(strbuf_release) struct strbuf content = {0};
		auto_(error_release) struct error err = {0};
		struct tar_entry entry;

		input.step = steps[i];
		assert_int_equal(tar_reader_next(&reader, &entry, &err), 1);
		assert_string_equal(entry.name, "long/a");
		assert_int_equal(entry.size, 5);
		assert_int_equal(entry.data_offset, 3 * TAR_BLOCK);
		read_all(&reader, &content);
		assert_string_equal(content.data, "hello");
		assert_int_equal(tar_reader_next(&reader, &entry, &err), 1);
		assert_string_equal(entry.name, "second");
		assert_int_equal(tar_reader_next(&reader, &entry, &err), 0);
		assert_true(reader.ended);
		assert_int_equal(tar_reader_next(&reader, &entry, &err), 0);
	}
}

static void a_missing_end_is_told(void **state)
{
	auto_(strbuf_release) struct strbuf tar = {0};
	auto_(error_release) struct error err = {0};
	struct tar_entry entry;

	(void)state;
	add(&tar, '0', "a", "x", 1);
	for (size_t cut = 0; cut <= tar.len; cut++) {
		struct memory_input input = memory_input(tar.data, cut);
		auto_(tar_reader_release) struct tar_reader reader = {.input = &input.input};
		int r = tar_reader_next(&reader, &entry, &err);

		if (r > 0)
			r = tar_reader_next(&reader, &entry, &err);
		/* Only what fills the last block may be missing. */
		assert_int_equal(r == 0, cut == 0 || cut > TAR_BLOCK);
		assert_false(reader.ended);
	}
}

static void sparse_pieces_are_given(void **state)
{
	static const char records[] = "22 GNU.sparse.major=1\n"
				      "22 GNU.sparse.minor=0\n"
				      "23 GNU.sparse.name=s/p\n"
				      "27 GNU.sparse.realsize=500\n";
	auto_(strbuf_release) struct strbuf tar = {0};
	auto_(error_release) struct error err = {0};
	auto_(strbuf_release) struct strbuf content = {0};
	char data[TAR_BLOCK + 7] = "2\n100\n3\n400\n4\n";
	struct tar_entry entry;
	struct memory_input input;

	(void)state;
	memcpy(data + TAR_BLOCK, "abcdefg", 7);
	add(&tar, 'x', "pax", records, sizeof(records) - 1);
	add(&tar, '0', "GNUSparseFile.1/p", data, sizeof(data));
	add_end(&tar);
	input = memory_input(tar.data, tar.len);
	auto_(tar_reader_release) struct tar_reader reader = {.input = &input.input};

	assert_int_equal(tar_reader_next(&reader, &entry, &err), 1);
	assert_string_equal(entry.name, "s/p");
	assert_true(entry.sparse);
	assert_int_equal(entry.size, 500);
	assert_int_equal(entry.stored, 7);
	assert_int_equal(entry.piece_count, 2);
	assert_int_equal(entry.pieces[1].offset, 400);
	assert_int_equal(entry.pieces[1].len, 4);
	read_all(&reader, &content);
	assert_string_equal(content.data, "abcdefg");
	assert_int_equal(tar_reader_next(&reader, &entry, &err), 0);
}

static void garbage_is_named(void **state)
{
	uint8_t garbage[2 * TAR_BLOCK];
	auto_(error_release) struct error err = {0};
	struct tar_entry entry;
	struct memory_input input = memory_input(garbage, sizeof(garbage));
	auto_(tar_reader_release) struct tar_reader reader = {.input = &input.input};

	(void)state;
	memset(garbage, 'g', sizeof(garbage));
	assert_true(tar_reader_next(&reader, &entry, &err) < 0);
	assert_string_equal(err_message(&err), "not a tar archive");
	assert_int_equal(err.kind, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_one_by_one),
		cmocka_unit_test(a_missing_end_is_told),
		cmocka_unit_test(sparse_pieces_are_given),
		cmocka_unit_test(garbage_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
