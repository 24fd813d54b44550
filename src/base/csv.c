/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

static const char bare_quote[] = "bare \" in non-quoted field";
static const char stray_quote[] = "extraneous or missing \" in quoted-field";

/* `at` is behind the opening quote; returns what follows the closing one, NULL without one. */
static const char *quoted_field(const char *at, struct strbuf *text)
{
	for (; *at; at++) {
		if (*at != '"') {
			strbuf_addc(text, *at);
		} else if (at[1] == '"') {
			strbuf_addc(text, '"');
			at++;
		} else {
			return at + 1;
		}
	}
	return NULL;
}

int csv_split(const char *line, struct strv *fields, const char **ret_problem, size_t *ret_column)
{
	const char *at = line;

	for (;;) {
		auto_(strbuf_release) struct strbuf text = {0};
		const char *end = at + strcspn(at, ",");
		const char *quote = memchr(at, '"', (size_t)(end - at));

		*ret_problem = stray_quote;
		if (*at == '"') {
			end = quoted_field(at + 1, &text);
			*ret_column = (size_t)((end ? end : at) - line) + (end ? 0 : 1);
			if (!end || (*end && *end != ','))
				return -EINVAL;
			strv_add_take(fields, strbuf_take(&text));
		} else if (quote) {
			*ret_problem = bare_quote;
			*ret_column = (size_t)(quote - line) + 1;
			return -EINVAL;
		} else {
			strv_add_take(fields, xstrndup(at, (size_t)(end - at)));
		}
		if (!*end)
			return 0;
		at = end + 1;
	}
}
