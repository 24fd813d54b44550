/* SPDX-License-Identifier: Apache-2.0 */
/* docker.c - the functions that docker adds to Go's */
#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "template/template_internal.h"

static int return_text(const struct call *call, struct strbuf *text)
{
	*call->ret = value_of_text(arena_take(&call->run->arena, text));
	return 0;
}

static int call_json(const struct call *call)
{
	auto_(strbuf_release) struct strbuf text = {0};

	value_json(&call->args[0], &text);
	return return_text(call, &text);
}

/* ---- lists ---- */

static void add_piece(json_t *pieces, const char *data, size_t len)
{
	json_t *piece = json_stringn(data, len);

	/* What is not UTF-8 (a character cut in two) is no string for Jansson. */
	(void)json_array_append_new(pieces, piece ? piece : json_string("\xef\xbf\xbd"));
}

static void split_characters(struct text text, json_t *pieces)
{
	size_t size;

	for (size_t i = 0; i < text.len; i += size) {
		(void)utf8_decode(text.data + i, text.len - i, &size);
		add_piece(pieces, text.data + i, size);
	}
}

static int call_split(const struct call *call)
{
	struct text text = call->args[0].text, separator = call->args[1].text;
	json_t *pieces = json_array();
	const char *found;

	*call->ret = value_of_strings(&call->run->arena, pieces);
	if (separator.len == 0) {
		split_characters(text, pieces);
		return 0;
	}
	while (text.len && (found = memmem(text.data, text.len, separator.data, separator.len))) {
		size_t len = (size_t)(found - text.data);

		add_piece(pieces, text.data, len);
		text.data += len + separator.len;
		text.len -= len + separator.len;
	}
	add_piece(pieces, text.len ? text.data : "", text.len);
	return 0;
}

