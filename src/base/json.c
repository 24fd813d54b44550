/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

#include "base/alloc.h"

/*
 * Jansson bounds its own recursion (2048 levels); ours is tighter, and is checked on the text so
 * that nothing is built first.
 */
static bool too_deep(const char *text, size_t len)
{
	size_t level = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++level > JSON_MAX_LEVELS)
				return true;
		} else if ((c == '}' || c == ']') && level > 0) {
			level--;
		}
	}
	return false;
}

int json_parse(const char *text, size_t len, const char *what, json_t **ret_value,
	       struct error *err)
{
	json_error_t failure;
	json_t *value;

	if (len > JSON_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "%s: JSON longer than %zu bytes", what,
			       JSON_MAX_BYTES);
	if (too_deep(text, len))
		return err_set(err, ERR_INVALID, ELOOP, "%s: JSON deeper than %d levels", what,
			       JSON_MAX_LEVELS);
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &failure);
	if (!value)
		return err_set(err, ERR_INVALID, EINVAL, "%s: invalid JSON: %s (line %d)", what,
			       failure.text, failure.line);
	*ret_value = value;
	return 0;
}

char *json_text(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	return text ? text : xstrdup("null");
}

char *json_text_pretty(const json_t *value, size_t indent)
{
	char *text = json_dumps(value, JSON_INDENT(indent) | JSON_ENCODE_ANY);

	return text ? text : xstrdup("null");
}

const char *json_get_string(const json_t *object, const char *key, const char *otherwise)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : otherwise;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

bool json_get_bool(const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

void json_get_strv(const json_t *object, const char *key, struct strv *ret_list)
{
	const json_t *array = json_object_get(object, key);
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item)
		if (json_is_string(item))
			strv_add(ret_list, json_string_value(item));
}

json_t *json_from_strv(const struct strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, json_string_nocheck(list->items[i]));
	return array;
}

void json_set_string(json_t *object, const char *key, const char *value)
{
	(void)json_object_set_new_nocheck(object, key,
					  value ? json_string_nocheck(value) : json_null());
}
