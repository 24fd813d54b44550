/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/option.h"

struct inner {
	const char *memory;
	struct strv env;
};

struct opts {
	struct inner inner;
	const char *name;
	int64_t shares;
	bool tty, interactive, remove;
};

static int refuse_bad(const char *value, struct error *err)
{
	if (strcmp(value, "bad") == 0)
		return err_set(err, ERR_INVALID, 0, "it is bad");
	return 0;
}

static const struct option_spec inner_table[] = {
	OPT_LIST(struct inner, env, 'e', "env", "list", "Set variables", .check = refuse_bad),
	OPT_STRING(struct inner, memory, 'm', "memory", "bytes", "Limit", .check = refuse_bad),
	OPT_END,
};

static const struct option_spec table[] = {
	OPT_INT(struct opts, shares, 'c', "cpu-shares", "Shares"),
	OPT_INCLUDE(struct opts, inner, inner_table),
	OPT_FLAG(struct opts, interactive, 'i', "interactive", "Keep input"),
	OPT_STRING(struct opts, name, 0, "name", "string", "Name"),
	OPT_STRING(struct opts, name, 0, "old-name", "string", "Name",
		   .deprecated = "use --name instead"),
	OPT_FLAG(struct opts, remove, 0, "rm", "Remove"),
	OPT_FLAG(struct opts, tty, 't', "tty", "Terminal", .hidden = true),
	OPT_END,
};

/* One parse; everything is released by teardown. */
struct parsed {
	struct opts opts;
	struct option_result result;
	struct error err;
	int r;
};

static void parse_how(struct parsed *p, bool stop_at_first_arg, size_t argc,
		      const char *const *argv)
{
	const struct option_parse parse = {table, &p->opts, stop_at_first_arg,
					   /* help_is_option= */ true};

	*p = (struct parsed){0};
	p->r = options_parse(&parse, argc, argv, &p->result, &p->err);
}

static void release(struct parsed *p)
{
	options_release(table, &p->opts);
	option_result_release(&p->result);
	error_release(&p->err);
}

#define PARSE(p, ...)                                                                              \
	parse_how(p, false, ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                           \
		  (const char *[]){__VA_ARGS__})
#define PARSE_STOPPING(p, ...)                                                                     \
	parse_how(p, true, ARRAY_SIZE(((const char *[]){__VA_ARGS__})),                            \
		  (const char *[]){__VA_ARGS__})

static void assert_args(const struct parsed *p, const char *joined)
{
	auto_free char *text = strv_join(&p->result.args, " ");

	assert_string_equal(text, joined);
}

static void test_values_of_long_options(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "--name", "web", "--memory=1g", "--cpu-shares", "-5", "--rm", "--tty=false", "x");
	assert_int_equal(p.r, 0);
	assert_string_equal(p.opts.name, "web");
	assert_string_equal(p.opts.inner.memory, "1g");
	assert_int_equal(p.opts.shares, -5);
	assert_true(p.opts.remove);
	assert_false(p.opts.tty);
	assert_args(&p, "x");
	release(&p);
}

static void test_values_of_short_options(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "-itm1g", "-e", "A=1", "-eB=2", "-e=C", "-c", "7");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.interactive);
	assert_true(p.opts.tty);
	assert_string_equal(p.opts.inner.memory, "1g");
	assert_int_equal(p.opts.inner.env.count, 3);
	assert_string_equal(p.opts.inner.env.items[0], "A=1");
	assert_string_equal(p.opts.inner.env.items[1], "B=2");
	assert_string_equal(p.opts.inner.env.items[2], "C");
	assert_int_equal(p.opts.shares, 7);
	release(&p);
}

static void test_flag_with_value_ends_its_word(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "-i", "-ti=false");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.tty);
	assert_false(p.opts.interactive);
	release(&p);
}

static void test_value_may_look_like_an_option(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "--name", "--rm", "-m", "-t", "--name=");
	assert_int_equal(p.r, 0);
	assert_string_equal(p.opts.name, "");
	assert_string_equal(p.opts.inner.memory, "-t");
	assert_false(p.opts.remove);
	release(&p);
}

static void test_options_among_arguments(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "a", "--rm", "-", "b", "--", "-t", "--", "c");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.remove);
	assert_false(p.opts.tty);
	assert_args(&p, "a - b -t -- c");
	release(&p);
}

