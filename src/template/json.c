/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - JSON as Go's encoder writes it when it escapes no HTML */
#include <math.h>
#include <string.h>

#include "template/template_internal.h"

static void add_character(uint32_t c, struct strbuf *ret)
{
	static const char escaped[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	const char *special = c && c < 0x80 ? strchr(escaped, (int)c) : NULL;

	if (special)
		strbuf_addf(ret, "\\%c", letters[special - escaped]);
	else if (c < 0x20 || c == 0x2028 || c == 0x2029) /* line ends for JavaScript */
		strbuf_addf(ret, "\\u%04x", (unsigned int)c);
	else
		utf8_add(c, ret);
}

static void add_string(struct text text, struct strbuf *ret)
{
	size_t size;

	strbuf_addc(ret, '"');
	for (size_t i = 0; i < text.len; i += size) {
		uint32_t c = utf8_decode(text.data + i, text.len - i, &size);

		if (c == 0xfffd && size == 1)
			strbuf_adds(ret, "\\ufffd");
		else
			add_character(c, ret);
	}
	strbuf_addc(ret, '"');
}

/* As JavaScript writes numbers: an exponent below 1e-6 and from 1e21 on, of as few digits as it takes. */
static void add_real(double real, struct strbuf *ret)
{
	double size = fabs(real);
	size_t start = ret->len;

	if (size == 0 || (size >= 1e-6 && size < 1e21)) {
		number_format_real(real, 'f', -1, ret);
		return;
	}
	number_format_real(real, 'e', -1, ret);
	if (ret->len - start >= 4 && ret->data[ret->len - 2] == '0' &&
	    ret->data[ret->len - 3] == '-') {
		ret->data[ret->len - 2] = ret->data[ret->len - 1];
		ret->data[--ret->len] = '\0';
	}
}

static void add_list(const struct value *list, struct strbuf *ret)
{
	size_t count = value_count(list);

	strbuf_addc(ret, '[');
	for (size_t i = 0; i < count; i++) {
		struct value item = value_item(list, i);

		strbuf_adds(ret, i ? "," : "");
		value_json(&item, ret);
	}
	strbuf_addc(ret, ']');
}

static void add_member(struct text key, const struct value *member, struct strbuf *ret)
{
	if (ret->data[ret->len - 1] != '{')
		strbuf_addc(ret, ',');
	add_string(key, ret);
	strbuf_addc(ret, ':');
	value_json(member, ret);
}

static void add_map(const struct value *map, struct strbuf *ret)
{
	auto_(arena_release) struct arena arena = {0};
	size_t count;
	const struct text *keys = sorted_keys(&arena, map->json, &count);

	strbuf_addc(ret, '{');
	for (size_t i = 0; i < count; i++) {
		struct value member;

		(void)value_member(map, keys[i], &member);
		add_member(keys[i], &member, ret);
	}
	strbuf_addc(ret, '}');
}

/* Go's omitempty: what is behind a pointer counts as something, whatever it is. */
static bool is_empty(const struct value *value)
{
	return value->kind != VALUE_STRUCT && !value_is_true(value);
}

static const char *key_of(const struct template_field *field)
{
	return field->key ? field->key : field->name;
}

static void add_fields(const struct template_field *fields, const json_t *object,
		       struct strbuf *ret)
{
	for (; fields && fields->name; fields++) {
		struct value member;

		if (fields->embedded) {
			add_fields(fields->type->fields, object, ret);
			continue;
		}
		member = value_of_json(json_object_get(object, key_of(fields)), fields->type);
		if (!fields->call && !(fields->optional && is_empty(&member)))
			add_member(text_of(key_of(fields)), &member, ret);
	}
}

static bool has_key(const struct template_field *fields, const char *key)
{
	for (; fields && fields->name; fields++)
		if (fields->embedded ? has_key(fields->type->fields, key)
				     : strcmp(key_of(fields), key) == 0)
			return true;
	return false;
}

static void add_struct(const struct value *object, struct strbuf *ret)
{
	const struct template_field *fields = object->type ? object->type->fields : NULL;
	const char *key;
	json_t *json;

	strbuf_addc(ret, '{');
	add_fields(fields, object->json, ret);
	json_object_foreach ((json_t *)(uintptr_t)object->json, key, json) {
		struct value member = value_of_json(json, NULL);

		if (!has_key(fields, key))
			add_member(text_of(key), &member, ret);
	}
	strbuf_addc(ret, '}');
}

void value_json(const struct value *value, struct strbuf *ret)
{
	switch (value->kind) {
	case VALUE_NONE:
	case VALUE_NIL:
		strbuf_adds(ret, "null");
		break;
	case VALUE_BOOL:
		strbuf_adds(ret, value->truth ? "true" : "false");
		break;
	case VALUE_INT:
		strbuf_addf(ret, "%lld", (long long)value->integer);
		break;
	case VALUE_FLOAT:
		add_real(value->real, ret);
		break;
	case VALUE_STRING:
		if (value->text.len == 0 && value->type && value->type->kind == TEMPLATE_TIME)
			strbuf_adds(ret, "\"0001-01-01T00:00:00Z\"");
		else
			add_string(value->text, ret);
		break;
	case VALUE_LIST:
		if (value->json)
			add_list(value, ret);
		else
			strbuf_adds(ret, "null");
		break;
	case VALUE_MAP:
		if (value->json)
			add_map(value, ret);
		else
			strbuf_adds(ret, "null");
		break;
	case VALUE_STRUCT:
		add_struct(value, ret);
		break;
	}
}

void template_json(const json_t *value, const struct template_type *type, struct strbuf *ret_text)
{
	struct value whole = value_of_json(value, type);

	value_json(&whole, ret_text);
}
