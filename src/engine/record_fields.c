/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/record_fields.h"

#include <stdlib.h>

#include "base/alloc.h"

static const void *member_of(const void *record, const struct record_field *field)
{
	return (const char *)record + field->offset;
}

static void *member_in(void *record, const struct record_field *field)
{
	return (char *)record + field->offset;
}

/* NULL for an empty value. */
static json_t *save_member(const void *member, enum record_field_type type)
{
	switch (type) {
	case RECORD_STRING: {
		const char *text = *(char *const *)member;

		return text ? json_string_nocheck(text) : NULL;
	}
	case RECORD_BOOL:
		return *(const bool *)member ? json_true() : NULL;
	case RECORD_INT: {
		int64_t value = *(const int64_t *)member;

		return value ? json_integer(value) : NULL;
	}
	case RECORD_STRV: {
		const struct strv *list = member;

		return list->count ? json_from_strv(list) : NULL;
	}
	}
	return NULL;
}

void record_fields_save(const void *record, const struct record_field *fields, size_t count,
			json_t *object)
{
	for (size_t i = 0; i < count; i++) {
		json_t *value = save_member(member_of(record, &fields[i]), fields[i].type);

		if (value)
			(void)json_object_set_new_nocheck(object, fields[i].key, value);
	}
}

static bool load_strv(struct strv *list, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return false;
	json_array_foreach (value, i, item) {
		if (!json_is_string(item))
			return false;
		strv_add(list, json_string_value(item));
	}
	return true;
}

static bool load_member(void *member, enum record_field_type type, const json_t *value)
{
	switch (type) {
	case RECORD_STRING: {
		char **text = member;

		if (!json_is_string(value))
			return false;
		free(*text);
		*text = xstrdup(json_string_value(value));
		return true;
	}
	case RECORD_BOOL:
		*(bool *)member = json_is_true(value);
		return json_is_boolean(value);
	case RECORD_INT:
		*(int64_t *)member = json_integer_value(value);
		return json_is_integer(value);
	case RECORD_STRV:
		return load_strv(member, value);
	}
	return false;
}

int record_fields_load(void *record, const struct record_field *fields, size_t count,
		       const json_t *object, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, fields[i].key);

		if (value && !load_member(member_in(record, &fields[i]), fields[i].type, value))
			return err_set(err, ERR_INTERNAL, EBADMSG,
				       "record has a '%s' of the wrong type", fields[i].key);
	}
	return 0;
}

void record_fields_release(void *record, const struct record_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *member = member_in(record, &fields[i]);

		switch (fields[i].type) {
		case RECORD_STRING:
			free(*(char **)member);
			*(char **)member = NULL;
			break;
		case RECORD_BOOL:
			*(bool *)member = false;
			break;
		case RECORD_INT:
			*(int64_t *)member = 0;
			break;
		case RECORD_STRV:
			strv_release(member);
			break;
		}
	}
}
