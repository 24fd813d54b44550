/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "image/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void normal_and_familiar_forms(void **state)
{
	static const struct {
		const char *text, *normal, *familiar;
	} cases[] = {
		{"alpine", "docker.io/library/alpine:latest", "alpine:latest"},
		{"alpine:3.18", "docker.io/library/alpine:3.18", "alpine:3.18"},
		{"library/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
		{"docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"},
		{"index.docker.io/a/b:c", "docker.io/a/b:c", "a/b:c"},
		{"docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"},
		{"docker.io/localhost/c", "docker.io/localhost/c:latest",
		 "docker.io/localhost/c:latest"},
		{"user/app", "docker.io/user/app:latest", "user/app:latest"},
		{"ghcr.io/o/a/b:1", "ghcr.io/o/a/b:1", "ghcr.io/o/a/b:1"},
		{"localhost/x", "localhost/x:latest", "localhost/x:latest"},
		{"localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"},
		{"[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1"},
		{"Foo/bar", "Foo/bar:latest", "Foo/bar:latest"},
		{"a__b/c-d--e.f_g:T_1.2-3", "docker.io/a__b/c-d--e.f_g:T_1.2-3",
		 "a__b/c-d--e.f_g:T_1.2-3"},
		{"x@sha256:" HEX64, "docker.io/library/x@sha256:" HEX64, "x@sha256:" HEX64},
		{"x:1@sha256:" HEX64, "docker.io/library/x:1", "x:1"},
		{"docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(reference_release) struct reference reference = {0};
		auto_(error_release) struct error err = {0};
		auto_free char *normal = NULL, *familiar = NULL;

		if (reference_parse(cases[i].text, &reference, &err) < 0)
			fail_msg("'%s': %s", cases[i].text, err_message(&err));
		normal = reference_format(&reference);
		familiar = reference_familiar(&reference);
		assert_string_equal(normal, cases[i].normal);
		assert_string_equal(familiar, cases[i].familiar);
	}
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"@",
		"a:",
		"a@",
		"/a",
		"a/",
		"a//b",
		"Alpine",
		"a/B",
		"-a",
		"a-",
		"a..b",
		"a___b",
		"a:b:c",
		"a b",
		"a\n",
		"a:-x",
		"a:.x",
		"a@sha256:12",
		"a@md5:" HEX64,
		HEX64,
		"../a",
		"a/../b",
		"host:port/x",
		"a_/b",
		"\xc3\xa9",
		"a.b-/c",
		"x:\xff",
		"[::1/x",
		"x@sha256:" HEX64 "0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		struct reference reference = {0};

		if (reference_parse(bad[i], &reference, &err) >= 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(reference.path);
	}
}

static void bounds_lengths(void **state)
{
	auto_(error_release) struct error err = {0};
	struct reference reference = {0};
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[256] = '\0';
	assert_true(reference_parse(text, &reference, &err) < 0);
	text[200] = '\0';
	assert_int_equal(reference_parse(text, &reference, &err), 0);
	reference_release(&reference);
	memset(text, 'a', sizeof(text));
	text[1] = ':';
	text[2 + 128] = '\0';
	assert_int_equal(reference_parse(text, &reference, &err), 0);
	reference_release(&reference);
	text[2 + 128] = 'a';
	text[2 + 129] = '\0';
	assert_true(reference_parse(text, &reference, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_and_familiar_forms),
		cmocka_unit_test(refuses),
		cmocka_unit_test(bounds_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
