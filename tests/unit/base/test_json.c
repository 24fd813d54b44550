/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"

static int parse(const char *text, struct error *err)
{
	auto_(json_decref) json_t *value = NULL;

	return json_parse(text, strlen(text), "test", &value, err);
}

static void good_text_is_read(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *value = NULL;
	auto_(strv_release) struct strv list = {0};
	const char *text = "{\"a\": \"x\", \"n\": 3, \"b\": true, \"l\": [\"p\", 1, \"q\"]}";

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "test", &value, &err), 0);
	assert_string_equal(json_get_string(value, "a", "-"), "x");
	assert_string_equal(json_get_string(value, "n", "-"), "-");
	assert_int_equal(json_get_int(value, "n", -1), 3);
	assert_int_equal(json_get_int(value, "a", -1), -1);
	assert_true(json_get_bool(value, "b", false));
	json_get_strv(value, "l", &list);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[1], "q");
}

static void bad_text_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"a\":1,\"a\":2}", "{\"a\": \"\xff\"}", "nul", "{} x", "[\"\\u0000\"]",
	};
	auto_(error_release) struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("%s\n", bad[i]);
		assert_true(parse(bad[i], &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void depth_is_bounded(void **state)
{
	auto_(error_release) struct error err = {0};
	char text[2 * (JSON_MAX_LEVELS + 1) + 1];

	(void)state;
	memset(text, '[', JSON_MAX_LEVELS);
	memset(text + JSON_MAX_LEVELS, ']', JSON_MAX_LEVELS);
	text[2 * JSON_MAX_LEVELS] = '\0';
	assert_int_equal(parse(text, &err), 0);
	memset(text, '[', JSON_MAX_LEVELS + 1);
	memset(text + JSON_MAX_LEVELS + 1, ']', JSON_MAX_LEVELS + 1);
	text[2 * (JSON_MAX_LEVELS + 1)] = '\0';
	assert_int_equal(parse(text, &err), -ELOOP);
	/* Brackets in strings are text. */
	memset(text, '[', sizeof(text) - 1);
	text[1] = text[sizeof(text) - 3] = '"';
	text[sizeof(text) - 2] = ']';
	assert_int_equal(parse(text, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_read),
		cmocka_unit_test(bad_text_is_refused),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
