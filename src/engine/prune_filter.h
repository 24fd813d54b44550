/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune_filter.h - `prune --filter key=value`
 *
 *	until=TIME         only what was made before; as logs --until takes it
 *	label=KEY[=VALUE]  only what has the label; several must all be there
 *	label!=KEY[=VALUE] not what has it
 *	dangling=BOOL      images: only those without a name
 */
#ifndef SKIFF_ENGINE_PRUNE_FILTER_H
#define SKIFF_ENGINE_PRUNE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct prune_filter {
	int64_t until_ns; /* 0: any time */
	struct strv labels, not_labels;
	bool dangling_set, dangling;
};

/* "invalid filter 'x'" for a key that is none of these. */
int prune_filter_parse(const struct strv *texts, struct prune_filter *ret_filter,
		       struct error *err);
void prune_filter_release(struct prune_filter *filter);

/* `labels` are "key=value". What has no time of its own was not made before any. */
bool prune_filter_matches(const struct prune_filter *filter, int64_t created_ns,
			  const struct strv *labels);

/* Whether the list has KEY, or KEY=VALUE. */
bool labels_match(const struct strv *labels, const char *wanted);

DEFINE_CLEANUP_VALUE(struct prune_filter, prune_filter_release);

#endif
