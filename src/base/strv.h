/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strv.h - a list of strings
 *
 * `items` ends with a NULL that `count` does not include (once anything was added), so it can
 * be given to execve(). The list owns its strings. An empty list is {0}.
 */
#ifndef SKIFF_BASE_STRV_H
#define SKIFF_BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct strv {
	char **items;
	size_t count, capacity;
};

void strv_release(struct strv *v);
void strv_add(struct strv *v, const char *s); /* copies */
void strv_add_take(struct strv *v, char *s);  /* takes ownership of s */
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_add_all(struct strv *v, const struct strv *other);
void strv_copy(struct strv *to, const struct strv *from); /* `to` is released first */
bool strv_has(const struct strv *v, const char *s);

/* Removes the item at `index` and frees it. */
void strv_remove(struct strv *v, size_t index);

/* Splits at `separator`; empty pieces are kept. "" gives no piece. */
void strv_split(struct strv *v, const char *s, char separator);

/* Joined with `separator` between; caller frees; never NULL. */
char *strv_join(const struct strv *v, const char *separator);

/*
 * Environment lists ("KEY=value"). strv_env_find() gives the value, borrowed, or NULL;
 * strv_env_set() replaces or appends; strv_env_unset() removes every occurrence.
 */
const char *strv_env_find(const struct strv *v, const char *key);
void strv_env_set(struct strv *v, const char *key, const char *value);
void strv_env_unset(struct strv *v, const char *key);

DEFINE_CLEANUP_VALUE(struct strv, strv_release);

#endif
