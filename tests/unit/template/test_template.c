/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every line of cases.tsv: a template, its data as JSON, and what comes out, or "error: " and the
 * message. In all three \n, \t, \r and \\ stand for themselves. The expectations are Go's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strv.h"
#include "template/template.h"

static char *unescape(const char *text)
{
	static const char letters[] = "ntr\\", meant[] = "\n\t\r\\";
	auto_(strbuf_release) struct strbuf plain = {0};

	for (; *text; text++) {
		const char *found = text[0] == '\\' && text[1] ? strchr(letters, text[1]) : NULL;

		strbuf_addc(&plain, found ? meant[found - letters] : *text);
		text += found != NULL;
	}
	return strbuf_take(&plain);
}

/* The output, or the message behind "error: ". Caller frees. */
static char *run(const char *source, const struct template_data *data)
{
	auto_(template_free) struct template *t = NULL;
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error err = {0};

	if (template_parse(source, &t, &err) < 0 || template_run(t, data, &text, &err) < 0) {
		assert_int_equal(err.kind, ERR_INVALID);
		assert_int_equal(text.len, 0);
		return xasprintf("error: %s", err_message(&err));
	}
	return strbuf_take(&text);
}

static json_t *read_json(const char *text)
{
	json_t *value = NULL;

	if (*text)
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	assert_true(!*text || value);
	return value;
}

static void check_line(const char *line, size_t number)
{
	auto_(strv_release) struct strv columns = {0};
	auto_free char *source = NULL, *expected = NULL, *json = NULL, *found = NULL;
	auto_(json_decref) json_t *value = NULL;
	struct template_data data = {0};

	strv_split(&columns, line, '\t');
	if (columns.count != 3)
		fail_msg("cases.tsv:%zu: not three columns", number);
	source = unescape(columns.items[0]);
	json = unescape(columns.items[1]);
	expected = unescape(columns.items[2]);
	value = read_json(json);
	data.value = value;
	found = run(source, &data);
	if (strcmp(found, expected) != 0)
		fail_msg("cases.tsv:%zu: %s\nexpected: %s\nfound:    %s", number, source, expected,
			 found);
}

static void test_cases(void **state)
{
	auto_fclose FILE *file = fopen(TEMPLATE_CASES, "re");
	auto_free char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t len;

	(void)state;
	assert_non_null(file);
	while ((len = getline(&line, &size, file)) > 0) {
		number++;
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] && line[0] != '#')
			check_line(line, number);
	}
	assert_true(number > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
