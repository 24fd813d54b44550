/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - text from outside that may not be UTF-8 */
#ifndef SKIFF_BASE_UTF8_H
#define SKIFF_BASE_UTF8_H

#include <stddef.h>

#include "base/strbuf.h"

/*
 * The length of the well-formed UTF-8 character at s (len > 0), or 0 (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF).
 */
size_t utf8_length(const unsigned char *s, size_t len);

/* Appends the text with U+FFFD for every byte that belongs to no character. */
void utf8_add_valid(struct strbuf *out, const char *text, size_t len);

#endif
