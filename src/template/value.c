/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

struct value value_of_text(struct text text)
{
	return (struct value){.kind = VALUE_STRING, .text = text};
}

struct value value_of_int(int64_t integer)
{
	return (struct value){.kind = VALUE_INT, .integer = integer};
}

struct value value_of_bool(bool truth)
{
	return (struct value){.kind = VALUE_BOOL, .truth = truth};
}

struct value value_of_strings(struct arena *arena, json_t *strings)
{
	return (struct value){
		.kind = VALUE_LIST,
		.type = &template_strings,
		.json = arena_keep(arena, strings),
	};
}

/* ---- JSON without a type ---- */

static struct value untyped(const json_t *json)
{
	struct value value = {.boxed = true, .json = json};

	if (!json)
		return (struct value){.kind = VALUE_NIL, .boxed = true};
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		value.kind = VALUE_MAP;
		break;
	case JSON_ARRAY:
		value.kind = VALUE_LIST;
		break;
	case JSON_STRING:
		value.kind = VALUE_STRING;
		value.text = (struct text){json_string_value(json), json_string_length(json)};
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		value.kind = json_is_integer(json) ? VALUE_INT : VALUE_FLOAT;
		value.integer = json_integer_value(json);
		value.real = json_number_value(json);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		value.kind = VALUE_BOOL;
		value.truth = json_is_true(json);
		break;
	case JSON_NULL:
		value.kind = VALUE_NIL;
		value.json = NULL;
		break;
	}
	return value;
}

/* ---- JSON with a type ---- */

static struct value typed(const json_t *json, const struct template_type *type)
{
	struct value value = {.type = type};

	switch (type->kind) {
	case TEMPLATE_ANY:
		return untyped(json);
	case TEMPLATE_BOOL:
		value.kind = VALUE_BOOL;
		value.truth = json_is_true(json);
		break;
	case TEMPLATE_INT:
		value.kind = VALUE_INT;
		value.integer = json_integer_value(json);
		break;
	case TEMPLATE_FLOAT:
		value.kind = VALUE_FLOAT;
		value.real = json_number_value(json);
		break;
	case TEMPLATE_STRING:
	case TEMPLATE_TIME:
		value.kind = VALUE_STRING;
		if (json_is_string(json))
			value.text =
				(struct text){json_string_value(json), json_string_length(json)};
		break;
	case TEMPLATE_LIST:
		value.kind = VALUE_LIST;
		value.json = json_is_array(json) ? json : NULL;
		break;
	case TEMPLATE_MAP:
	case TEMPLATE_STRUCT:
		value.kind = type->kind == TEMPLATE_MAP ? VALUE_MAP : VALUE_STRUCT;
		value.json = json_is_object(json) ? json : NULL;
		break;
	case TEMPLATE_POINTER:
		if (!json || json_is_null(json)) {
			value.kind = VALUE_NIL;
			break;
		}
		value = typed(json, type->elem);
		value.is_pointer = true;
		break;
	}
	return value;
}

struct value value_of_json(const json_t *json, const struct template_type *type)
{
	return type ? typed(json, type) : untyped(json);
}

/* ---- parts ---- */

size_t value_count(const struct value *value)
{
	return value->kind == VALUE_LIST ? json_array_size(value->json)
					 : json_object_size(value->json);
}

struct value value_item(const struct value *list, size_t index)
{
	return value_of_json(json_array_get(list->json, index),
			     list->type ? list->type->elem : NULL);
}

bool value_member(const struct value *map, struct text key, struct value *ret_member)
{
	const json_t *member = NULL;

	/* A key with a NUL in it is in no object of ours. */
	if (map->json && (key.len == 0 || !memchr(key.data, '\0', key.len))) {
		auto_free char *name = xstrndup(key.len ? key.data : "", key.len);

		member = json_object_get(map->json, name);
	}
	*ret_member = (struct value){.kind = VALUE_NONE};
	if (!member)
		return false;
	*ret_member = value_of_json(member, map->type ? map->type->elem : NULL);
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

struct text *sorted_keys(struct arena *arena, const json_t *object, size_t *ret_count)
{
	size_t size = json_object_size(object), count = 0;
	struct text *keys = arena_alloc(arena, size * sizeof(*keys));
	const char *key;
	json_t *ignored;

	json_object_foreach ((json_t *)(uintptr_t)object, key, ignored) {
		(void)ignored;
		keys[count++] = text_of(key);
	}
	if (count)
		qsort(keys, count, sizeof(*keys), compare_texts);
	*ret_count = count;
	return keys;
}

bool value_is_true(const struct value *value)
{
	switch (value->kind) {
	case VALUE_NONE:
	case VALUE_NIL:
		return false;
	case VALUE_BOOL:
		return value->truth;
	case VALUE_INT:
		return value->is_pointer || value->integer != 0;
	case VALUE_FLOAT:
		return value->is_pointer || value->real != 0;
	case VALUE_STRING:
		return value->is_pointer || value->text.len > 0;
	case VALUE_LIST:
	case VALUE_MAP:
		return value->is_pointer || value_count(value) > 0;
	case VALUE_STRUCT:
		return true;
	}
	return false;
}

/* ---- names of types ---- */

const char *value_type_name(const struct value *value)
{
	if (value->type && value->kind != VALUE_NONE)
		return value->type->name;
	switch (value->kind) {
	case VALUE_NONE:
	case VALUE_NIL:
		return "<nil>";
	case VALUE_BOOL:
		return "bool";
	case VALUE_INT:
		return "int";
	case VALUE_FLOAT:
		return "float64";
	case VALUE_STRING:
		return "string";
	case VALUE_LIST:
		return "[]interface {}";
	case VALUE_MAP:
		return "map[string]interface {}";
	case VALUE_STRUCT:
		return "struct {}";
	}
	return "<nil>";
}

const char *value_static_type_name(const struct value *value)
{
	return value->boxed ? "interface {}" : value_type_name(value);
}
