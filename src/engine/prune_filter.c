/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/prune_filter.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parse.h"

void prune_filter_release(struct prune_filter *filter)
{
	strv_release(&filter->labels);
	strv_release(&filter->not_labels);
	*filter = (struct prune_filter){0};
}

static int invalid(const char *text, struct error *err)
{
	return err_set(err, ERR_INVALID, 0, "invalid filter '%s'", text);
}

/* `text` is "key=value"; the '!' of "label!=" belongs to the key. */
static int parse_one(const char *text, struct prune_filter *filter, struct error *err)
{
	const char *equals = strchr(text, '=');
	auto_free char *key = xstrndup(text, equals ? (size_t)(equals - text) : 0);
	int64_t now = clock_now_ns();

	if (!equals)
		return err_set(err, ERR_INVALID, 0,
			       "invalid argument \"%s\" for \"--filter\" flag: invalid filter '%s'",
			       text, text);
	if (strcmp(key, "label") == 0) {
		strv_add(&filter->labels, equals + 1);
		return 0;
	}
	if (strcmp(key, "label!") == 0) {
		strv_add(&filter->not_labels, equals + 1);
		return 0;
	}
	if (strcmp(key, "until") == 0) {
		if (filter->until_ns)
			return err_set(err, ERR_INVALID, 0, "more than one until filter specified");
		if (clock_parse_user(equals + 1, now, &filter->until_ns) < 0)
			return invalid(text, err);
		return 0;
	}
	if (strcmp(key, "dangling") == 0) {
		filter->dangling_set = true;
		if (parse_bool(equals + 1, &filter->dangling) < 0)
			return invalid(text, err);
		return 0;
	}
	return invalid(key, err);
}

int prune_filter_parse(const struct strv *texts, struct prune_filter *ret_filter, struct error *err)
{
	auto_(prune_filter_release) struct prune_filter filter = {0};

	for (size_t i = 0; i < texts->count; i++)
		if (parse_one(texts->items[i], &filter, err) < 0)
			return err_result(err);
	*ret_filter = filter;
	filter = (struct prune_filter){0};
	return 0;
}

bool labels_match(const struct strv *labels, const char *wanted)
{
	size_t len = strlen(wanted);
	bool with_value = strchr(wanted, '=');

	for (size_t i = 0; i < labels->count; i++)
		if (strncmp(labels->items[i], wanted, len) == 0 &&
		    labels->items[i][len] == (with_value ? '\0' : '='))
			return true;
	return false;
}

bool prune_filter_matches(const struct prune_filter *filter, int64_t created_ns,
			  const struct strv *labels)
{
	if (filter->until_ns && (created_ns == 0 || created_ns >= filter->until_ns))
		return false;
	for (size_t i = 0; i < filter->labels.count; i++)
		if (!labels_match(labels, filter->labels.items[i]))
			return false;
	for (size_t i = 0; i < filter->not_labels.count; i++)
		if (labels_match(labels, filter->not_labels.items[i]))
			return false;
	return true;
}