static void print_item(const struct call *call, const struct value *item, struct strbuf *ret)
{
	const struct call one = {call->run, item, 1, call->ret, call->why};
	struct text text = text_of_arguments(&one);

	strbuf_add(ret, text.data, text.len);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The values of a map, in order of their texts. */
static void join_map(const struct call *call, const struct value *map, struct strbuf *text)
{
	auto_(strv_release) struct strv texts = {0};
	auto_free char *separator = xstrndup(call->args[1].text.data, call->args[1].text.len);
	auto_free char *joined = NULL;
	size_t count;
	const struct text *keys = sorted_keys(&call->run->arena, map->json, &count);

	for (size_t i = 0; i < count; i++) {
		auto_(strbuf_release) struct strbuf shown = {0};
		struct value member;

		(void)value_member(map, keys[i], &member);
		print_item(call, &member, &shown);
		strv_add(&texts, strbuf_text(&shown));
	}
	if (texts.count)
		qsort(texts.items, texts.count, sizeof(texts.items[0]), compare_strings);
	joined = strv_join(&texts, separator);
	strbuf_adds(text, joined);
}

static int call_join(const struct call *call)
{
	const struct value *items = &call->args[0];
	struct text separator = call->args[1].text;
	auto_(strbuf_release) struct strbuf text = {0};
	size_t count;

	if (items->kind == VALUE_NONE || (items->kind == VALUE_NIL && !items->type))
		return return_text(call, &text);
	if (items->kind == VALUE_MAP) {
		join_map(call, items, &text);
		return return_text(call, &text);
	}
	if (items->kind != VALUE_LIST)
		return call_fail(call, "expected slice, got %s", value_type_name(items));
	count = value_count(items);
	for (size_t i = 0; i < count; i++) {
		struct value item = value_item(items, i);

		if (i > 0)
			strbuf_add(&text, separator.data, separator.len);
		print_item(call, &item, &text);
	}
	return return_text(call, &text);
}

/* ---- letters ---- */

static uint32_t map_character(uint32_t c, bool upper)
{
	static locale_t unicode;

	if (c < 0x80)
		return (uint32_t)(upper ? toupper((int)c) : tolower((int)c));
	if (!unicode)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (!unicode)
		return c;
	return (uint32_t)(upper ? towupper_l((wint_t)c, unicode) : towlower_l((wint_t)c, unicode));
}

/* Between words, as Go's strings.Title has it. */
static bool is_separator(uint32_t c)
{
	if (c < 0x80)
		return !isalnum((int)c) && c != '_';
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static int map_text(const struct call *call, bool upper, bool only_first)
{
	struct text text = call->args[0].text;
	auto_(strbuf_release) struct strbuf mapped = {0};
	bool between = true;
	size_t size;

	for (size_t i = 0; i < text.len; i += size) {
		uint32_t c = utf8_decode(text.data + i, text.len - i, &size);

		utf8_add(!only_first || between ? map_character(c, upper) : c, &mapped);
		between = is_separator(c);
	}
	return return_text(call, &mapped);
}

static int call_lower(const struct call *call)
{
	return map_text(call, /* upper= */ false, /* only_first= */ false);
}

static int call_upper(const struct call *call)
{
	return map_text(call, /* upper= */ true, /* only_first= */ false);
}

static int call_title(const struct call *call)
{
	return map_text(call, /* upper= */ true, /* only_first= */ true);
}

/* ---- widths ---- */

static void add_spaces(struct strbuf *text, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		strbuf_addc(text, ' ');
}

static int call_pad(const struct call *call)
{
	struct text source = call->args[0].text;
	int64_t before = call->args[1].integer, after = call->args[2].integer;
	auto_(strbuf_release) struct strbuf text = {0};

	if (source.len == 0) {
		*call->ret = call->args[0];
		return 0;
	}
	if (before < 0 || after < 0)
		return call_fail(call, "strings: negative Repeat count");
	if (before > (int64_t)TEMPLATE_MAX_BYTES || after > (int64_t)TEMPLATE_MAX_BYTES)
		return call_fail(call, "strings: Repeat count causes overflow");
	add_spaces(&text, before);
	strbuf_add(&text, source.data, source.len);
	add_spaces(&text, after);
	return return_text(call, &text);
}

static int call_truncate(const struct call *call)
{
	struct text source = call->args[0].text;
	int64_t len = call->args[1].integer;

	if (len < 0)
		return call_fail(call, "runtime error: slice bounds out of range [:%lld]",
				 (long long)len);
	if (source.len > (uint64_t)len)
		source.len = (size_t)len;
	*call->ret = value_of_text(source);
	return 0;
}

/* In the row of column titles. */
static int call_keep(const struct call *call)
{
	*call->ret = call->args[0];
	return 0;
}

/* ---- the tables ---- */

static const struct function docker_functions[] = {
	{"join", {PARAM_ANY, PARAM_STRING}, PARAM_END, call_join},
	{"json", {PARAM_ANY}, PARAM_END, call_json},
	{"lower", {PARAM_STRING}, PARAM_END, call_lower},
	{"pad", {PARAM_STRING, PARAM_INT, PARAM_INT}, PARAM_END, call_pad},
	{"split", {PARAM_STRING, PARAM_STRING}, PARAM_END, call_split},
	{"title", {PARAM_STRING}, PARAM_END, call_title},
	{"truncate", {PARAM_STRING, PARAM_INT}, PARAM_END, call_truncate},
	{"upper", {PARAM_STRING}, PARAM_END, call_upper},
};

static const struct function header_functions[] = {
	{"json", {PARAM_STRING}, PARAM_END, call_keep},
	{"lower", {PARAM_STRING}, PARAM_END, call_keep},
	{"title", {PARAM_STRING}, PARAM_END, call_keep},
	{"truncate", {PARAM_STRING, PARAM_INT}, PARAM_END, call_keep},
	{"upper", {PARAM_STRING}, PARAM_END, call_keep},
};

const struct function *function_find_docker(struct text name, bool header)
{
	for (size_t i = 0; header && i < ARRAY_SIZE(header_functions); i++)
		if (text_is(name, header_functions[i].name))
			return &header_functions[i];
	for (size_t i = 0; i < ARRAY_SIZE(docker_functions); i++)
		if (text_is(name, docker_functions[i].name))
			return &docker_functions[i];
	return NULL;
}
