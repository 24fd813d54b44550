/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inspect.h"

#include <string.h>

#include "base/strbuf.h"
#include "template/template.h"

#define INDENT 4
#define STATUS_BAD_TEMPLATE 64
#define PARSING_ERROR "template parsing error"

struct inspection {
	const struct command_call *call;
	const struct inspect_kind *kinds;
	const struct inspect_options *options;
	struct template *template; /* NULL: JSON */
	struct strbuf text;
	struct strv failures;
};

static void inspection_release(struct inspection *inspection)
{
	template_free(inspection->template);
	strbuf_release(&inspection->text);
	strv_release(&inspection->failures);
}

DEFINE_CLEANUP_VALUE(struct inspection, inspection_release);

/* The first kind that has an object of that name. */
static int find(const struct inspection *i, const char *selector, json_t **ret_object,
		const struct inspect_kind **ret_kind, struct error *err)
{
	const struct inspect_kind *kind = i->kinds;
	bool many = kind[1].name != NULL;
	int r = 0;

	for (; kind->name; kind++) {
		if (i->options->platform && kind->inspect_platform)
			r = kind->inspect_platform(i->call->engine, selector, i->options->platform,
						   ret_object, err);
		else
			r = kind->inspect(i->call->engine, selector, ret_object, err);
		if (r >= 0 && i->options->size && kind->add_size)
			r = kind->add_size(i->call->engine, selector, *ret_object, err);
		if (r >= 0 || err->kind != ERR_NOT_FOUND || !many)
			break;
	}
	*ret_kind = kind;
	if (kind->name)
		return r;
	return err_set(err, ERR_NOT_FOUND, 0, "No such object: %s", selector);
}

/* With the keys that the type adds. */
static json_t *as_printed(const json_t *object, const struct template_type *type)
{
	auto_(strbuf_release) struct strbuf text = {0};

	template_json(object, type, &text);
	return json_loads(strbuf_text(&text), JSON_ALLOW_NUL, NULL);
}

/*
 * As docker does it: the template sees the object with its types first; when that fails, as the plain
 * JSON that it is, where a key that is not there is the error.
 */
static int add_template(struct inspection *i, const json_t *object,
			const struct template_type *type, struct error *err)
{
	const struct template_data typed = {.value = object, .type = type};
	struct template_data plain = {.missing_is_error = true};
	auto_(json_decref) json_t *printed = NULL;
	int r = -EINVAL;

	if (type)
		r = template_run(i->template, &typed, &i->text, err);
	if (r < 0) {
		printed = as_printed(object, type);
		plain.value = printed;
		r = template_run(i->template, &plain, &i->text, err);
	}
	if (r < 0)
		return err_wrap(err, r, PARSING_ERROR);
	strbuf_addc(&i->text, '\n');
	return 0;
}

static void add_json(struct inspection *i, const json_t *object, const struct template_type *type)
{
	strbuf_addc(&i->text, i->text.len ? ',' : '[');
	template_json(object, type, &i->text);
}

static int add_one(struct inspection *i, const char *selector, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	const struct inspect_kind *kind;
	int r;

	r = find(i, selector, &object, &kind, err);
	if (r < 0)
		return r;
	if (i->template)
		return add_template(i, object, kind->type, err);
	add_json(i, object, kind->type);
	return 0;
}

/* What was collected is an array, as long as its ']' is added. */
static void print_json(struct inspection *i)
{
	auto_(json_decref) json_t *objects = NULL;
	auto_free char *pretty = NULL;

	strbuf_adds(&i->text, i->text.len ? "]" : "[]");
	if (!i->options->format || !*i->options->format) {
		objects = json_loads(strbuf_text(&i->text), JSON_ALLOW_NUL, NULL);
		pretty = objects ? json_text_pretty(objects, INDENT) : NULL;
	}
	(void)fprintf(i->call->cli->out, "%s\n", pretty ? pretty : strbuf_text(&i->text));
}

static void print_lines(const struct inspection *i)
{
	if (i->text.len)
		(void)fwrite(i->text.data, 1, i->text.len, i->call->cli->out);
	else
		(void)fputc('\n', i->call->cli->out);
}

static bool is_template(const char *format)
{
	return format && *format && strcmp(format, "json") != 0;
}

int inspect_print(const struct command_call *call, const struct inspect_kind *kinds,
		  const struct inspect_options *options)
{
	auto_(inspection_release) struct inspection i = {
		.call = call,
		.kinds = kinds,
		.options = options,
	};
	auto_(error_release) struct error err = {0};

	if (is_template(options->format) &&
	    template_parse(options->format, &i.template, &err) < 0) {
		(void)cli_refuse(call, PARSING_ERROR ": %s", err_message(&err));
		return STATUS_BAD_TEMPLATE;
	}
	for (size_t n = 0; n < call->args->count; n++) {
		auto_(error_release) struct error one = {0};

		if (add_one(&i, call->args->items[n], &one) < 0)
			strv_add(&i.failures, err_message(&one));
	}
	if (i.template)
		print_lines(&i);
	else
		print_json(&i);
	for (size_t n = 0; n < i.failures.count; n++)
		(void)cli_refuse(call, "%s", i.failures.items[n]);
	return i.failures.count ? STATUS_FAILURE : 0;
}
