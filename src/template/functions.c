/* SPDX-License-Identifier: Apache-2.0 */
/* functions.c - the functions that Go's templates have by themselves */
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

int call_fail(const struct call *call, const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	strbuf_clear(call->why);
	strbuf_adds(call->why, message);
	return -EINVAL;
}

static int call_not(const struct call *call)
{
	*call->ret = value_of_bool(!value_is_true(&call->args[0]));
	return 0;
}

static int call_len(const struct call *call)
{
	const struct value *item = &call->args[0];

	switch (item->kind) {
	case VALUE_STRING:
		*call->ret = value_of_int((int64_t)item->text.len);
		return 0;
	case VALUE_LIST:
	case VALUE_MAP:
		*call->ret = value_of_int((int64_t)value_count(item));
		return 0;
	case VALUE_NONE:
		return call_fail(call, "reflect: call of reflect.Value.Type on zero Value");
	case VALUE_NIL:
		return call_fail(call, "len of nil pointer");
	default:
		return call_fail(call, "len of type %s", value_type_name(item));
	}
}

/* ---- index and slice ---- */

/* Up to `max` itself: Go looks at a slice's capacity here. */
static int check_index(const struct call *call, const struct value *index, size_t max)
{
	if (index->kind == VALUE_NONE || (index->kind == VALUE_NIL && !index->type))
		return call_fail(call, "cannot index slice/array with nil");
	if (index->kind != VALUE_INT)
		return call_fail(call, "cannot index slice/array with type %s",
				 value_type_name(index));
	if (index->integer < 0 || (uint64_t)index->integer > max)
		return call_fail(call, "index out of range: %lld", (long long)index->integer);
	return 0;
}

static int index_sequence(const struct call *call, const struct value *item,
			  const struct value *index, struct value *ret)
{
	bool text = item->kind == VALUE_STRING;
	size_t count = text ? item->text.len : value_count(item);

	if (check_index(call, index, count) < 0)
		return -EINVAL;
	if ((size_t)index->integer == count)
		return call_fail(call, "reflect: %s index out of range", text ? "string" : "slice");
	*ret = text ? value_of_int((unsigned char)item->text.data[index->integer])
		    : value_item(item, (size_t)index->integer);
	return 0;
}

/* A key that is not there gives the zero value of what the map holds. */
static int index_map(const struct call *call, const struct value *item, const struct value *index,
		     struct value *ret)
{
	if (index->kind == VALUE_NONE || index->kind == VALUE_NIL)
		return call_fail(call, "value is nil; should be of type string");
	if (index->kind != VALUE_STRING)
		return call_fail(call, "value has type %s; should be string",
				 value_type_name(index));
	if (!value_member(item, index->text, ret))
		*ret = value_of_json(NULL, item->type ? item->type->elem : NULL);
	return 0;
}

static int index_once(const struct call *call, const struct value *item, const struct value *index,
		      struct value *ret)
{
	switch (item->kind) {
	case VALUE_LIST:
	case VALUE_STRING:
		return index_sequence(call, item, index, ret);
	case VALUE_MAP:
		return index_map(call, item, index, ret);
	case VALUE_NONE:
	case VALUE_NIL:
		return call_fail(call, "index of nil pointer");
	default:
		return call_fail(call, "can't index item of type %s", value_type_name(item));
	}
}

static int call_index(const struct call *call)
{
	struct value item = call->args[0];

	if (item.kind == VALUE_NONE || (item.kind == VALUE_NIL && !item.type))
		return call_fail(call, "index of untyped nil");
	for (size_t i = 1; i < call->count; i++) {
		struct value inner;

		if (index_once(call, &item, &call->args[i], &inner) < 0)
			return -EINVAL;
		item = inner;
	}
	*call->ret = item;
	return 0;
}

