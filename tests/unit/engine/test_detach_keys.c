/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/detach_keys.h"
#include "engine/monitor_link.h"

static struct detach_keys parsed(const char *text)
{
	auto_(error_release) struct error err = {0};
	struct detach_keys keys;

	assert_int_equal(detach_keys_parse(text, &keys, &err), 0);
	return keys;
}

static void assert_refused(const char *text, const char *message)
{
	auto_(error_release) struct error err = {0};

	assert_true(detach_keys_check(text, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err_message(&err), message);
}

static void test_parse(void **state)
{
	struct detach_keys keys = parsed("ctrl-p,ctrl-q");

	(void)state;
	assert_int_equal(keys.count, 2);
	assert_memory_equal(keys.keys, "\x10\x11", 2);
	keys = parsed("a,ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,DEL,X");
	assert_int_equal(keys.count, 9);
	assert_memory_equal(keys.keys, "a\0\x1b\x1c\x1d\x1e\x1f\x7fX", 9);
	assert_int_equal(parsed("").count, 0);
	assert_int_equal(parsed(NULL).count, 0);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("ctrl-1", "Invalid detach keys (ctrl-1) provided");
	assert_refused("ctrl-", "Invalid detach keys (ctrl-) provided");
	assert_refused("Ctrl-p", "Invalid detach keys (Ctrl-p) provided");
	assert_refused("a,,b", "Invalid detach keys (a,,b) provided");
	assert_refused("ab", "Invalid detach keys (ab) provided");
	assert_refused("a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
		       "Invalid detach keys "
		       "(a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a) "
		       "provided");
}

/* Types `typed` at once and key by key: the same must come out. */
static void assert_filtered(const char *keys_text, const char *typed, const char *passed,
			    bool detached)
{
	for (size_t step = 1; step <= strlen(typed);
	     step += strlen(typed) > 1 ? strlen(typed) - 1 : 1) {
		struct detach_keys keys = parsed(keys_text);
		uint8_t out[128 + DETACH_KEYS_MAX];
		char all[256] = "";
		bool done = false;
		size_t n;

		for (size_t at = 0; at < strlen(typed) && !done; at += step) {
			size_t len = strlen(typed) - at < step ? strlen(typed) - at : step;

			done = detach_keys_filter(&keys, (const uint8_t *)typed + at, len, out, &n);
			strncat(all, (const char *)out, n);
		}
		if (!done) {
			n = detach_keys_flush(&keys, out);
			strncat(all, (const char *)out, n);
		}
		assert_int_equal(done, detached);
		assert_string_equal(all, passed);
	}
}

static void test_filter(void **state)
{
	(void)state;
	assert_filtered("ctrl-p,ctrl-q", "ls\r", "ls\r", false);
	assert_filtered("ctrl-p,ctrl-q", "ls\x10\x11rest", "ls", true);
	assert_filtered("ctrl-p,ctrl-q", "\x10x\x11", "\x10x\x11", false);
	assert_filtered("ctrl-p,ctrl-q", "\x10\x10\x11", "\x10", true);
	assert_filtered("ctrl-p,ctrl-q", "\x10", "\x10", false); /* given when input ends */
	assert_filtered("", "\x10\x11", "\x10\x11", false);
	assert_filtered("a", "bca", "bc", true);
}

/* A failed match may contain the beginning of the right one. */
static void test_overlap(void **state)
{
	(void)state;
	assert_filtered("a,a,b", "aaab", "a", true);
	assert_filtered("a,b,a,b,c", "abababc", "ab", true);
	assert_filtered("a,b,a,b,c", "ababdababc", "ababd", true);
	assert_filtered("a,b,a", "abba", "abba", false);
	assert_filtered("a,a,a", "aabaaXaaa", "aabaaX", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
