/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc.h - allocation that does not fail
 *
 * Running out of memory aborts. That is safe because state on disk survives being killed at
 * any instant, and because every size that comes from outside has a limit.
 */
#ifndef SKIFF_BASE_ALLOC_H
#define SKIFF_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Resizes to count * size bytes, checking the product. */
void *xreallocarray(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));

char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));

/* NULL stays NULL. */
char *xstrdup_or_null(const char *s);

/* Copies at most `len` bytes and adds the terminator. */
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *data, size_t len) __attribute__((malloc, returns_nonnull));

char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *fmt, va_list args)
	__attribute__((format(printf, 1, 0), returns_nonnull));

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
