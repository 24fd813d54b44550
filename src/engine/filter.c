/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/filter.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

#define PATTERN_MAX_BYTES 1024
#define FILTERS_MAX 256

struct filter_item {
	char *key, *value;
	regex_t pattern; /* made when it is first asked for */
	bool has_pattern, is_no_pattern;
};

/* ---- reading ---- */

/* Without spaces around it. */
static char *trim(const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	return xstrndup(text, len);
}

int filter_check(const char *text, struct error *err)
{
	if (strchr(text, '='))
		return 0;
	return err_set(err, ERR_INVALID, 0, "bad format of filter (expected name=value)");
}

int filter_refuse(const char *key, const char *value, struct error *err)
{
	return err_set(err, ERR_INVALID, 0, "invalid filter '%s=%s'", key, value);
}

static bool is_key(const char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

static int add(struct filters *filters, const char *text, const char *const *keys,
	       struct error *err)
{
	const char *equals = strchrnul(text, '=');
	struct filter_item *item = &filters->items[filters->count];

	if (filter_check(text, err) < 0)
		return err_wrap(err, -EINVAL, "invalid argument \"%s\" for \"-f, --filter\" flag",
				text);
	*item = (struct filter_item){
		.key = trim(text, (size_t)(equals - text)),
		.value = trim(equals + 1, strlen(equals + 1)),
	};
	filters->count++;
	for (char *c = item->key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!is_key(keys, item->key))
		return err_set(err, ERR_INVALID, 0, "invalid filter '%s'", item->key);
	return 0;
}

int filters_parse(const struct strv *texts, const char *const *keys, struct filters *ret_filters,
		  struct error *err)
{
	auto_(filters_release) struct filters filters = {0};

	if (texts->count > FILTERS_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "more than %d filters", FILTERS_MAX);
	filters.items = xcalloc(texts->count + 1, sizeof(*filters.items));
	for (size_t i = 0; i < texts->count; i++) {
		int r = add(&filters, texts->items[i], keys, err);

		if (r < 0)
			return r;
	}
	*ret_filters = filters;
	filters = (struct filters){0};
	return 0;
}

void filters_release(struct filters *filters)
{
	for (size_t i = 0; i < filters->count; i++) {
		free(filters->items[i].key);
		free(filters->items[i].value);
		if (filters->items[i].has_pattern)
			regfree(&filters->items[i].pattern);
	}
	free(filters->items);
	*filters = (struct filters){0};
}

/* ---- asking ---- */

/* The item of that key after `last`, which is NULL at first. */
static struct filter_item *next_item(const struct filters *filters, const char *key,
				     const struct filter_item *last)
{
	for (size_t i = last ? (size_t)(last - filters->items) + 1 : 0; i < filters->count; i++)
		if (strcmp(filters->items[i].key, key) == 0)
			return &filters->items[i];
	return NULL;
}

bool filters_has(const struct filters *filters, const char *key)
{
	return next_item(filters, key, NULL) != NULL;
}

size_t filters_count(const struct filters *filters, const char *key)
{
	struct filter_item *item = NULL;
	size_t count = 0;

	while ((item = next_item(filters, key, item)))
		count++;
	return count;
}

const char *filters_value(const struct filters *filters, const char *key, size_t index)
{
	struct filter_item *item = next_item(filters, key, NULL);

	for (; item && index > 0; index--)
		item = next_item(filters, key, item);
	return item ? item->value : NULL;
}

/* Whether one of the key's items matches, or there is none. */
static bool match_any(const struct filters *filters, const char *key, const char *text,
		      bool (*matches)(struct filter_item *item, const char *text))
{
	struct filter_item *item = next_item(filters, key, NULL);

	if (!item)
		return true;
	for (; item; item = next_item(filters, key, item))
		if (matches(item, text))
			return true;
	return false;
}

static bool is_equal(struct filter_item *item, const char *text)
{
	return strcmp(item->value, text) == 0;
}

bool filters_match_text(const struct filters *filters, const char *key, const char *text)
{
	return match_any(filters, key, text, is_equal);
}

static bool is_prefix(struct filter_item *item, const char *text)
{
	return strncmp(text, item->value, strlen(item->value)) == 0;
}

bool filters_match_prefix(const struct filters *filters, const char *key, const char *text)
{
	return match_any(filters, key, text, is_prefix);
}

/* What Go's expressions have and POSIX's have not: \d and \D, and groups that are not remembered. */
static char *translate(const char *pattern)
{
	auto_(strbuf_release) struct strbuf text = {0};

	for (; *pattern; pattern++) {
		if (pattern[0] == '\\' && (pattern[1] == 'd' || pattern[1] == 'D')) {
			strbuf_adds(&text, *++pattern == 'd' ? "[0-9]" : "[^0-9]");
		} else if (strncmp(pattern, "(?:", 3) == 0) {
			strbuf_addc(&text, '(');
			pattern += 2;
		} else {
			strbuf_addc(&text, *pattern);
			if (pattern[0] == '\\' && pattern[1])
				strbuf_addc(&text, *++pattern);
		}
	}
	return strbuf_take(&text);
}

/* What is no expression matches only itself. */
static void compile(struct filter_item *item)
{
	auto_free char *pattern = translate(item->value);

	item->has_pattern =
		strlen(pattern) <= PATTERN_MAX_BYTES &&
		regcomp(&item->pattern, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) == 0;
	item->is_no_pattern = !item->has_pattern;
}

static bool is_like(struct filter_item *item, const char *text)
{
	if (is_equal(item, text))
		return true;
	if (!item->has_pattern && !item->is_no_pattern)
		compile(item);
	return item->has_pattern && regexec(&item->pattern, text, 0, NULL, 0) == 0;
}

bool filters_match_pattern(const struct filters *filters, const char *key, const char *text)
{
	return match_any(filters, key, text, is_like);
}

/* ---- labels ---- */

static bool has_label(const struct strv *labels, const char *wanted)
{
	size_t len = strlen(wanted);
	bool with_value = strchr(wanted, '=') != NULL;

	for (size_t i = 0; i < labels->count; i++) {
		const char *label = labels->items[i];

		if (strncmp(label, wanted, len) != 0)
			continue;
		if (label[len] == '\0' || (label[len] == '=' && !with_value))
			return true;
	}
	return false;
}

static bool labels_are(const struct filters *filters, const char *key, const struct strv *labels,
		       bool wanted)
{
	struct filter_item *item = NULL;

	while ((item = next_item(filters, key, item)))
		if (has_label(labels, item->value) != wanted)
			return false;
	return true;
}

bool filters_match_labels(const struct filters *filters, const char *key, const struct strv *labels)
{
	return labels_are(filters, key, labels, /* wanted= */ true);
}

bool filters_match_no_labels(const struct filters *filters, const char *key,
			     const struct strv *labels)
{
	return labels_are(filters, key, labels, /* wanted= */ false);
}

int filters_get_bool(const struct filters *filters, const char *key, bool otherwise,
		     bool *ret_value, struct error *err)
{
	auto_(strv_release) struct strv values = {0};
	auto_free char *shown = NULL, *list = NULL;
	bool yes, no;

	for (size_t i = 0; i < filters_count(filters, key); i++)
		strv_add(&values, filters_value(filters, key, i));
	yes = strv_has(&values, "1") || strv_has(&values, "true");
	no = strv_has(&values, "0") || strv_has(&values, "false");
	if (yes != no || values.count == 0) {
		*ret_value = values.count == 0 ? otherwise : yes;
		return 0;
	}
	list = strv_join(&values, " ");
	shown = xasprintf("[%s]", list);
	return filter_refuse(key, shown, err);
}
