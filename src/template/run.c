/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - actions: from nodes and data to text */
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

#define STEPS_MAX 10000000 /* of one run: pipelines, calls and turns of a range */

/* How a list of actions ended. Failures are negative. */
enum walk_end {
	WALK_DONE,
	WALK_BREAK,
	WALK_CONTINUE,
};

static int walk(struct run *run, const struct value *dot, const struct node *list);

/* ---- what goes wrong ---- */

/* ":1:2", and what stands there. */
static void format_place(const struct run *run, struct strbuf *ret)
{
	const char *source = run->t->source.data;
	size_t line = 1, column = 0;

	for (size_t i = 0; i < run->at->pos; i++) {
		column = source[i] == '\n' ? 0 : column + 1;
		line += source[i] == '\n';
	}
	strbuf_addf(ret, "template: :%zu:%zu: executing ", line, column);
	quote_string(run->template_name, /* ascii= */ false, ret);
	strbuf_adds(ret, " at <");
	node_format(run->at, ret);
	strbuf_adds(ret, ">");
}

int run_fail(struct run *run, const char *fmt, ...)
{
	auto_(strbuf_release) struct strbuf place = {0};
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	format_place(run, &place);
	(void)err_set(run->err, ERR_INVALID, 0, "%s: %s", strbuf_text(&place), message);
	return -EINVAL;
}

int run_step(struct run *run)
{
	if (++run->steps > STEPS_MAX)
		return run_fail(run, "more than %d steps", STEPS_MAX);
	if (run->arena.full || run->out->len > run->out_limit)
		return run_fail(run, "more than %zu bytes", TEMPLATE_MAX_OUTPUT_BYTES);
	return 0;
}

/* ---- actions ---- */

static int walk_action(struct run *run, const struct value *dot, const struct node *action)
{
	struct value value;

	if (eval_pipe(run, dot, action->pipe, &value) < 0)
		return -EINVAL;
	if (action->pipe->declared_count == 0)
		value_print(&run->arena, &value, run->out);
	return WALK_DONE;
}

static int walk_branches(struct run *run, const struct value *dot, const struct node *node)
{
	size_t known = run->variable_count;
	struct value value;
	int r = WALK_DONE;

	if (eval_pipe(run, dot, node->pipe, &value) < 0)
		return -EINVAL;
	if (value_is_true(&value))
		r = walk(run, node->type == NODE_WITH ? &value : dot, node->list);
	else if (node->else_list)
		r = walk(run, dot, node->else_list);
	run->variable_count = known;
	return r;
}

/* A template sees no variables but its own "$". */
static int walk_template(struct run *run, const struct value *dot, const struct node *node)
{
	const struct definition *d = run->t->definitions;
	size_t known = run->variable_count;
	struct text outer = run->template_name;
	struct value value;
	int r;

	while (d && !text_equal(d->name, node->text))
		d = d->next;
	if (!d)
		return run_fail(run, "template \"%.*s\" not defined", (int)node->text.len,
				node->text.data);
	if (run->levels >= TEMPLATE_MAX_LEVELS)
		return run_fail(run, "exceeded maximum template depth (%d)", TEMPLATE_MAX_LEVELS);
	if (eval_pipe(run, dot, node->pipe, &value) < 0)
		return -EINVAL;
	run->levels++;
	run->template_name = node->text;
	run_push_variable(run, TEXT("$"), &value);
	r = walk(run, &value, d->list);
	run->variable_count = known;
	run->template_name = outer;
	run->levels--;
	return r;
}

/* ---- range ---- */

struct turn {
	const struct node *node;
	size_t known; /* variables, with those of the range itself */
	size_t count; /* turns taken */
	bool broken;
};

static void set_turn_variables(struct run *run, const struct node *pipe, const struct value *index,
			       const struct value *item)
{
	size_t declared = pipe->declared_count;

	if (declared == 0)
		return;
	if (pipe->is_assignment) {
		(void)run_set_variable(run, pipe->declared[declared - 1]->names[0], item);
		if (declared > 1)
			(void)run_set_variable(run, pipe->declared[0]->names[0], index);
		return;
	}
	run->variables[run->variable_count - 1].value = *item;
	if (declared > 1)
		run->variables[run->variable_count - 2].value = *index;
}

static int take_turn(struct run *run, struct turn *turn, const struct value *index,
		     const struct value *item)
{
	int r;

	turn->count++;
	set_turn_variables(run, turn->node->pipe, index, item);
	r = run_step(run) < 0 ? -EINVAL : walk(run, item, turn->node->list);
	run->variable_count = turn->known;
	turn->broken = r == WALK_BREAK;
	return r < 0 ? r : 0;
}

