/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - Go's text/template, the language of docker's --format
 *
 *	auto_(template_free) struct template *t = NULL;
 *	const struct template_data data = {.value = object};
 *
 *	r = template_parse("{{.Name}}: {{json .State}}", &t, err);
 *	if (r >= 0)
 *		r = template_run(t, &data, &text, err);
 *
 * Everything of the language is there (actions, pipelines, variables, define, template, block,
 * comparisons, printf with Go's verbs) but complex numbers and methods other than those a type
 * below declares; and docker's functions json, split, join, title, lower, upper, pad, truncate.
 *
 * Values are Jansson's. A type (template_type) says what Go would know of them and JSON does not:
 * that a missing member is an empty list or a nil pointer, that another name is a mistake. Without a
 * type a value is what Go's decoder makes of JSON, an interface {}.
 *
 * Messages are Go's, to the letter: "template: :1:2: executing "" at <.Foo>: can't evaluate …".
 * Docker puts "template parsing error: " before them, whether they come from parsing or running.
 *
 * Sources: the package documentation of Go's text/template and fmt.
 */
#ifndef SKIFF_TEMPLATE_TEMPLATE_H
#define SKIFF_TEMPLATE_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "template/type.h"

#define TEMPLATE_MAX_BYTES ((size_t)1 << 20)         /* of a template's text */
#define TEMPLATE_MAX_OUTPUT_BYTES ((size_t)64 << 20) /* of one run, with what it computes */
#define TEMPLATE_MAX_LEVELS 100                      /* of nested actions, parentheses, templates */

struct template;

/* ERR_INVALID in Go's words. The text is copied. */
int template_parse(const char *text, struct template **ret_template, struct error *err);
void template_free(struct template *t);

/*
 * Whether running it may look at that field of its data: it names it, or hands on the data as a whole
 * ("{{json .}}"). For fields that cost something to find out.
 */
bool template_uses(const struct template *t, const char *field);

struct template_data {
	const json_t *value;              /* what "." is; borrowed */
	const struct template_type *type; /* NULL: nothing is known */
	const void *self;                 /* handed to the methods of the type */
	bool missing_is_error;            /* a key that a map does not have; else "<no value>" */
	/*
	 * The row of column titles: docker's functions leave texts as they are, and what was printed
	 * before a failure stays.
	 */
	bool header;
};

/* Appends to `ret_text`, which is as it was when the template fails (ERR_INVALID). */
int template_run(const struct template *t, const struct template_data *data,
		 struct strbuf *ret_text, struct error *err);

/* JSON as Go's encoder writes it for docker: no HTML escapes; see type.h for the order. */
void template_json(const json_t *value, const struct template_type *type, struct strbuf *ret_text);

DEFINE_CLEANUP(struct template *, template_free);

#endif
