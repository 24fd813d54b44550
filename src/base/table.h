/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - rows in aligned columns, as docker prints them
 *
 * Columns are as wide as their widest cell plus three spaces, and at least ten; the last one is not
 * padded. Width is counted in characters of UTF-8 text, as docker counts it. Control characters in
 * cells are shown as '?'.
 */
#ifndef SKIFF_BASE_TABLE_H
#define SKIFF_BASE_TABLE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strv.h"

struct table {
	size_t columns;
	struct strv cells;
};

/* `headers` has `columns` items. */
void table_init(struct table *t, const char *const *headers, size_t columns);
void table_release(struct table *t);

/* Adds one cell; every `columns` cells make a row. */
void table_add(struct table *t, const char *text);

void table_format(const struct table *t, struct strbuf *ret_text);

DEFINE_CLEANUP_VALUE(struct table, table_release);

#endif
