/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "monitor/json_log.h"

#define NOW 1700000000123456789LL
#define NOW_TEXT "2023-11-14T22:13:20.123456789Z"

static char directory[] = "/tmp/skiff-test-json-log-XXXXXX";

static int open_dir(void **state)
{
	int fd;

	memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
	if (!mkdtemp(directory))
		return -1;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = (void *)(intptr_t)fd;
	return fd < 0 ? -1 : 0;
}

static int close_dir(void **state)
{
	(void)close((int)(intptr_t)*state);
	return path_remove_tree(AT_FDCWD, directory);
}

static int dir_of(void **state)
{
	return (int)(intptr_t)*state;
}

/* The text of a file; "" when it is not there. Static, so that assertions may use it in place. */
static const char *text_of(int dir_fd, const char *name)
{
	static char *texts[4];
	static unsigned int next;
	char **text = &texts[next++ % 4];

	free(*text);
	*text = NULL;
	if (fd_read_file_at(dir_fd, name, 64 << 20, text, NULL) < 0)
		*text = xstrdup("");
	return *text;
}

static const char *encode(const char *line, size_t len, bool newline)
{
	static char out[JSON_LOG_RECORD_MAX(64) + 1];
	size_t n = json_log_encode(out, line, len, newline, JSON_LOG_STDOUT, "T", NULL);

	assert_true(n <= JSON_LOG_RECORD_MAX(len));
	out[n] = '\0';
	return out;
}

#define RECORD(text) "{\"log\":\"" text "\",\"stream\":\"stdout\",\"time\":\"T\"}\n"

static void test_encode(void **state)
{
	(void)state;
	assert_string_equal(encode("hello", 5, true), RECORD("hello\\n"));
	assert_string_equal(encode("hello", 5, false), RECORD("hello"));
	assert_string_equal(encode("", 0, true), RECORD("\\n"));
	assert_string_equal(encode("a\"b\\c/", 6, false), RECORD("a\\\"b\\\\c/"));
	assert_string_equal(encode("\r\n\t\b\0\x1b[m\x7f", 9, false),
			    RECORD("\\r\\n\\u0009\\u0008\\u0000\\u001b[m\x7f"));
	assert_string_equal(encode("<&>", 3, false), RECORD("\\u003c\\u0026\\u003e"));
}

