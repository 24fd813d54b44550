/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/sync.h"

/* A child that failed ends with what we sent it unread. */
static void last_words_outlive_what_was_not_read(void **state)
{
	auto_(error_release) struct error said = {0}, heard = {0};
	int socks[2];

	(void)state;
	assert_int_equal(sync_pair(socks), 0);
	assert_int_equal(sync_send(socks[0], SYNC_ROOT, NO_FD), 0);
	(void)err_set(&said, ERR_DENIED, EPERM, "the reason");
	sync_fail(socks[1], &said);
	(void)close(socks[1]);

	assert_true(sync_expect(socks[0], SYNC_READY, NULL, &heard) < 0);
	assert_int_equal(heard.kind, ERR_DENIED);
	assert_string_equal(err_message(&heard), err_message(&said));
	(void)close(socks[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_words_outlive_what_was_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
