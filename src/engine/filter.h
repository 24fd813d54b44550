/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h - `--filter key=value`, by docker's rules, for every list
 *
 *	static const char *const keys[] = {"driver", "label", "name", NULL};
 *	auto_(filters_release) struct filters filters = {0};
 *
 *	r = filters_parse(&request->filters, keys, &filters, err);
 *	…
 *	if (filters_match_text(&filters, "driver", v->driver) &&
 *	    filters_match_pattern(&filters, "name", v->name) &&
 *	    filters_match_labels(&filters, "label", &v->labels))
 *		show it
 *
 * Values of one key are alternatives, different keys must all match, and so must all labels. A key that
 * was not given matches everything. Names are regular expressions (POSIX extended, and Go's \d).
 */
#ifndef SKIFF_ENGINE_FILTER_H
#define SKIFF_ENGINE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct filter_item;

struct filters {
	struct filter_item *items;
	size_t count;
};

/*
 * `keys` are those that exist, NULL-terminated. ERR_INVALID in docker's words: "invalid filter 'x'" for
 * a key that does not exist, "bad format of filter (expected name=value)".
 */
int filters_parse(const struct strv *texts, const char *const *keys, struct filters *ret_filters,
		  struct error *err);
void filters_release(struct filters *filters);

/* For option tables (option_spec.check): whether it is key=value. */
int filter_check(const char *text, struct error *err);

bool filters_has(const struct filters *filters, const char *key);

/* How many values a key was given, and which; borrowed. */
size_t filters_count(const struct filters *filters, const char *key);
const char *filters_value(const struct filters *filters, const char *key, size_t index);

bool filters_match_text(const struct filters *filters, const char *key, const char *text);
bool filters_match_prefix(const struct filters *filters, const char *key, const char *text);
bool filters_match_pattern(const struct filters *filters, const char *key, const char *text);

/* `labels` are "key=value"; a filter is "key" or "key=value". All must match. */
bool filters_match_labels(const struct filters *filters, const char *key,
			  const struct strv *labels);

/* As before with "label!": none may match. */
bool filters_match_no_labels(const struct filters *filters, const char *key,
			     const struct strv *labels);

/* A key that takes true, 1, false or 0: ERR_INVALID when it is none, or both. */
int filters_get_bool(const struct filters *filters, const char *key, bool otherwise,
		     bool *ret_value, struct error *err);

/* ERR_INVALID with docker's "invalid filter 'key=value'". */
int filter_refuse(const char *key, const char *value, struct error *err);

DEFINE_CLEANUP_VALUE(struct filters, filters_release);

#endif
