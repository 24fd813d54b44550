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
#include "engine/filter.h"

struct prune_filter {
	struct filters filters;
	int64_t until_ns; /* 0: any time */
};

/* `texts` may be NULL; with_dangling: that key exists. */
int prune_filter_parse(const struct strv *texts, bool with_dangling,
		       struct prune_filter *ret_filter, struct error *err);
void prune_filter_release(struct prune_filter *filter);

/* `labels` are "key=value". What has no time of its own was not made before any. */
bool prune_filter_matches(const struct prune_filter *filter, int64_t created_ns,
			  const struct strv *labels);

DEFINE_CLEANUP_VALUE(struct prune_filter, prune_filter_release);

#endif