static int range_list(struct run *run, struct turn *turn, const struct value *list)
{
	size_t count = value_count(list);
	int r = 0;

	for (size_t i = 0; i < count && r >= 0 && !turn->broken; i++) {
		struct value index = value_of_int((int64_t)i);
		struct value item = value_item(list, i);

		r = take_turn(run, turn, &index, &item);
	}
	return r;
}

static int range_map(struct run *run, struct turn *turn, const struct value *map)
{
	size_t count;
	const struct text *keys = sorted_keys(&run->arena, map->json, &count);
	int r = 0;

	for (size_t i = 0; i < count && r >= 0 && !turn->broken; i++) {
		struct value key = value_of_text(keys[i]), member;

		(void)value_member(map, keys[i], &member);
		r = take_turn(run, turn, &key, &member);
	}
	return r;
}

static int range_integer(struct run *run, struct turn *turn, int64_t end)
{
	int r = 0;

	if (turn->node->pipe->declared_count > 1)
		return run_fail(run, "can't use %lld to iterate over more than one variable",
				(long long)end);
	for (int64_t i = 0; i < end && r >= 0 && !turn->broken; i++) {
		struct value value = value_of_int(i);

		r = take_turn(run, turn, &value, &value);
	}
	return r;
}

static int range_over(struct run *run, struct turn *turn, const struct value *value)
{
	auto_(strbuf_release) struct strbuf shown = {0};

	switch (value->kind) {
	case VALUE_NONE:
		return 0;
	case VALUE_LIST:
		return range_list(run, turn, value);
	case VALUE_MAP:
		return range_map(run, turn, value);
	case VALUE_INT:
		return range_integer(run, turn, value->integer);
	default:
		value_print(&run->arena, value, &shown);
		return run_fail(run, "range can't iterate over %s", strbuf_text(&shown));
	}
}

static int walk_range(struct run *run, const struct value *dot, const struct node *node)
{
	size_t known = run->variable_count;
	struct turn turn = {.node = node};
	struct value value;
	int r;

	if (eval_pipe(run, dot, node->pipe, &value) < 0)
		return -EINVAL;
	turn.known = run->variable_count;
	r = range_over(run, &turn, &value);
	if (r >= 0 && turn.count == 0 && node->else_list)
		r = walk(run, dot, node->else_list);
	run->variable_count = known;
	return r;
}

/* ---- lists of actions ---- */

static int walk_one(struct run *run, const struct value *dot, const struct node *node)
{
	run->at = node;
	switch (node->type) {
	case NODE_TEXT:
		strbuf_add(run->out, node->text.data, node->text.len);
		return WALK_DONE;
	case NODE_ACTION:
		return walk_action(run, dot, node);
	case NODE_IF:
	case NODE_WITH:
		return walk_branches(run, dot, node);
	case NODE_RANGE:
		return walk_range(run, dot, node);
	case NODE_TEMPLATE:
		return walk_template(run, dot, node);
	case NODE_BREAK:
		return WALK_BREAK;
	case NODE_CONTINUE:
		return WALK_CONTINUE;
	default:
		return run_fail(run, "unknown node");
	}
}

static int walk(struct run *run, const struct value *dot, const struct node *list)
{
	int r = WALK_DONE;

	for (size_t i = 0; i < list->count && r == WALK_DONE; i++)
		r = walk_one(run, dot, list->items[i]);
	return r;
}

int template_run(const struct template *t, const struct template_data *data,
		 struct strbuf *ret_text, struct error *err)
{
	const size_t before = ret_text->len;
	auto_(arena_release) struct arena arena = {0};
	struct run run = {
		.t = t,
		.data = data,
		.arena = {.limit = TEMPLATE_MAX_OUTPUT_BYTES},
		.out = ret_text,
		.out_limit = before + TEMPLATE_MAX_OUTPUT_BYTES,
		.at = t->list,
		.err = err,
	};
	struct value dot = value_of_json(data->value, data->type);
	int r;

	dot.boxed = false;
	if (dot.kind == VALUE_NIL && !dot.type)
		dot.kind = VALUE_NONE;
	run_push_variable(&run, TEXT("$"), &dot);
	r = walk(&run, &dot, t->list);
	if (r >= 0)
		r = run_step(&run);
	arena = run.arena;
	if (r >= 0 || data->header)
		return r < 0 ? r : 0;
	ret_text->len = before;
	if (ret_text->data)
		ret_text->data[before] = '\0';
	return -EINVAL;
}
