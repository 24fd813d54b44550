/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/filter.h"

static const char *const keys[] = {"dangling", "driver", "id", "label", "label!", "name", NULL};

static int parse(const char *const *texts, struct filters *ret_filters, struct error *err)
{
	auto_(strv_release) struct strv list = {0};

	for (; *texts; texts++)
		strv_add(&list, *texts);
	return filters_parse(&list, keys, ret_filters, err);
}

static void assert_refused(const char *text, const char *message)
{
	const char *const texts[] = {text, NULL};
	auto_(filters_release) struct filters filters = {0};
	auto_(error_release) struct error err = {0};

	assert_true(parse(texts, &filters, &err) < 0);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err_message(&err), message);
}

static void test_what_is_no_filter_is_refused(void **state)
{
	(void)state;
	assert_refused("color=red", "invalid filter 'color'");
	assert_refused("=x", "invalid filter ''");
	assert_refused("name", "invalid argument \"name\" for \"-f, --filter\" flag: bad format of "
			       "filter (expected name=value)");
}

static void test_keys_and_values_are_trimmed(void **state)
{
	const char *const texts[] = {" Driver = local ", NULL};
	auto_(filters_release) struct filters filters = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(parse(texts, &filters, &err), 0);
	assert_true(filters_has(&filters, "driver"));
	assert_int_equal(filters_count(&filters, "driver"), 1);
	assert_string_equal(filters_value(&filters, "driver", 0), "local");
	assert_null(filters_value(&filters, "driver", 1));
	assert_false(filters_has(&filters, "name"));
}

static void test_values_of_one_key_are_alternatives(void **state)
{
	const char *const texts[] = {"driver=a", "driver=b", "id=12", NULL};
	auto_(filters_release) struct filters filters = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(parse(texts, &filters, &err), 0);
	assert_true(filters_match_text(&filters, "driver", "a"));
	assert_true(filters_match_text(&filters, "driver", "b"));
	assert_false(filters_match_text(&filters, "driver", "ab"));
	assert_true(filters_match_text(&filters, "name", "whatever"));
	assert_true(filters_match_prefix(&filters, "id", "1234"));
	assert_false(filters_match_prefix(&filters, "id", "0124"));
}

static void test_patterns(void **state)
{
	static const struct {
		const char *filter, *text;
		bool matches;
	} cases[] = {
		{"name=web", "my-web-1", true},
		{"name=^web$", "my-web-1", false},
		{"name=^web$", "web", true},
		{"name=w(e|o)b", "wob", true},
		{"name=w(?:e|o)b\\d+$", "web12", true},
		{"name=\\D\\d$", "a1", true},
		{"name=a.c", "abc", true},
		{"name=a\\.c", "abc", false},
		{"name=(", "x", false},
		{"name=(", "(", true},
		{"name=", "x", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const texts[] = {cases[i].filter, NULL};
		auto_(filters_release) struct filters filters = {0};
		auto_(error_release) struct error err = {0};

		assert_int_equal(parse(texts, &filters, &err), 0);
		assert_int_equal(filters_match_pattern(&filters, "name", cases[i].text),
				 cases[i].matches);
	}
}

static void test_all_labels_must_match(void **state)
{
	const char *const texts[] = {"label=a=1", "label=b", "label!=c", NULL};
	auto_(filters_release) struct filters filters = {0};
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv labels = {0};

	(void)state;
	assert_int_equal(parse(texts, &filters, &err), 0);
	strv_add(&labels, "a=1");
	assert_false(filters_match_labels(&filters, "label", &labels));
	strv_add(&labels, "b=2");
	assert_true(filters_match_labels(&filters, "label", &labels));
	assert_true(filters_match_no_labels(&filters, "label!", &labels));
	strv_add(&labels, "c=");
	assert_false(filters_match_no_labels(&filters, "label!", &labels));
}

static void test_bools(void **state)
{
	const char *const good[] = {"dangling=1", NULL}, *const bad[] = {"dangling=yes", NULL};
	auto_(filters_release) struct filters filters = {0}, wrong = {0};
	auto_(error_release) struct error err = {0};
	bool value;

	(void)state;
	assert_int_equal(parse(good, &filters, &err), 0);
	assert_int_equal(filters_get_bool(&filters, "dangling", false, &value, &err), 0);
	assert_true(value);
	assert_int_equal(filters_get_bool(&filters, "name", true, &value, &err), 0);
	assert_true(value);
	assert_int_equal(parse(bad, &wrong, &err), 0);
	assert_true(filters_get_bool(&wrong, "dangling", false, &value, &err) < 0);
	assert_string_equal(err_message(&err), "invalid filter 'dangling=[yes]'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_filter_is_refused),
		cmocka_unit_test(test_keys_and_values_are_trimmed),
		cmocka_unit_test(test_values_of_one_key_are_alternatives),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_all_labels_must_match),
		cmocka_unit_test(test_bools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
