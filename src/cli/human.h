/* SPDX-License-Identifier: Apache-2.0 */
/* human.h - sizes, durations and commands as docker shows them */
#ifndef SKIFF_CLI_HUMAN_H
#define SKIFF_CLI_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* "7.33MB": decimal multiples, `digits` significant digits. */
void human_size(uint64_t bytes, int digits, struct strbuf *ret_text);

/* "1.952GiB": binary multiples, four significant digits. */
void human_binary_size(uint64_t bytes, struct strbuf *ret_text);

/* "Less than a second", "5 seconds", "About an hour", "2 weeks". Negative ones are zero. */
void human_duration(int64_t ns, struct strbuf *ret_text);

/* At most `max` characters; what is longer ends with an ellipsis. */
void human_shorten(const char *text, size_t max, struct strbuf *ret_text);

/* In double quotes, with Go's escapes for what cannot be shown. */
void human_quote(const char *text, struct strbuf *ret_text);

#endif
