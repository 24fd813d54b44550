/* SPDX-License-Identifier: Apache-2.0 */
/* stats_graph.h - a small picture of the recent past beside each row of a table */
#ifndef SKIFF_CLI_STATS_GRAPH_H
#define SKIFF_CLI_STATS_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* Whether the terminal shows UTF-8, by the usual variables. */
bool stats_graph_has_utf8(void);

/*
 * `width` characters for the last samples (percent), oldest first, newest at the right. The highest
 * is that of the samples shown, but at least ten percent.
 */
void stats_graph(const float *samples, size_t count, size_t width, bool utf8,
		 struct strbuf *ret_text);

#endif
