/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/log_record.h"
#include "monitor/json_log.h"

static char *line;

static struct log_record parsed(const char *text)
{
	struct log_record record;

	free(line);
	line = xstrdup(text);
	assert_int_equal(log_record_parse(line, strlen(line), &record), 0);
	return record;
}

static void assert_refused(const char *text)
{
	struct log_record record;

	free(line);
	line = xstrdup(text);
	assert_int_equal(log_record_parse(line, strlen(line), &record), -EBADMSG);
}

static void test_ours(void **state)
{
	struct log_record record =
		parsed("{\"log\":\"a \\\"b\\\" \\u003c\\n\",\"stream\":\"stderr\",\"time\":\"T\"}");

	(void)state;
	assert_int_equal(record.stream, STDERR_FILENO);
	assert_int_equal(record.len, 8);
	assert_memory_equal(record.text, "a \"b\" <\n", 8);
	assert_string_equal(record.time, "T");
}

static void test_other_writers(void **state)
{
	struct log_record record =
		parsed(" { \"time\" : \"T\", \"attrs\":{\"a\":[1,{\"b\":\"}\"}],\"c\":null}, "
		       "\"log\":\"x\" } ");

	(void)state;
	assert_int_equal(record.stream, STDOUT_FILENO);
	assert_int_equal(record.len, 1);
	record = parsed("{\"log\":\"\\u00e4\\ud83d\\ude00\\ud83d!\\u0000\\/\",\"time\":\"T\"}");
	assert_int_equal(record.len, 2 + 4 + 3 + 1 + 1 + 1);
	assert_memory_equal(record.text, "\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd!\0/", 12);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{\"log\":\"x\"}",
		"{\"time\":\"T\"}",
		"{\"log\":\"x\",\"time\":\"T\"",
		"{\"log\":\"x",
		"{\"log\":\"x\\",
		"{\"log\":\"x\\u12",
		"{\"log\":\"x\\u12g4\",\"time\":\"T\"}",
		"{\"log\":1,\"time\":\"T\"}",
		"{\"log\":\"x\" \"time\":\"T\"}",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],\"log\":\"x\",\"time\":\"T\"}",
		"\"log\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i]);
}

/* What the monitor writes is what is read. */
static void test_round_trip(void **state)
{
	char out[JSON_LOG_RECORD_MAX(256)];
	char bytes[256];
	struct log_record record;
	size_t n;

	(void)state;
	for (int i = 0; i < 128; i++)
		bytes[i] = (char)i;
	memcpy(bytes + 128, "größe 漢字 😀\xe2\x80\xa8", 22);
	n = json_log_encode(out, bytes, 150, true, JSON_LOG_STDERR, "T", NULL);
	assert_int_equal(log_record_parse(out, n - 1, &record), 0);
	assert_int_equal(record.len, 151);
	assert_memory_equal(record.text, bytes, 150);
	assert_int_equal(record.text[150], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_other_writers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_round_trip),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(line);
	return r;
}