static void test_stops_at_first_argument(void **state)
{
	struct parsed p;

	(void)state;
	PARSE_STOPPING(&p, "--rm", "image", "--tty", "-x", "--", "--help");
	assert_int_equal(p.r, 0);
	assert_true(p.opts.remove);
	assert_false(p.opts.tty);
	assert_false(p.result.help);
	assert_args(&p, "image --tty -x -- --help");
	release(&p);

	PARSE_STOPPING(&p, "--", "--rm", "x");
	assert_int_equal(p.r, 0);
	assert_args(&p, "--rm x");
	release(&p);
}

static void test_help_ends_parsing(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "a", "--help", "--nonsense");
	assert_int_equal(p.r, 0);
	assert_true(p.result.help);
	release(&p);

	PARSE(&p, "-ih");
	assert_int_equal(p.r, 0);
	assert_true(p.result.help);
	release(&p);
}

static void test_deprecated_is_noted(void **state)
{
	struct parsed p;

	(void)state;
	PARSE(&p, "--old-name", "x");
	assert_int_equal(p.r, 0);
	assert_string_equal(p.opts.name, "x");
	assert_int_equal(p.result.notes.count, 1);
	assert_string_equal(p.result.notes.items[0],
			    "Flag --old-name has been deprecated, use --name instead");
	release(&p);
}

static void test_mistakes_have_dockers_words(void **state)
{
	static const struct {
		const char *word, *message;
	} cases[] = {
		{"--foo", "unknown flag: --foo"},
		{"--foo=bar", "unknown flag: --foo"},
		{"--nam", "unknown flag: --nam"},
		{"--names", "unknown flag: --names"},
		{"-Z", "unknown shorthand flag: 'Z' in -Z"},
		{"-iZt", "unknown shorthand flag: 'Z' in -Zt"},
		{"-m", "flag needs an argument: 'm' in -m"},
		{"-itm", "flag needs an argument: 'm' in -m"},
		{"--memory", "flag needs an argument: --memory"},
		{"--=x", "bad flag syntax: --=x"},
		{"---x", "bad flag syntax: ---x"},
		{"--rm=x", "invalid argument \"x\" for \"--rm\" flag: must be true or false"},
		{"--rm=", "invalid argument \"\" for \"--rm\" flag: must be true or false"},
		{"--cpu-shares=1.5",
		 "invalid argument \"1.5\" for \"-c, --cpu-shares\" flag: must be an integer"},
		{"--cpu-shares=9223372036854775808",
		 "invalid argument \"9223372036854775808\" for \"-c, --cpu-shares\" flag: must be "
		 "an integer"},
		{"-ebad", "invalid argument \"bad\" for \"-e, --env\" flag: it is bad"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p;

		PARSE(&p, cases[i].word);
		assert_true(p.r < 0);
		assert_int_equal(p.err.kind, ERR_INVALID);
		assert_string_equal(err_message(&p.err), cases[i].message);
		release(&p);
	}
}

static void test_list_of_options_is_sorted_and_whole(void **state)
{
	static const char *const shown[] = {"cpu-shares", "env",  "interactive",
					    "memory",     "name", "rm"};
	auto_(option_list_release) struct option_list list = {0};
	auto_(option_list_release) struct option_list all = {0};

	(void)state;
	option_list_collect(table, /* hidden= */ false, &list);
	assert_int_equal(list.count, ARRAY_SIZE(shown));
	for (size_t i = 0; i < list.count; i++)
		assert_string_equal(list.items[i].long_name, shown[i]);
	option_list_collect(table, /* hidden= */ true, &all);
	assert_int_equal(all.count, ARRAY_SIZE(shown) + 2);
}

static void test_no_table_means_no_options(void **state)
{
	const struct option_parse parse = {0};
	const char *const argv[] = {"a", "-x"};
	auto_(option_result_release) struct option_result result = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(options_parse(&parse, 1, argv, &result, &err), 0);
	option_result_release(&result);
	assert_true(options_parse(&parse, 2, argv, &result, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_of_long_options),
		cmocka_unit_test(test_values_of_short_options),
		cmocka_unit_test(test_flag_with_value_ends_its_word),
		cmocka_unit_test(test_value_may_look_like_an_option),
		cmocka_unit_test(test_options_among_arguments),
		cmocka_unit_test(test_stops_at_first_argument),
		cmocka_unit_test(test_help_ends_parsing),
		cmocka_unit_test(test_deprecated_is_noted),
		cmocka_unit_test(test_mistakes_have_dockers_words),
		cmocka_unit_test(test_list_of_options_is_sorted_and_whole),
		cmocka_unit_test(test_no_table_means_no_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
