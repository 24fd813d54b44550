/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strbuf.h - a byte buffer that grows
 *
 * `data` is always terminated by a NUL that `len` does not count, also when empty
 * (once anything was added; before that strbuf_text() gives "").
 */
#ifndef SKIFF_BASE_STRBUF_H
#define SKIFF_BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

struct strbuf {
	char *data;
	size_t len, capacity;
};

void strbuf_release(struct strbuf *b);
void strbuf_clear(struct strbuf *b); /* len = 0, keeps the memory */
void strbuf_reserve(struct strbuf *b, size_t extra);
void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_pad(struct strbuf *b, char c, size_t count); /* adds it so many times */
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Never NULL; borrowed. */
const char *strbuf_text(const struct strbuf *b);

/* Gives the text away (never NULL, caller frees); the buffer is empty afterwards. */
char *strbuf_take(struct strbuf *b);

DEFINE_CLEANUP_VALUE(struct strbuf, strbuf_release);

#endif
