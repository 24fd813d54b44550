/* SPDX-License-Identifier: Apache-2.0 */
/* What image/tar_writer.h writes, unpack/tar_reader.h reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "image/tar_writer.h"
#include "memory_input.h"

#define FIFTY "fifty-letters-fifty-letters-fifty-letters-fifty-le"

struct archive {
	int fd;
	struct tar_writer writer;
	char *text;
	size_t len;
	struct memory_input input;
	struct tar_reader reader;
};

static void archive_start(struct archive *a)
{
	*a = (struct archive){.fd = memfd_create("archive", MFD_CLOEXEC)};
	assert_true(a->fd >= 0);
	tar_writer_init(&a->writer, a->fd);
}

static void put(struct archive *a, const struct tar_entry *entry, const char *data)
{
	auto_(error_release) struct error err = {0};

	assert_int_equal(tar_writer_entry(&a->writer, entry, &err), 0);
	if (data)
		assert_int_equal(tar_writer_data(&a->writer, data, strlen(data), &err), 0);
}

static void archive_turn(struct archive *a)
{
	auto_(error_release) struct error err = {0};

	assert_int_equal(tar_writer_finish(&a->writer, &err), 0);
	assert_int_equal(lseek(a->fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_text(a->fd, 64 << 20, &a->text, &a->len), 0);
	assert_int_equal(a->len % TAR_BLOCK, 0);
	assert_int_equal(a->len, a->writer.written);
	a->input = memory_input(a->text, a->len);
	a->reader.input = &a->input.input;
}

static struct tar_entry get(struct archive *a)
{
	auto_(error_release) struct error err = {0};
	struct tar_entry entry;
	int r = tar_reader_next(&a->reader, &entry, &err);

	if (r != 1)
		fail_msg("%s", r < 0 ? err_message(&err) : "the archive ended");
	return entry;
}

static void assert_content(struct archive *a, const char *wanted)
{
	auto_(strbuf_release) struct strbuf content = {0};
	auto_(error_release) struct error err = {0};
	const uint8_t *data;
	ssize_t n;

	while ((n = tar_reader_data(&a->reader, &data, &err)) > 0) {
		strbuf_add(&content, data, (size_t)n);
		assert_int_equal(tar_reader_consume(&a->reader, (uint64_t)n, &err), 0);
	}
	assert_string_equal(strbuf_text(&content), wanted);
}

static void archive_end(struct archive *a)
{
	auto_(error_release) struct error err = {0};
	struct tar_entry entry;

	assert_int_equal(tar_reader_next(&a->reader, &entry, &err), 0);
	tar_reader_release(&a->reader);
	tar_writer_release(&a->writer);
	free(a->text);
	(void)close(a->fd);
}

static void plain_entries_need_no_pax_header(void **state)
{
	static const struct tar_entry file = {.type = TAR_FILE,
					      .name = "etc/motd",
					      .mode = 0644,
					      .size = 5,
					      .mtime = {.tv_sec = 7}};
	static const struct tar_entry link = {
		.type = TAR_SYMLINK, .name = "tmp", .link = "/var/tmp", .mode = 0777};
	struct tar_entry e;
	struct archive a;

	(void)state;
	archive_start(&a);
	put(&a, &file, "hello");
	put(&a, &link, NULL);
	archive_turn(&a);
	assert_int_equal(a.len, 5 * TAR_BLOCK); /* header, data, header, two of the end */
	e = get(&a);
	assert_string_equal(e.name, "etc/motd");
	assert_int_equal(e.mode, 0644);
	assert_int_equal(e.mtime.tv_sec, 7);
	assert_content(&a, "hello");
	e = get(&a);
	assert_int_equal(e.type, TAR_SYMLINK);
	assert_string_equal(e.link, "/var/tmp");
	archive_end(&a);
}

static void long_names_come_back_whole(void **state)
{
	static const char *const names[] = {
		FIFTY FIFTY,
		FIFTY FIFTY "x",
		FIFTY "/" FIFTY FIFTY,
		FIFTY FIFTY "/" FIFTY FIFTY,
		FIFTY FIFTY FIFTY "/" FIFTY "/" FIFTY,
		FIFTY FIFTY FIFTY FIFTY "/" FIFTY "/",
		FIFTY "/" FIFTY FIFTY "/",
		"/" FIFTY FIFTY,
		"caf\xc3\xa9 \xff not UTF-8",
	};
	struct archive a;

	(void)state;
	archive_start(&a);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tar_entry e = {.type = TAR_HARDLINK, .name = names[i], .link = names[i]};

		put(&a, &e, NULL);
	}
	archive_turn(&a);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tar_entry e = get(&a);

		assert_string_equal(e.name, names[i]);
		assert_string_equal(e.link, names[i]);
	}
	archive_end(&a);
}

