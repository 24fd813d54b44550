/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"

/* RFC 4648, section 10. */
static void both_ways(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xff\xfe\xfd", "//79"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *text = base64_encode(cases[i][0], strlen(cases[i][0]));
		auto_free char *data = NULL;
		size_t len;

		assert_string_equal(text, cases[i][1]);
		assert_int_equal(base64_decode(text, strlen(text), &data, &len), 0);
		assert_int_equal(len, strlen(cases[i][0]));
		assert_string_equal(data, cases[i][0]);
	}
}

static void strict(void **state)
{
	static const char *const bad[] = {
		"Z",    "Zg",    "Zg=",  "Zg===", "Zh==",   "Zm9=", "Zg==Zg==",
		"Z g=", "Zg=\n", "====", "=Zg=",  "Zm9v\n", "Zm-_", "Z===",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *data = NULL;
		size_t len;

		if (base64_decode(bad[i], strlen(bad[i]), &data, &len) != -EINVAL)
			fail_msg("'%s' was decoded", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
