/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - values as Go's fmt prints them: "%v", print, println and {{.}} */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "template/template_internal.h"

#define NS_PER_SECOND INT64_C(1000000000)

static void print_inner(struct arena *arena, const struct value *value, struct strbuf *ret);

static void print_list(struct arena *arena, const struct value *list, struct strbuf *ret)
{
	size_t count = value_count(list);

	strbuf_addc(ret, '[');
	for (size_t i = 0; i < count; i++) {
		struct value item = value_item(list, i);

		strbuf_adds(ret, i ? " " : "");
		print_inner(arena, &item, ret);
	}
	strbuf_addc(ret, ']');
}

static void print_map(struct arena *arena, const struct value *map, struct strbuf *ret)
{
	size_t count;
	const struct text *keys = sorted_keys(arena, map->json, &count);

	strbuf_adds(ret, "map[");
	for (size_t i = 0; i < count; i++) {
		struct value member;

		(void)value_member(map, keys[i], &member);
		strbuf_adds(ret, i ? " " : "");
		strbuf_add(ret, keys[i].data, keys[i].len);
		strbuf_addc(ret, ':');
		print_inner(arena, &member, ret);
	}
	strbuf_addc(ret, ']');
}

static void print_struct(struct arena *arena, const struct value *object, struct strbuf *ret)
{
	const struct template_field *f = object->type ? object->type->fields : NULL;
	bool first = true;

	strbuf_addc(ret, '{');
	for (; f && f->name; f++) {
		const char *key = f->key ? f->key : f->name;
		struct value member;

		if (f->call)
			continue;
		member = value_of_json(
			f->embedded ? object->json : json_object_get(object->json, key), f->type);
		strbuf_adds(ret, first ? "" : " ");
		print_inner(arena, &member, ret);
		first = false;
	}
	strbuf_addc(ret, '}');
}

/* "2026-11-23 15:19:02.123456789 +0000 UTC", as Go's time.Time prints itself. */
static bool print_ns(int64_t ns, struct strbuf *ret)
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND) - (ns % NS_PER_SECOND < 0);
	int digits = 9;
	char shown[32];
	struct tm utc;

	if (!gmtime_r(&seconds, &utc) ||
	    strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M:%S", &utc) == 0)
		return false;
	strbuf_adds(ret, shown);
	ns -= (int64_t)seconds * NS_PER_SECOND;
	for (; ns && ns % 10 == 0; ns /= 10)
		digits--;
	if (ns)
		strbuf_addf(ret, ".%0*" PRId64, digits, ns);
	strbuf_adds(ret, " +0000 UTC");
	return true;
}

static void print_time(struct text text, struct strbuf *ret)
{
	char copy[CLOCK_TEXT_SIZE] = {0};
	int64_t ns;

	if (text.len == 0) {
		strbuf_adds(ret, "0001-01-01 00:00:00 +0000 UTC");
		return;
	}
	if (text.len < sizeof(copy)) {
		memcpy(copy, text.data, text.len);
		if (clock_parse(copy, &ns) == 0 && print_ns(ns, ret))
			return;
	}
	strbuf_add(ret, text.data, text.len); /* as it is */
}

static void print_inner(struct arena *arena, const struct value *value, struct strbuf *ret)
{
	switch (value->kind) {
	case VALUE_NONE:
	case VALUE_NIL:
		strbuf_adds(ret, "<nil>");
		break;
	case VALUE_BOOL:
		strbuf_adds(ret, value->truth ? "true" : "false");
		break;
	case VALUE_INT:
		strbuf_addf(ret, "%" PRId64, value->integer);
		break;
	case VALUE_FLOAT:
		number_format_real(value->real, 'g', -1, ret);
		break;
	case VALUE_STRING:
		if (value->type && value->type->kind == TEMPLATE_TIME)
			print_time(value->text, ret);
		else
			strbuf_add(ret, value->text.data, value->text.len);
		break;
	case VALUE_LIST:
		print_list(arena, value, ret);
		break;
	case VALUE_MAP:
		print_map(arena, value, ret);
		break;
	case VALUE_STRUCT:
		/* Go prints the address of what lies behind a pointer, which helps nobody. */
		strbuf_adds(ret, value->is_pointer ? "&" : "");
		print_struct(arena, value, ret);
		break;
	}
}

void value_print(struct arena *arena, const struct value *value, struct strbuf *ret)
{
	struct value direct = *value;

	direct.is_pointer = false;
	if (value->kind == VALUE_NONE || (value->kind == VALUE_NIL && !value->type))
		strbuf_adds(ret, "<no value>");
	else
		print_inner(arena, &direct, ret);
}

/* ---- the functions ---- */

struct text text_of_arguments(const struct call *call)
{
	auto_(strbuf_release) struct strbuf text = {0};
	struct run *run = call->run;

	for (size_t i = 0; i < call->count; i++) {
		const struct value *value = &call->args[i];

		if (i > 0 && value->kind != VALUE_STRING && call->args[i - 1].kind != VALUE_STRING)
			strbuf_addc(&text, ' ');
		print_inner(&run->arena, value, &text);
	}
	return arena_take(&run->arena, &text);
}

int call_print(const struct call *call)
{
	*call->ret = value_of_text(text_of_arguments(call));
	return 0;
}

int call_println(const struct call *call)
{
	auto_(strbuf_release) struct strbuf text = {0};
	struct run *run = call->run;

	for (size_t i = 0; i < call->count; i++) {
		strbuf_adds(&text, i ? " " : "");
		print_inner(&run->arena, &call->args[i], &text);
	}
	strbuf_addc(&text, '\n');
	*call->ret = value_of_text(arena_take(&run->arena, &text));
	return 0;
}
