/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/prune_filter.h"

#include "base/clock.h"

void prune_filter_release(struct prune_filter *filter)
{
	filters_release(&filter->filters);
	*filter = (struct prune_filter){0};
}

static int read_until(struct prune_filter *filter, struct error *err)
{
	const char *text;

	if (filters_count(&filter->filters, "until") == 0)
		return 0;
	if (filters_count(&filter->filters, "until") > 1)
		return err_set(err, ERR_INVALID, 0, "more than one until filter specified");
	text = filters_value(&filter->filters, "until", 0);
	if (clock_parse_user(text, clock_now_ns(), &filter->until_ns) < 0)
		return filter_refuse("until", text, err);
	return 0;
}

int prune_filter_parse(const struct strv *texts, bool with_dangling,
		       struct prune_filter *ret_filter, struct error *err)
{
	static const char *const plain_keys[] = {"label", "label!", "until", NULL};
	static const char *const image_keys[] = {"dangling", "label", "label!", "until", NULL};
	static const struct strv none = {0};
	auto_(prune_filter_release) struct prune_filter filter = {0};
	int r;

	r = filters_parse(texts ? texts : &none, with_dangling ? image_keys : plain_keys,
			  &filter.filters, err);
	if (r >= 0)
		r = read_until(&filter, err);
	if (r < 0)
		return r;
	*ret_filter = filter;
	filter = (struct prune_filter){0};
	return 0;
}

bool prune_filter_matches(const struct prune_filter *filter, int64_t created_ns,
			  const struct strv *labels)
{
	if (filter->until_ns && (created_ns == 0 || created_ns >= filter->until_ns))
		return false;
	return filters_match_labels(&filter->filters, "label", labels) &&
	       filters_match_no_labels(&filter->filters, "label!", labels);
}
