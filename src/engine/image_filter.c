/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_filter.h"

#include <string.h>

#include "base/clock.h"
#include "engine/image_internal.h"
#include "image/image_config.h"

static const char *const keys[] = {"before", "dangling", "label", "reference",
				   "since",  "until",    NULL};

/* The time of creation of the image that the key names; the last one counts. */
static int find_created(struct engine *engine, const struct filters *filters, const char *key,
			int64_t *ret_ns, struct error *err)
{
	for (size_t i = 0; i < filters_count(filters, key); i++) {
		auto_(image_record_release) struct image_record record = {0};
		int r = image_find(engine, filters_value(filters, key, i), &record, err);

		if (r < 0)
			return r;
		*ret_ns = record.created_ns;
	}
	return 0;
}

static int parse_until(const struct filters *filters, int64_t *ret_ns, struct error *err)
{
	const char *text = filters_value(filters, "until", 0);

	if (!text)
		return 0;
	if (filters_count(filters, "until") > 1)
		return err_set(err, ERR_INVALID, 0, "more than one until filter specified");
	if (clock_parse_user(text, clock_now_ns(), ret_ns) < 0)
		return filter_refuse("until", text, err);
	return 0;
}

int image_filter_init(struct engine *engine, const struct strv *texts,
		      struct image_filter *ret_filter, struct error *err)
{
	auto_(image_filter_release) struct image_filter filter = {
		.before_ns = INT64_MAX,
		.since_ns = INT64_MIN,
		.until_ns = INT64_MAX,
	};
	int r;

	r = filters_parse(texts, keys, &filter.filters, err);
	if (r < 0)
		return r;
	filter.has_dangling = filters_has(&filter.filters, "dangling");
	r = filters_get_bool(&filter.filters, "dangling", false, &filter.dangling, err);
	if (r >= 0)
		r = find_created(engine, &filter.filters, "before", &filter.before_ns, err);
	if (r >= 0)
		r = find_created(engine, &filter.filters, "since", &filter.since_ns, err);
	if (r >= 0)
		r = parse_until(&filter.filters, &filter.until_ns, err);
	if (r < 0)
		return r;
	*ret_filter = filter;
	filter = (struct image_filter){0};
	return 0;
}

void image_filter_release(struct image_filter *filter)
{
	filters_release(&filter->filters);
}

static bool labels_match(const struct filters *filters, const struct image_record *record)
{
	auto_(image_config_release) struct image_config config = {0};
	auto_(error_release) struct error ignored = {0};

	if (!filters_has(filters, "label"))
		return true;
	return image_config_parse(record->config, strlen(record->config), &config, &ignored) >= 0 &&
	       filters_match_labels(filters, "label", &config.labels);
}

bool image_filter_matches(const struct image_filter *filter, const struct image_record *record)
{
	if (record->created_ns >= filter->before_ns || record->created_ns <= filter->since_ns ||
	    record->created_ns >= filter->until_ns)
		return false;
	return labels_match(&filter->filters, record);
}
