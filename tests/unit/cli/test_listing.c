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

static void text_male(const void *item, const void *context, struct strbuf *text)
{
	(void)context;
	strbuf_adds(text, item == pets ? "true" : "false");
}

static void label(const void *item, const char *key, struct strbuf *text)
{
	const struct pet *pet = item;

	strbuf_addf(text, "%s/%s", pet->name, key);
}

static const struct listing_field fields[] = {
	{"Kind", "KIND", text_kind},
	{"Male", NULL, text_male, LISTING_BOOL},
	{"Name", "PET NAME", text_name},
	{0},
};
static const char *const columns[] = {"Name", "Kind", NULL};

/* Prints the pets; returns the text or, when it was refused, the message. Caller frees. */
static char *print_listing(const struct listing *listing, size_t count)
{
	auto_(error_release) struct error err = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	assert_non_null(out);
	r = listing_print(listing, pets, sizeof(pets[0]), count, out, &err);
	assert_int_equal(fclose(out), 0);
	if (r >= 0)
		return text;
	assert_string_equal(text, "");
	free(text);
	return xstrdup(err_message(&err));
}

static char *print(const char *format, size_t count)
{
	const struct listing listing = {
		.fields = fields,
		.format = format,
		.columns = columns,
		.label = label,
	};

	return print_listing(&listing, count);
}

static void assert_listed(const struct listing *listing, const char *expected)
{
	auto_free char *text = print_listing(listing, ARRAY_SIZE(pets));

	assert_string_equal(text, expected);
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
	assert_printed("", whole);
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
}

static void test_json(void **state)
{
	static const char objects[] =
		"{\"Kind\":\"dog\",\"Male\":true,\"Name\":\"Waldi\"}\n"
		"{\"Kind\":\"cat\",\"Male\":false,\"Name\":\"Mimi \\\"the\\\" cat\"}\n";

	(void)state;
	assert_printed("json", objects);
	assert_printed("{{json .}}", objects);
}

static void test_templates(void **state)
{
	(void)state;
	assert_printed("{{upper .Name}}:{{if eq .Kind \"dog\"}}Wuff{{end}}",
		       "WALDI:Wuff\nMIMI \"THE\" CAT:\n");
	assert_printed("{{.Label \"age\"}}{{\"x\" | .Label}}",
		       "Waldi/ageWaldi/x\n"
		       "Mimi \"the\" cat/ageMimi \"the\" cat/x\n");
	assert_printed("{{if .Male}}he{{else}}she{{end}}", "he\nshe\n");
	assert_printed("table {{upper .Kind}}|{{.Male}}", "KIND|<no value>\n"
							  "DOG|true\n"
							  "CAT|false\n");
}

static void test_errors_read_like_dockers(void **state)
{
	(void)state;
	assert_printed("{{.Age}}",
		       "template parsing error: template: :1:2: executing \"\" at <.Age>: can't "
		       "evaluate field Age in type *formatter.Context");
	assert_printed("{{}}", "template parsing error: template: :1: missing value for command");
	assert_printed("{{.Name", "template parsing error: template: :1: unclosed action");
	assert_printed("{{.Label}}",
		       "template parsing error: template: :1:2: executing \"\" at <.Label>: wrong "
		       "number of args for Label: want 1 got 0");
	assert_printed("table {{.Age}}",
		       "template parsing error: template: :1:2: executing \"\" at <.Age>: can't "
		       "evaluate field Age in type *formatter.Context");
}

static void test_which_fields_are_looked_at(void **state)
{
	struct listing listing = {.fields = fields, .columns = columns};

	(void)state;
	assert_true(listing_uses(&listing, "Name"));
	assert_false(listing_uses(&listing, "Male"));
	listing.format = "{{range .Kind}}{{$.Male}}{{end}}";
	assert_true(listing_uses(&listing, "Male"));
	assert_false(listing_uses(&listing, "Name"));
	listing.format = "{{json .}}";
	assert_true(listing_uses(&listing, "Name"));
	listing.quiet = true;
	listing.quiet_field = "Kind";
	assert_true(listing_uses(&listing, "Kind"));
	assert_false(listing_uses(&listing, "Name"));
}

static void test_quiet(void **state)
{
	struct listing listing = {
		.fields = fields,
		.columns = columns,
		.quiet = true,
		.quiet_field = "Kind",
		.raw = "name: {{.Name}}",
		.raw_quiet = "kind: {{.Kind}}",
	};

	(void)state;
	assert_listed(&listing, "dog\ncat\n");
	listing.format = "{{.Name}}";
	assert_listed(&listing, "dog\ncat\n");
	listing.format = "raw";
	assert_listed(&listing, "kind: dog\nkind: cat\n");
	listing.quiet = false;
	assert_listed(&listing, "name: Waldi\nname: Mimi \"the\" cat\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_headers_without_items),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_errors_read_like_dockers),
		cmocka_unit_test(test_which_fields_are_looked_at),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
