/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - eq, ne, lt, le, gt, ge */
#include <string.h>

#include "template/template_internal.h"

static bool is_basic(const struct value *value)
{
	return value->kind == VALUE_BOOL || value->kind == VALUE_INT ||
	       value->kind == VALUE_FLOAT || value->kind == VALUE_STRING;
}

static bool is_nothing(const struct value *value)
{
	return value->kind == VALUE_NONE || value->kind == VALUE_NIL;
}

static bool is_nil(const struct value *value)
{
	return is_nothing(value) ||
	       ((value->kind == VALUE_LIST || value->kind == VALUE_MAP) && !value->json);
}

static int refuse_compound(const struct call *call, const struct value *value)
{
	auto_(strbuf_release) struct strbuf shown = {0};

	value_print(&call->run->arena, value, &shown);
	return call_fail(call, "non-comparable type %s: %s", strbuf_text(&shown),
			 value_type_name(value));
}

static int compare_texts(struct text a, struct text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.data, b.data, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Of two values of the same basic kind; bools have no order, but are equal or not. */
static int order_of(const struct value *a, const struct value *b)
{
	switch (a->kind) {
	case VALUE_BOOL:
		return (int)a->truth - (int)b->truth;
	case VALUE_INT:
		return (a->integer > b->integer) - (a->integer < b->integer);
	case VALUE_FLOAT:
		return (a->real > b->real) - (a->real < b->real);
	default:
		return compare_texts(a->text, b->text);
	}
}

static int equal(const struct call *call, const struct value *a, const struct value *b,
		 bool *ret_equal)
{
	if (is_basic(a) && is_basic(b)) {
		if (a->kind != b->kind)
			return call_fail(call, "incompatible types for comparison");
		*ret_equal = order_of(a, b) == 0;
		return 0;
	}
	if (is_nothing(a) || is_nothing(b)) {
		*ret_equal = is_nil(a) && is_nil(b);
		return 0;
	}
	if (is_basic(a) != is_basic(b))
		return call_fail(call, "incompatible types for comparison");
	return refuse_compound(call, is_basic(a) ? b : a);
}

int call_eq(const struct call *call)
{
	bool same = false;

	if (call->count < 2)
		return call_fail(call, "missing argument for comparison");
	for (size_t i = 1; i < call->count && !same; i++)
		if (equal(call, &call->args[0], &call->args[i], &same) < 0)
			return -EINVAL;
	*call->ret = value_of_bool(same);
	return 0;
}

int call_ne(const struct call *call)
{
	bool same = false;

	if (equal(call, &call->args[0], &call->args[1], &same) < 0)
		return -EINVAL;
	*call->ret = value_of_bool(!same);
	return 0;
}

static int order(const struct call *call, int *ret_order)
{
	const struct value *a = &call->args[0], *b = &call->args[1];

	if (!is_basic(a) || !is_basic(b))
		return call_fail(call, "invalid type for comparison");
	if (a->kind != b->kind)
		return call_fail(call, "incompatible types for comparison");
	if (a->kind == VALUE_BOOL)
		return call_fail(call, "invalid type for comparison");
	*ret_order = order_of(a, b);
	return 0;
}

static int compare(const struct call *call, bool less, bool same, bool greater)
{
	int found = 0;

	if (order(call, &found) < 0)
		return -EINVAL;
	*call->ret = value_of_bool(found < 0 ? less : found == 0 ? same : greater);
	return 0;
}

int call_lt(const struct call *call)
{
	return compare(call, true, false, false);
}

int call_le(const struct call *call)
{
	return compare(call, true, true, false);
}

int call_gt(const struct call *call)
{
	return compare(call, false, false, true);
}

int call_ge(const struct call *call)
{
	return compare(call, false, true, true);
}
