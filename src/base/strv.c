/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strv.h"

#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

void strv_release(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){0};
}

void strv_add_take(struct strv *v, char *s)
{
	if (v->count + 2 > v->capacity) {
		v->capacity = v->capacity ? v->capacity * 2 : 8;
		v->items = xreallocarray(v->items, v->capacity, sizeof(*v->items));
	}
	v->items[v->count++] = s;
	v->items[v->count] = NULL;
}

void strv_add(struct strv *v, const char *s)
{
	strv_add_take(v, xstrdup(s));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strv_add_take(v, xvasprintf(fmt, args));
	va_end(args);
}

void strv_add_all(struct strv *v, const struct strv *other)
{
	for (size_t i = 0; i < other->count; i++)
		strv_add(v, other->items[i]);
}

void strv_copy(struct strv *to, const struct strv *from)
{
	struct strv copy = {0};

	strv_add_all(&copy, from);
	strv_release(to);
	*to = copy;
}

bool strv_has(const struct strv *v, const char *s)
{
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->items[i], s) == 0)
			return true;
	return false;
}

void strv_remove(struct strv *v, size_t index)
{
	free(v->items[index]);
	memmove(&v->items[index], &v->items[index + 1], (v->count - index) * sizeof(*v->items));
	v->count--;
}

void strv_split(struct strv *v, const char *s, char separator)
{
	if (!*s)
		return;
	for (;;) {
		const char *end = strchrnul(s, separator);

		strv_add_take(v, xstrndup(s, (size_t)(end - s)));
		if (!*end)
			return;
		s = end + 1;
	}
}

char *strv_join(const struct strv *v, const char *separator)
{
	struct strbuf b = {0};

	for (size_t i = 0; i < v->count; i++) {
		if (i)
			strbuf_adds(&b, separator);
		strbuf_adds(&b, v->items[i]);
	}
	return strbuf_take(&b);
}

static bool env_is_key(const char *item, const char *key, size_t key_len)
{
	return strncmp(item, key, key_len) == 0 && item[key_len] == '=';
}

const char *strv_env_find(const struct strv *v, const char *key)
{
	size_t key_len = strlen(key);

	for (size_t i = 0; i < v->count; i++)
		if (env_is_key(v->items[i], key, key_len))
			return v->items[i] + key_len + 1;
	return NULL;
}

void strv_env_set(struct strv *v, const char *key, const char *value)
{
	size_t key_len = strlen(key);

	for (size_t i = 0; i < v->count; i++) {
		if (!env_is_key(v->items[i], key, key_len))
			continue;
		free(v->items[i]);
		v->items[i] = xasprintf("%s=%s", key, value);
		return;
	}
	strv_addf(v, "%s=%s", key, value);
}

void strv_env_unset(struct strv *v, const char *key)
{
	size_t key_len = strlen(key);

	for (size_t i = v->count; i-- > 0;)
		if (env_is_key(v->items[i], key, key_len))
			strv_remove(v, i);
}
