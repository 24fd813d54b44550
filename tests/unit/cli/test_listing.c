/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/listing.h"

struct pet {
	const char *name, *kind;
};

static const struct pet pets[] = {{"Waldi", "dog"}, {"Mimi \"the\" cat", "cat"}};

static void text_kind(const void *item, const void *context, struct strbuf *text)
{
	const struct pet *pet = item;

	(void)context;
	strbuf_adds(text, pet->kind);
}

static void text_name(const void *item, const void *context, struct strbuf *text)
{
	const struct pet *pet = item;

	(void)context;
	strbuf_adds(text, pet->name);
}

static const struct listing_field fields[] = {
	{"Kind", "KIND", text_kind},
	{"Name", "PET NAME", text_name},
	{0},
};
static const char *const columns[] = {"Name", "Kind", NULL};

/* Prints the pets; returns the text or, when it was refused, the message. Caller frees. */
static char *print(const char *format, size_t count)
{
	const struct listing listing = {.fields = fields, .format = format, .columns = columns};
	auto_(error_release) struct error err = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	assert_non_null(out);
	r = listing_print(&listing, pets, sizeof(pets[0]), count, out, &err);
	assert_int_equal(fclose(out), 0);
	if (r >= 0)
		return text;
	assert_string_equal(text, "");
	free(text);
	return xstrdup(err_message(&err));
}

static void assert_printed(const char *format, const char *expected)
{
	auto_free char *text = print(format, ARRAY_SIZE(pets));

	assert_string_equal(text, expected);
}

static void test_tables(void **state)
{
	static const char whole[] = "PET NAME         KIND\n"
				    "Waldi            dog\n"
				    "Mimi \"the\" cat   cat\n";

	(void)state;
	assert_printed(NULL, whole);
	assert_printed("table", whole);
	assert_printed("table {{.Name}}\\t{{.Kind}}", whole);
	assert_printed("table {{.Kind}} of {{ .Name }}", "KIND of PET NAME\n"
							 "dog of Waldi\n"
							 "cat of Mimi \"the\" cat\n");
}

static void test_headers_without_items(void **state)
{
	auto_free char *table = print(NULL, 0);
	auto_free char *lines = print("{{.Name}}", 0);

	(void)state;
	assert_string_equal(table, "PET NAME   KIND\n");
	assert_string_equal(lines, "");
}

static void test_lines(void **state)
{
	(void)state;
	assert_printed("{{.Kind}}\\t{{.Name}}", "dog\tWaldi\ncat\tMimi \"the\" cat\n");
	assert_printed("x", "x\nx\n");
	assert_printed("", "\n\n");
}

static void test_json(void **state)
{
	static const char objects[] = "{\"Kind\":\"dog\",\"Name\":\"Waldi\"}\n"
				      "{\"Kind\":\"cat\",\"Name\":\"Mimi \\\"the\\\" cat\"}\n";

	(void)state;
	assert_printed("json", objects);
	assert_printed("{{json .}}", objects);
}

static void test_what_is_not_supported_is_named(void **state)
{
	(void)state;
	assert_printed("{{.Age}}", "template field '.Age' does not exist");
	assert_printed("a {{upper .Name}}",
		       "template action '{{upper .Name}}' is not supported (use {{.Field}})");
	assert_printed("{{}}", "template action '{{}}' is not supported (use {{.Field}})");
	assert_printed("{{.Name", "template has '{{' without '}}'");
	assert_printed("table {{.Age}}", "template field '.Age' does not exist");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_headers_without_items),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_what_is_not_supported_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
