/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/container_text.h"

#define SECOND INT64_C(1000000000)

static void test_status(void **state)
{
	static const struct {
		enum container_status status;
		const char *text;
	} cases[] = {
		{CONTAINER_CREATED, "Created"},
		{CONTAINER_RUNNING, "Up 3 minutes"},
		{CONTAINER_PAUSED, "Up 3 minutes (Paused)"},
		{CONTAINER_ORPHANED, "Up 3 minutes (monitor lost)"},
		{CONTAINER_EXITED, "Exited (137) 5 seconds ago"},
		{CONTAINER_RESTARTING, "Restarting (137) 5 seconds ago"},
		{CONTAINER_DEAD, "Dead (exit code lost)"},
	};
	const int64_t now = 1000 * SECOND;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct container_summary summary = {
			.status = cases[i].status,
			.started_ns = now - 180 * SECOND,
			.finished_ns = now - 5 * SECOND,
			.exit_code = 137,
		};
		auto_(strbuf_release) struct strbuf text = {0};

		container_status_text(&summary, now, &text);
		assert_string_equal(strbuf_text(&text), cases[i].text);
	}
}

static void test_local_time(void **state)
{
	auto_(strbuf_release) struct strbuf text = {0};

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	local_time_text(1700000000 * SECOND + 5, &text);
	assert_string_equal(strbuf_text(&text), "2023-11-14 22:13:20 +0000 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_local_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
