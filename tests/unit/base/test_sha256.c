/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sha256.h"

static void known_digests(void **state)
{
	char text[DIGEST_TEXT_LEN + 1];
	struct sha256 h;

	(void)state;
	sha256_of("", 0, text);
	assert_string_equal(
		text, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_init(&h);
	sha256_update(&h, "a", 1);
	sha256_update(&h, "bc", 2);
	sha256_digest(&h, text);
	assert_string_equal(
		text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_is_valid(text));
	text[10] = 'G';
	assert_false(digest_is_valid(text));
	assert_false(digest_is_valid("sha256:"));
	assert_false(digest_is_valid("md5:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(known_digests)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
