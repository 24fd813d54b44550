/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h - what every test of the engine's parsers includes */
#ifndef SKIFF_TESTS_ENGINE_CASES_H
#define SKIFF_TESTS_ENGINE_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/strv.h"

/* The result, with the error's words when it was not expected to fail. */
#define assert_parses(call, err)                                                                   \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ < 0)                                                                        \
			fail_msg("%s: %s", #call, err_message(err));                               \
	} while (0)

/* It fails with this kind and these words somewhere in the message. */
#define assert_refuses(call, err, expected_kind, words)                                            \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ >= 0)                                                                       \
			fail_msg("%s: was accepted", #call);                                       \
		assert_int_equal((err)->kind, expected_kind);                                      \
		if (!strstr(err_message(err), words))                                              \
			fail_msg("%s: no '%s' in '%s'", #call, words, err_message(err));           \
		error_release(err);                                                                \
	} while (0)

static inline struct strv make_list(const char *const *items)
{
	struct strv list = {0};

	for (; *items; items++)
		strv_add(&list, *items);
	return list;
}

#define LIST(...) make_list((const char *const[]){__VA_ARGS__, NULL})

#endif
