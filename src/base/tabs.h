/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tabs.h - text with tabs, its columns aligned
 *
 * Each tab ends a cell; the cells at the same place in neighbouring lines form a column, which is as wide
 * as its widest cell plus three spaces, and at least ten. What follows the last tab of a line is
 * not padded. Width is counted in characters of UTF-8 text. It is what docker does with the same
 * text (Go's text/tabwriter, "elastic tabstops").
 */
#ifndef SKIFF_BASE_TABS_H
#define SKIFF_BASE_TABS_H

#include <stddef.h>

#include "base/strbuf.h"

/* Appends `text` aligned. */
void tabs_align(const char *text, struct strbuf *ret_text);

#endif