static int slice_bounds(const struct call *call, size_t count, size_t bounds[3])
{
	bounds[0] = 0;
	bounds[1] = count;
	bounds[2] = count;
	for (size_t i = 1; i < call->count; i++) {
		if (check_index(call, &call->args[i], count) < 0)
			return -EINVAL;
		bounds[i - 1] = (size_t)call->args[i].integer;
	}
	for (size_t i = 1; i < 3 && i + 1 <= (call->count > 3 ? 3U : 2U); i++)
		if (bounds[i - 1] > bounds[i])
			return call_fail(call, "invalid slice index: %zu > %zu", bounds[i - 1],
					 bounds[i]);
	return 0;
}

static struct value slice_list(struct arena *arena, const struct value *list, const size_t *bounds)
{
	json_t *part = arena_keep(arena, json_array());
	struct value slice = *list;

	for (size_t i = bounds[0]; i < bounds[1]; i++)
		(void)json_array_append(part, json_array_get(list->json, i));
	slice.json = part;
	return slice;
}

static int call_slice(const struct call *call)
{
	const struct value *item = &call->args[0];
	bool text = item->kind == VALUE_STRING;
	size_t bounds[3];

	if (item->kind == VALUE_NONE || (item->kind == VALUE_NIL && !item->type))
		return call_fail(call, "slice of untyped nil");
	if (call->count > 4)
		return call_fail(call, "too many slice indexes: %zu", call->count - 1);
	if (text && call->count > 3)
		return call_fail(call, "cannot 3-index slice a string");
	if (!text && item->kind != VALUE_LIST)
		return call_fail(call, "can't slice item of type %s", value_type_name(item));
	if (slice_bounds(call, text ? item->text.len : value_count(item), bounds) < 0)
		return -EINVAL;
	if (text)
		*call->ret = value_of_text(
			(struct text){item->text.data + bounds[0], bounds[1] - bounds[0]});
	else
		*call->ret = slice_list(&call->run->arena, item, bounds);
	return 0;
}

/* No value here is a function that could be called. */
static int call_call(const struct call *call)
{
	const struct value *fn = &call->args[0];

	if (fn->kind == VALUE_NONE || fn->kind == VALUE_NIL)
		return call_fail(call, "call of nil");
	return call_fail(call, "non-function of type %s", value_type_name(fn));
}

/* ---- the table ---- */

static const struct function functions[] = {
	/* These two are evaluated where their arguments are (eval.c). */
	{"and", {PARAM_VALUE}, PARAM_VALUE, NULL},
	{"or", {PARAM_VALUE}, PARAM_VALUE, NULL},

	{"call", {PARAM_VALUE}, PARAM_VALUE, call_call},
	{"eq", {PARAM_VALUE}, PARAM_VALUE, call_eq},
	{"ge", {PARAM_VALUE, PARAM_VALUE}, PARAM_END, call_ge},
	{"gt", {PARAM_VALUE, PARAM_VALUE}, PARAM_END, call_gt},
	{"html", {PARAM_END}, PARAM_ANY, call_html},
	{"index", {PARAM_VALUE}, PARAM_VALUE, call_index},
	{"js", {PARAM_END}, PARAM_ANY, call_js},
	{"le", {PARAM_VALUE, PARAM_VALUE}, PARAM_END, call_le},
	{"len", {PARAM_VALUE}, PARAM_END, call_len},
	{"lt", {PARAM_VALUE, PARAM_VALUE}, PARAM_END, call_lt},
	{"ne", {PARAM_VALUE, PARAM_VALUE}, PARAM_END, call_ne},
	{"not", {PARAM_VALUE}, PARAM_END, call_not},
	{"print", {PARAM_END}, PARAM_ANY, call_print},
	{"printf", {PARAM_STRING}, PARAM_ANY, call_printf},
	{"println", {PARAM_END}, PARAM_ANY, call_println},
	{"slice", {PARAM_VALUE}, PARAM_VALUE, call_slice},
	{"urlquery", {PARAM_END}, PARAM_ANY, call_urlquery},
};

const struct function *function_find(struct text name, bool header)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (text_is(name, functions[i].name))
			return &functions[i];
	return function_find_docker(name, header);
}
