/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "image/platform.h"

static void parses_and_formats(void **state)
{
	static const struct {
		const char *text, *result;
	} cases[] = {
		{"linux/amd64", "linux/amd64"},     {"amd64", "linux/amd64"},
		{"x86_64", "linux/amd64"},          {"linux/aarch64", "linux/arm64/v8"},
		{"linux/arm/v6", "linux/arm/v6"},   {"armhf", "linux/arm/v7"},
		{"windows/amd64", "windows/amd64"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(platform_release) struct platform platform = {0};
		auto_(error_release) struct error err = {0};
		auto_free char *text = NULL;

		assert_int_equal(platform_parse(cases[i].text, &platform, &err), 0);
		text = platform_format(&platform);
		assert_string_equal(text, cases[i].result);
	}
}

static void a_system_alone_means_this_machine(void **state)
{
	auto_(platform_release) struct platform machine = {0}, parsed = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	platform_of_machine(&machine);
	assert_int_equal(platform_parse("windows", &parsed, &err), 0);
	assert_string_equal(parsed.os, "windows");
	assert_string_equal(parsed.architecture, machine.architecture);
}

static void refuses(void **state)
{
	static const char *const bad[] = {"", "/", "linux/", "/amd64", "a/b/c/d"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		struct platform platform = {0};

		assert_true(platform_parse(bad[i], &platform, &err) < 0);
	}
}

static unsigned int match(const char *wanted, const char *offered)
{
	auto_(platform_release) struct platform a = {0}, b = {0};
	auto_(error_release) struct error err = {0};

	assert_int_equal(platform_parse(wanted, &a, &err), 0);
	assert_int_equal(platform_parse(offered, &b, &err), 0);
	return platform_match(&a, &b);
}

static void the_closest_variant_wins(void **state)
{
	(void)state;
	assert_true(match("linux/arm/v7", "linux/arm/v7") > match("linux/arm/v7", "linux/arm/v6"));
	assert_int_equal(match("linux/arm/v6", "linux/arm/v7"), 0);
	assert_int_equal(match("linux/amd64", "linux/arm64"), 0);
	assert_int_equal(match("linux/amd64", "windows/amd64"), 0);
	assert_true(match("linux/arm64", "linux/arm64/v8") > 0);
	assert_true(match("linux/arm64/v8", "linux/arm64") > 0);
}

static void this_machine_suits_itself(void **state)
{
	auto_(platform_release) struct platform machine = {0};

	(void)state;
	platform_of_machine(&machine);
	assert_true(platform_match(&machine, &machine) > 0);
	assert_string_equal(machine.os, "linux");
}

static void missing_texts_match_nothing(void **state)
{
	auto_(platform_release) struct platform machine = {0};
	const struct platform empty = {0};

	(void)state;
	platform_of_machine(&machine);
	assert_int_equal(platform_match(&machine, &empty), 0);
}

static bool runs(const char *machine, const char *offered)
{
	auto_(platform_release) struct platform a = {0}, b = {0};
	auto_(error_release) struct error err = {0};

	assert_int_equal(platform_parse(machine, &a, &err), 0);
	assert_int_equal(platform_parse(offered, &b, &err), 0);
	return platform_runs(&a, &b);
}

static void older_processors_of_the_family_run(void **state)
{
	const struct platform empty = {0};
	auto_(platform_release) struct platform machine = {0};

	(void)state;
	assert_true(runs("linux/amd64", "linux/amd64"));
	assert_true(runs("linux/amd64", "linux/386"));
	assert_true(runs("linux/arm64", "linux/arm/v7"));
	assert_false(runs("linux/386", "linux/amd64"));
	assert_false(runs("linux/amd64", "linux/arm64"));
	assert_false(runs("linux/amd64", "windows/386"));
	platform_of_machine(&machine);
	assert_true(platform_runs(&machine, &empty));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_formats),
		cmocka_unit_test(a_system_alone_means_this_machine),
		cmocka_unit_test(refuses),
		cmocka_unit_test(the_closest_variant_wins),
		cmocka_unit_test(this_machine_suits_itself),
		cmocka_unit_test(missing_texts_match_nothing),
		cmocka_unit_test(older_processors_of_the_family_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