static void test_encode_utf8(void **state)
{
	(void)state;
	assert_string_equal(encode("größe 漢字 😀", 19, false), RECORD("größe 漢字 😀"));
	assert_string_equal(encode("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 9, false),
			    RECORD("\\u2028\\u2029\xe2\x80\xaa"));
	/* Alone, overlong, a surrogate, too large, cut short: U+FFFD for each byte, as Go does. */
	assert_string_equal(encode("\x80", 1, false), RECORD("\\ufffd"));
	assert_string_equal(encode("\xc0\xaf", 2, false), RECORD("\\ufffd\\ufffd"));
	assert_string_equal(encode("\xed\xa0\x80", 3, false), RECORD("\\ufffd\\ufffd\\ufffd"));
	assert_string_equal(encode("\xf4\x90\x80\x80", 4, false),
			    RECORD("\\ufffd\\ufffd\\ufffd\\ufffd"));
	assert_string_equal(encode("x\xe6\xbc", 3, false), RECORD("x\\ufffd\\ufffd"));
}

static void add(struct json_log *log, enum json_log_stream stream, const char *text)
{
	json_log_add(log, stream, text, strlen(text), NOW);
}

#define LINE(text, stream)                                                                         \
	"{\"log\":\"" text "\",\"stream\":\"" stream "\",\"time\":\"" NOW_TEXT "\"}\n"

static void test_lines(void **state)
{
	const struct json_log_options options = {0};
	struct json_log log;

	json_log_init(&log, dir_of(state), &options);
	add(&log, JSON_LOG_STDOUT, "one\ntw");
	add(&log, JSON_LOG_STDERR, "error\n");
	json_log_flush(&log);
	assert_string_equal(text_of(dir_of(state), "json.log"),
			    LINE("one\\n", "stdout") LINE("error\\n", "stderr"));
	add(&log, JSON_LOG_STDOUT, "o\n\nthree");
	json_log_finish(&log, NOW);
	json_log_close(&log);
	assert_string_equal(text_of(dir_of(state), "json.log"),
			    LINE("one\\n", "stdout") LINE("error\\n", "stderr")
				    LINE("two\\n", "stdout") LINE("\\n", "stdout")
					    LINE("three", "stdout"));
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

static void test_long_lines(void **state)
{
	const struct json_log_options options = {0};
	size_t len = 3 * JSON_LOG_LINE_MAX + 10;
	auto_free char *line = xmalloc(len + 1);
	struct json_log log;
	const char *text;

	memset(line, 'z', len);
	line[len] = '\0';
	json_log_init(&log, dir_of(state), &options);
	for (size_t i = 0; i < len; i += 1000) /* it arrives in pieces */
		json_log_add(&log, JSON_LOG_STDOUT, line + i, len - i < 1000 ? len - i : 1000, NOW);
	add(&log, JSON_LOG_STDOUT, "\nnext\n");
	json_log_close(&log);
	text = text_of(dir_of(state), "json.log");
	assert_int_equal(count(text, "\n"), 5);
	assert_int_equal(count(text, "\\n"), 2);
	assert_int_equal(count(text, "z"), len);
	/* Exactly the limit is not over it. */
	assert_non_null(strstr(text, LINE("zzzzzzzzzz\\n", "stdout")));
}

static void test_long_line_is_not_cut_in_a_character(void **state)
{
	const struct json_log_options options = {0};
	auto_free char *line = xmalloc(JSON_LOG_LINE_MAX + 8);
	struct json_log log;
	const char *text;

	memset(line, 'x', JSON_LOG_LINE_MAX - 2);
	memcpy(line + JSON_LOG_LINE_MAX - 2, "\xf0\x9f\x98\x80!\n", 6);
	json_log_init(&log, dir_of(state), &options);
	json_log_add(&log, JSON_LOG_STDOUT, line, JSON_LOG_LINE_MAX + 4, NOW);
	json_log_close(&log);
	text = text_of(dir_of(state), "json.log");
	assert_int_equal(count(text, "\n"), 2);
	assert_int_equal(count(text, "\\ufffd"), 0);
	assert_non_null(strstr(text, LINE("\xf0\x9f\x98\x80!\\n", "stdout")));
}

static void test_half_a_record_is_ended(void **state)
{
	const struct json_log_options options = {0};
	auto_close int fd = openat(dir_of(state), "json.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	struct json_log log;

	assert_int_equal(fd_write_all(fd, "{\"log\":\"hal", 11), 0);
	json_log_init(&log, dir_of(state), &options);
	add(&log, JSON_LOG_STDOUT, "whole\n");
	json_log_close(&log);
	assert_string_equal(text_of(dir_of(state), "json.log"),
			    "{\"log\":\"hal\n" LINE("whole\\n", "stdout"));
}

static void test_rotation(void **state)
{
	const struct json_log_options options = {.max_bytes = 200, .max_files = 3};
	struct json_log log;
	struct stat st;

	json_log_init(&log, dir_of(state), &options);
	for (char c = 'a'; c <= 'h'; c++)
		json_log_add(&log, JSON_LOG_STDOUT, (char[]){c, '\n'}, 2, NOW);
	json_log_close(&log);

	/* A record has 77 bytes, so two fit. */
	assert_string_equal(text_of(dir_of(state), "json.log"),
			    LINE("g\\n", "stdout") LINE("h\\n", "stdout"));
	assert_string_equal(text_of(dir_of(state), "json.log.1"),
			    LINE("e\\n", "stdout") LINE("f\\n", "stdout"));
	assert_string_equal(text_of(dir_of(state), "json.log.2"),
			    LINE("c\\n", "stdout") LINE("d\\n", "stdout"));
	assert_int_equal(fstatat(dir_of(state), "json.log.3", &st, 0), -1);
}

static void test_rotation_with_one_file(void **state)
{
	const struct json_log_options options = {.max_bytes = 100, .max_files = 1};
	struct json_log log;

	json_log_init(&log, dir_of(state), &options);
	add(&log, JSON_LOG_STDOUT, "a\nb\nc\n");
	json_log_close(&log);
	assert_string_equal(text_of(dir_of(state), "json.log"), LINE("c\\n", "stdout"));
	assert_string_equal(text_of(dir_of(state), "json.log.1"), "");
}

static void test_truncated_by_hand(void **state)
{
	const struct json_log_options options = {.max_bytes = 200, .max_files = 2};
	struct json_log log;

	json_log_init(&log, dir_of(state), &options);
	add(&log, JSON_LOG_STDOUT, "a\nb\n");
	json_log_flush(&log);
	assert_int_equal(ftruncate(log.file_fd, 0), 0);
	add(&log, JSON_LOG_STDOUT, "c\nd\n");
	json_log_close(&log);
	assert_string_equal(text_of(dir_of(state), "json.log"),
			    LINE("c\\n", "stdout") LINE("d\\n", "stdout"));
	assert_string_equal(text_of(dir_of(state), "json.log.1"), "");
}

static void test_compression(void **state)
{
	const struct json_log_options options = {
		.max_bytes = 100, .max_files = 3, .compress = true};
	auto_close int fd = NO_FD;
	char text[200] = {0};
	struct json_log log;
	gzFile gz;

	json_log_init(&log, dir_of(state), &options);
	assert_int_equal(json_log_compress_at(&log), 0);
	add(&log, JSON_LOG_STDOUT, "a\nb\n");
	assert_true(json_log_compress_at(&log) > 0);
	json_log_close(&log);
	assert_int_equal(log_compress_all(dir_of(state), "json.log", 3), 0);

	assert_string_equal(text_of(dir_of(state), "json.log.1"), "");
	fd = openat(dir_of(state), "json.log.1.gz", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	gz = gzdopen(TAKE_FD(fd), "rb");
	assert_int_equal(gzread(gz, text, sizeof(text) - 1), strlen(LINE("a\\n", "stdout")));
	assert_string_equal(text, LINE("a\\n", "stdout"));
	assert_int_equal(gzclose(gz), Z_OK);

	/* It moves with the next rotation. */
	json_log_init(&log, dir_of(state), &options);
	add(&log, JSON_LOG_STDOUT, "c\n");
	json_log_close(&log);
	assert_string_equal(text_of(dir_of(state), "json.log.1"), LINE("b\\n", "stdout"));
	assert_int_equal(faccessat(dir_of(state), "json.log.2.gz", F_OK, 0), 0);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, open_dir, close_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_utf8),
		WITH_DIR(test_lines),
		WITH_DIR(test_long_lines),
		WITH_DIR(test_long_line_is_not_cut_in_a_character),
		WITH_DIR(test_half_a_record_is_ended),
		WITH_DIR(test_rotation),
		WITH_DIR(test_rotation_with_one_file),
		WITH_DIR(test_truncated_by_hand),
		WITH_DIR(test_compression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
