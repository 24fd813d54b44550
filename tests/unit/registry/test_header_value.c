/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "registry/header_value.h"

static void test_next_link(void **state)
{
	char *url = NULL;

	(void)state;
	assert_int_equal(header_next_link("</v2/a/tags/list?last=b>; rel=\"next\"", &url), 0);
	assert_string_equal(url, "/v2/a/tags/list?last=b");
	free(url);
	assert_int_equal(header_next_link("<a>; rel=\"prev\", <b>;title=\"x,y\"; rel=next", &url),
			 0);
	assert_string_equal(url, "b");
	free(url);
	assert_int_equal(header_next_link("<a>; rel=\"prev\"", &url), -ENOENT);
	assert_int_equal(header_next_link("", &url), -ENOENT);
	assert_int_equal(header_next_link("<a", &url), -EINVAL);
	assert_int_equal(header_next_link("a; rel=next", &url), -EINVAL);
}

static void test_content_range(void **state)
{
	struct content_range range;

	(void)state;
	assert_int_equal(header_content_range("bytes 100-199/200", &range), 0);
	assert_int_equal(range.first, 100);
	assert_int_equal(range.last, 199);
	assert_int_equal(range.total, 200);
	assert_int_equal(header_content_range("bytes 0-0/*", &range), 0);
	assert_int_equal(range.total, UINT64_MAX);
	assert_int_equal(header_content_range("bytes 5-4/10", &range), -EINVAL);
	assert_int_equal(header_content_range("bytes 0-10/10", &range), -EINVAL);
	assert_int_equal(header_content_range("bytes */10", &range), -EINVAL);
	assert_int_equal(header_content_range("bytes 0-1/10 ", &range), -EINVAL);
	assert_int_equal(header_content_range("bytes 0-18446744073709551616/*", &range), -EINVAL);
	assert_int_equal(header_content_range("", &range), -EINVAL);
}

static void test_upload_range(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(header_upload_range("0-1023", &bytes), 0);
	assert_int_equal(bytes, 1024);
	assert_int_equal(header_upload_range("bytes=0-9", &bytes), 0);
	assert_int_equal(bytes, 10);
	assert_int_equal(header_upload_range("0-0", &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(header_upload_range("1-5", &bytes), -EINVAL);
	assert_int_equal(header_upload_range("0-18446744073709551615", &bytes), -EINVAL);
	assert_int_equal(header_upload_range("x", &bytes), -EINVAL);
}

static void test_retry_after(void **state)
{
	uint64_t seconds;

	(void)state;
	assert_int_equal(header_retry_after("120", 0, &seconds), 0);
	assert_int_equal(seconds, 120);
	assert_int_equal(header_retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 40, &seconds), 0);
	assert_int_equal(seconds, 60);
	assert_int_equal(header_retry_after("Thu, 01 Jan 1970 00:01:40 GMT", 400, &seconds), 0);
	assert_int_equal(seconds, 0);
	assert_int_equal(header_retry_after("soon", 0, &seconds), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_link),
		cmocka_unit_test(test_content_range),
		cmocka_unit_test(test_upload_range),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