static void large_numbers_and_fine_times(void **state)
{
	static const struct pax_xattr xattrs[] = {
		{"security.capability", "\1\0\0\2\0 \0\0", 8},
		{"user.two\xc3\xa9", "line\nline", 9},
	};
	static const struct tar_entry entries[] = {
		{.type = TAR_FILE,
		 .name = "a",
		 .uid = 4294967294,
		 .gid = 2097152,
		 .mtime = {.tv_sec = 1, .tv_nsec = 20}},
		{.type = TAR_CHAR,
		 .name = "b",
		 .dev_major = 4095,
		 .dev_minor = 1048575,
		 .mtime = {.tv_sec = 99999999999}},
		{.type = TAR_DIR, .name = "c/", .mode = 07777, .xattrs = xattrs, .xattr_count = 2},
	};
	struct tar_entry e;
	struct archive a;

	(void)state;
	archive_start(&a);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		put(&a, &entries[i], NULL);
	archive_turn(&a);
	e = get(&a);
	assert_int_equal(e.uid, 4294967294);
	assert_int_equal(e.gid, 2097152);
	assert_int_equal(e.mtime.tv_nsec, 20);
	e = get(&a);
	assert_int_equal(e.dev_major, 4095);
	assert_int_equal(e.dev_minor, 1048575);
	e = get(&a);
	assert_int_equal(e.mode, 07777);
	assert_int_equal(e.xattr_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(e.xattrs[i].name, xattrs[i].name);
		assert_int_equal(e.xattrs[i].len, xattrs[i].len);
		assert_memory_equal(e.xattrs[i].value, xattrs[i].value, xattrs[i].len);
	}
	archive_end(&a);
}

static void times_before_the_epoch(void **state)
{
	static const struct tar_entry entry = {
		.type = TAR_FILE, .name = "old", .mtime = {.tv_sec = -1, .tv_nsec = 500000000}};
	static const struct tar_entry older = {
		.type = TAR_FILE, .name = "older", .mtime = {.tv_sec = -100}};
	struct archive a;

	(void)state;
	archive_start(&a);
	put(&a, &entry, NULL);
	put(&a, &older, NULL);
	archive_turn(&a);
	assert_non_null(memmem(a.text, a.len, "14 mtime=-0.5\n", 14));
	assert_non_null(memmem(a.text, a.len, "14 mtime=-100\n", 14));
	(void)get(&a);
	(void)get(&a);
	archive_end(&a);
}

static void sparse_files_keep_their_holes(void **state)
{
	static const struct sparse_piece pieces[] = {{4096, 3}, {1 << 20, 2}};
	static const struct tar_entry entry = {.type = TAR_FILE,
					       .name = "var/lib/disk.img",
					       .size = 8589934592,
					       .sparse = true,
					       .pieces = pieces,
					       .piece_count = 2};
	static const struct tar_entry hole = {
		.type = TAR_FILE, .name = "hole", .size = 4096, .sparse = true};
	struct tar_entry e;
	struct archive a;

	(void)state;
	archive_start(&a);
	put(&a, &entry, "abcde");
	put(&a, &hole, NULL);
	archive_turn(&a);
	e = get(&a);
	assert_string_equal(e.name, "var/lib/disk.img");
	assert_true(e.sparse);
	assert_int_equal(e.size, 8589934592);
	assert_int_equal(e.piece_count, 2);
	assert_int_equal(e.pieces[1].offset, 1 << 20);
	assert_content(&a, "abcde");
	e = get(&a);
	assert_true(e.sparse);
	assert_int_equal(e.size, 4096);
	assert_int_equal(e.piece_count, 0);
	archive_end(&a);
}

/* By the kernel or by us, and filled up when the file is shorter than it was said to be. */
static void files_are_copied(void **state)
{
	static const size_t sizes[] = {10, 300000};
	struct archive a;

	(void)state;
	archive_start(&a);
	for (size_t i = 0; i < 2; i++) {
		struct tar_entry e = {.type = TAR_FILE, .name = "f", .size = sizes[i] + 700};
		auto_(error_release) struct error err = {0};
		auto_close int fd = memfd_create("file", MFD_CLOEXEC);

		for (size_t n = 0; n < sizes[i]; n += 10)
			assert_int_equal(fd_write_all(fd, "0123456789", 10), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(tar_writer_entry(&a.writer, &e, &err), 0);
		assert_int_equal(tar_writer_copy(&a.writer, fd, e.size, &err), 0);
	}
	archive_turn(&a);
	for (size_t i = 0; i < 2; i++) {
		auto_(error_release) struct error err = {0};
		struct tar_entry e = get(&a);
		const uint8_t *data;

		assert_int_equal(e.size, sizes[i] + 700);
		assert_true(tar_reader_data(&a.reader, &data, &err) >= (ssize_t)e.size);
		assert_memory_equal(data, "0123456789", 10);
		assert_int_equal(data[sizes[i] - 1], '9');
		assert_int_equal(data[sizes[i]], 0);
		assert_int_equal(data[sizes[i] + 699], 0);
	}
	archive_end(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_entries_need_no_pax_header),
		cmocka_unit_test(long_names_come_back_whole),
		cmocka_unit_test(large_numbers_and_fine_times),
		cmocka_unit_test(times_before_the_epoch),
		cmocka_unit_test(sparse_files_keep_their_holes),
		cmocka_unit_test(files_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
