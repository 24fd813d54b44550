/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c - the value of operands, commands and pipelines */
#include <string.h>

#include "template/template_internal.h"

/* The operands of a command and what is piped into it: the arguments of its first word. */
struct operands {
	struct node *const *nodes; /* the first is the word itself */
	size_t count;
	const struct value *piped; /* NULL: nothing is */
};

static const struct operands no_operands = {0};

static int eval_argument(struct run *run, const struct value *dot, const struct node *node,
			 enum param param, struct value *ret);

/* ---- fields ---- */

static bool has_arguments(const struct operands *operands)
{
	return operands->count > 1 || operands->piped;
}

static int refuse_arguments(struct run *run, const struct operands *operands)
{
	auto_(strbuf_release) struct strbuf shown = {0};

	if (!has_arguments(operands) || operands->count == 0)
		return 0;
	node_format(operands->nodes[0], &shown);
	return run_fail(run, "can't give argument to non-function %s", strbuf_text(&shown));
}

/* Also in what is embedded; *ret_object is the JSON object that it is a member of. */
static const struct template_field *find_field(const struct template_type *type, struct text name)
{
	for (const struct template_field *f = type->fields; f && f->name; f++) {
		const struct template_field *inner;

		if (text_is(name, f->name))
			return f;
		inner = f->embedded ? find_field(f->type, name) : NULL;
		if (inner)
			return inner;
	}
	return NULL;
}

/* A method of the type takes one text. */
static int call_method(struct run *run, const struct value *dot, const struct template_field *field,
		       const struct operands *operands, struct value *ret)
{
	auto_free char *argument = NULL;
	struct value value = {.kind = VALUE_NONE};
	size_t given = (operands->count ? operands->count - 1 : 0) + (operands->piped ? 1 : 0);

	if (given != 1)
		return run_fail(run, "wrong number of args for %s: want 1 got %zu", field->name,
				given);
	if (operands->piped)
		value = *operands->piped;
	else if (eval_argument(run, dot, operands->nodes[1], PARAM_STRING, &value) < 0)
		return -EINVAL;
	if (value.kind != VALUE_STRING)
		return run_fail(run, "wrong type for value; expected string; got %s",
				value_type_name(&value));
	argument = strndup(value.text.len ? value.text.data : "", value.text.len);
	*ret = value_of_json(arena_keep(&run->arena, field->call(run->data->self, argument)),
			     field->type);
	return 0;
}

static int eval_struct_field(struct run *run, const struct value *dot, const struct value *receiver,
			     struct text name, const struct operands *operands, struct value *ret)
{
	const struct template_field *field = receiver->type ? find_field(receiver->type, name)
							    : NULL;

	if (!field)
		return run_fail(run, "can't evaluate field %.*s in type %s%s", (int)name.len,
				name.data, receiver->is_pointer ? "*" : "",
				value_type_name(receiver));
	if (field->call)
		return call_method(run, dot, field, operands, ret);
	if (has_arguments(operands))
		return run_fail(run, "%.*s has arguments but cannot be invoked as function",
				(int)name.len, name.data);
	*ret = value_of_json(field->embedded
				     ? receiver->json
				     : json_object_get(receiver->json,
						       field->key ? field->key : field->name),
			     field->type);
	return 0;
}

static int eval_key(struct run *run, const struct value *receiver, struct text name,
		    const struct operands *operands, struct value *ret)
{
	auto_(strbuf_release) struct strbuf quoted = {0};

	if (has_arguments(operands))
		return run_fail(run, "%.*s is not a method but has arguments", (int)name.len,
				name.data);
	if (value_member(receiver, name, ret) || !run->data->missing_is_error)
		return 0;
	quote_string(name, /* ascii= */ false, &quoted);
	return run_fail(run, "map has no entry for key %s", strbuf_text(&quoted));
}

static int eval_field(struct run *run, const struct value *dot, const struct value *receiver,
		      struct text name, const struct operands *operands, struct value *ret)
{
	*ret = (struct value){.kind = VALUE_NONE};
	switch (receiver->kind) {
	case VALUE_NONE:
		if (run->data->missing_is_error)
			return run_fail(run, "nil data; no entry for key \"%.*s\"", (int)name.len,
					name.data);
		return 0;
	case VALUE_NIL:
		return run_fail(run, "nil pointer evaluating %s.%.*s",
				value_static_type_name(receiver), (int)name.len, name.data);
	case VALUE_STRUCT:
		return eval_struct_field(run, dot, receiver, name, operands, ret);
	case VALUE_MAP:
		return eval_key(run, receiver, name, operands, ret);
	default:
		return run_fail(run, "can't evaluate field %.*s in type %s", (int)name.len,
				name.data, value_static_type_name(receiver));
	}
}

/* .A.B.C: the last one gets the arguments, if it is a method. */
static int eval_chain(struct run *run, const struct value *dot, const struct value *receiver,
		      const struct text *names, size_t count, const struct operands *operands,
		      struct value *ret)
{
	struct value value = *receiver;

	for (size_t i = 0; i < count; i++) {
		struct value inner;

		if (eval_field(run, dot, &value, names[i], i + 1 == count ? operands : &no_operands,
			       &inner) < 0)
			return -EINVAL;
		value = inner;
	}
	*ret = value;
	return 0;
}

/* ---- variables ---- */

void run_push_variable(struct run *run, struct text name, const struct value *value)
{
	if (run->variable_count == run->variable_capacity) {
		size_t capacity = run->variable_capacity ? run->variable_capacity * 2 : 16;
		struct variable *grown = arena_alloc(&run->arena, capacity * sizeof(*grown));

		if (run->variable_count)
			memcpy(grown, run->variables, run->variable_count * sizeof(*grown));
		run->variables = grown;
		run->variable_capacity = capacity;
	}
	run->variables[run->variable_count++] = (struct variable){name, *value};
}

static struct variable *find_variable(struct run *run, struct text name)
{
	for (size_t i = run->variable_count; i-- > 0;)
		if (text_equal(run->variables[i].name, name))
			return &run->variables[i];
	return NULL;
}

int run_set_variable(struct run *run, struct text name, const struct value *value)
{
	struct variable *variable = find_variable(run, name);

	if (!variable)
		return run_fail(run, "undefined variable: %.*s", (int)name.len, name.data);
	variable->value = *value;
	return 0;
}

static int eval_variable(struct run *run, const struct value *dot, const struct node *node,
			 const struct operands *operands, struct value *ret)
{
	const struct variable *variable = find_variable(run, node->names[0]);

	run->at = node;
	if (!variable)
		return run_fail(run, "undefined variable: %.*s", (int)node->names[0].len,
				node->names[0].data);
	*ret = variable->value;
	if (node->name_count == 1)
		return refuse_arguments(run, operands);
	return eval_chain(run, dot, &variable->value, node->names + 1, node->name_count - 1,
			  operands, ret);
}

/* ---- constants ---- */

static int eval_number(struct run *run, const struct node *node, struct value *ret)
{
	const struct number *number = &node->number;
	bool hex = node->text.len > 1 && (node->text.data[1] | 0x20) == 'x';
	bool real = false;

	run->at = node;
	for (size_t i = 0; i < node->text.len && !hex && !node->is_character; i++)
		real = real || strchr(".eEpP", node->text.data[i]);
	if (number->overflows)
		return run_fail(run, "%.*s overflows int", (int)node->text.len, node->text.data);
	*ret = real ? (struct value){.kind = VALUE_FLOAT, .real = number->real}
		    : value_of_int(number->integer);
	return 0;
}

static int eval_constant(struct run *run, const struct value *dot, const struct node *node,
			 struct value *ret)
{
	switch (node->type) {
	case NODE_BOOL:
		*ret = value_of_bool(node->truth);
		return 0;
	case NODE_DOT:
		*ret = *dot;
		return 0;
	case NODE_STRING:
		*ret = value_of_text(node->value);
		return 0;
	case NODE_NUMBER:
		return eval_number(run, node, ret);
	default:
		return run_fail(run, "nil is not a command");
	}
}

/* ---- arguments ---- */

static const char *param_name(enum param param)
{
	return param == PARAM_STRING ? "string" : param == PARAM_INT ? "int" : "interface {}";
}

/* Go's assignability, for the types that functions have here. */
static int check_type(struct run *run, enum param param, const struct value *value)
{
	enum value_kind wanted = param == PARAM_STRING ? VALUE_STRING : VALUE_INT;

	if (param == PARAM_ANY || param == PARAM_VALUE || value->kind == wanted)
		return 0;
	if (value->kind == VALUE_NONE)
		return run_fail(run, "invalid value; expected %s", param_name(param));
	if (value->kind == VALUE_NIL && value->type && value->type->elem &&
	    value->type->elem->kind == (param == PARAM_STRING ? TEMPLATE_STRING : TEMPLATE_INT))
		return run_fail(run, "dereference of nil pointer of type %s", param_name(param));
	return run_fail(run, "wrong type for value; expected %s; got %s", param_name(param),
			value->kind == VALUE_NIL ? value_static_type_name(value)
						 : value_type_name(value));
}

static int refuse_literal(struct run *run, const char *expected, const struct node *node)
{
	auto_(strbuf_release) struct strbuf shown = {0};

	node_format(node, &shown);
	return run_fail(run, "expected %s; found %s", expected, strbuf_text(&shown));
}

/* A constant that is typed as an argument takes the parameter's type. */
static int eval_literal(struct run *run, const struct value *dot, const struct node *node,
			enum param param, struct value *ret)
{
	if (param == PARAM_STRING && node->type != NODE_STRING)
		return refuse_literal(run, "string", node);
	if (param == PARAM_INT) {
		if (node->type != NODE_NUMBER || !node->number.is_integer)
			return refuse_literal(run, "integer", node);
		*ret = value_of_int(node->number.integer);
		return 0;
	}
	return eval_constant(run, dot, node, ret);
}

static int eval_function(struct run *run, const struct value *dot, const struct node *word,
			 const struct node *whole, const struct operands *operands,
			 struct value *ret);

/* (pipeline).Field: `node` is the chain. */
static int eval_inner_chain(struct run *run, const struct value *dot, const struct node *node,
			    const struct operands *operands, struct value *ret)
{
	struct value inner;

	run->at = node;
	if (eval_argument(run, dot, node->inner, PARAM_VALUE, &inner) < 0)
		return -EINVAL;
	return eval_chain(run, dot, &inner, node->names, node->name_count, operands, ret);
}

static int eval_operand(struct run *run, const struct value *dot, const struct node *node,
			struct value *ret)
{
	switch (node->type) {
	case NODE_DOT:
		*ret = *dot;
		return 0;
	case NODE_FIELD:
		return eval_chain(run, dot, dot, node->names, node->name_count, &no_operands, ret);
	case NODE_VARIABLE:
		return eval_variable(run, dot, node, &no_operands, ret);
	case NODE_PIPE:
		return eval_pipe(run, dot, node, ret);
	case NODE_IDENTIFIER:
		return eval_function(run, dot, node, node, &no_operands, ret);
	default:
		return eval_inner_chain(run, dot, node, &no_operands, ret);
	}
}

static int eval_argument(struct run *run, const struct value *dot, const struct node *node,
			 enum param param, struct value *ret)
{
	run->at = node;
	*ret = (struct value){.kind = VALUE_NONE};
	switch (node->type) {
	case NODE_NIL:
		if (param == PARAM_STRING || param == PARAM_INT)
			return run_fail(run, "cannot assign nil to %s", param_name(param));
		*ret = (struct value){.kind = param == PARAM_VALUE ? VALUE_NONE : VALUE_NIL};
		return 0;
	case NODE_BOOL:
	case NODE_NUMBER:
	case NODE_STRING:
		return eval_literal(run, dot, node, param, ret);
	default:
		if (eval_operand(run, dot, node, ret) < 0)
			return -EINVAL;
		return check_type(run, param, ret);
	}
}

/* ---- functions ---- */

static size_t fixed_count(const struct function *f)
{
	size_t count = 0;

	while (count < FUNCTION_MAX_PARAMS && f->params[count])
		count++;
	return count;
}

static int check_count(struct run *run, const struct function *f, size_t given, size_t typed)
{
	size_t fixed = fixed_count(f);

	if (f->rest && given < fixed)
		return run_fail(run, "wrong number of args for %s: want at least %zu got %zu",
				f->name, fixed, typed);
	if (!f->rest && given != fixed)
		return run_fail(run, "wrong number of args for %s: want %zu got %zu", f->name,
				fixed, given);
	return 0;
}

static enum param param_at(const struct function *f, size_t index)
{
	return index < fixed_count(f) ? f->params[index] : f->rest;
}

/* `and` and `or` look at no more arguments than they need. */
static int eval_logic(struct run *run, const struct value *dot, bool until,
		      const struct operands *operands, struct value *ret)
{
	for (size_t i = 1; i < operands->count; i++) {
		if (eval_argument(run, dot, operands->nodes[i], PARAM_VALUE, ret) < 0)
			return -EINVAL;
		if (value_is_true(ret) == until)
			return 0;
	}
	if (operands->piped)
		*ret = *operands->piped;
	return 0;
}

static int call_function(struct run *run, const struct function *f, const struct node *whole,
			 const struct value *args, size_t count, struct value *ret)
{
	auto_(strbuf_release) struct strbuf why = {0};
	const struct call call = {run, args, count, ret, &why};

	*ret = (struct value){.kind = VALUE_NONE};
	if (f->call(&call) >= 0)
		return run_step(run);
	run->at = whole;
	return run_fail(run, "error calling %s: %s", f->name, strbuf_text(&why));
}

/* `whole` is what a failure of the function itself names: the command. */
static int eval_function(struct run *run, const struct value *dot, const struct node *word,
			 const struct node *whole, const struct operands *operands,
			 struct value *ret)
{
	const struct function *f = function_find(word->text, run->data->header);
	size_t typed = operands->count ? operands->count - 1 : 0;
	size_t count = typed + (operands->piped ? 1 : 0);
	struct value *args;

	run->at = word;
	if (!f) /* the parser has looked */
		return run_fail(run, "\"%.*s\" is not a defined function", (int)word->text.len,
				word->text.data);
	if (check_count(run, f, count, typed) < 0)
		return -EINVAL;
	if (!f->call)
		return eval_logic(run, dot, strcmp(f->name, "or") == 0, operands, ret);
	args = arena_alloc(&run->arena, count * sizeof(*args));
	for (size_t i = 0; i < typed; i++)
		if (eval_argument(run, dot, operands->nodes[i + 1], param_at(f, i), &args[i]) < 0)
			return -EINVAL;
	if (operands->piped) {
		args[typed] = *operands->piped;
		if (check_type(run, param_at(f, typed), &args[typed]) < 0)
			return -EINVAL;
	}
	return call_function(run, f, whole, args, count, ret);
}

/* ---- commands and pipelines ---- */

static int eval_command(struct run *run, const struct value *dot, const struct node *command,
			const struct value *piped, struct value *ret)
{
	const struct operands operands = {command->items, command->count, piped};
	const struct node *word = command->items[0];

	if (word->type != NODE_PIPE)
		run->at = word;
	switch (word->type) {
	case NODE_FIELD:
		return eval_chain(run, dot, dot, word->names, word->name_count, &operands, ret);
	case NODE_CHAIN:
		return eval_inner_chain(run, dot, word, &operands, ret);
	case NODE_IDENTIFIER:
		return eval_function(run, dot, word, command, &operands, ret);
	case NODE_PIPE:
		if (refuse_arguments(run, &operands) < 0)
			return -EINVAL;
		return eval_pipe(run, dot, word, ret);
	case NODE_VARIABLE:
		return eval_variable(run, dot, word, &operands, ret);
	default:
		if (refuse_arguments(run, &operands) < 0)
			return -EINVAL;
		return eval_constant(run, dot, word, ret);
	}
}

/* What lay in an interface {} is looked at as what it is; its nil is no value. */
static void unbox(struct value *value)
{
	value->boxed = false;
	if (value->kind == VALUE_NIL && !value->type)
		value->kind = VALUE_NONE;
}

int eval_pipe(struct run *run, const struct value *dot, const struct node *pipe, struct value *ret)
{
	struct value value = {.kind = VALUE_NONE};

	*ret = value;
	if (!pipe)
		return 0;
	run->at = pipe;
	for (size_t i = 0; i < pipe->count; i++) {
		struct value piped = value;

		if (run_step(run) < 0 ||
		    eval_command(run, dot, pipe->items[i], i > 0 ? &piped : NULL, &value) < 0)
			return -EINVAL;
		unbox(&value);
	}
	for (size_t i = 0; i < pipe->declared_count; i++) {
		struct text name = pipe->declared[i]->names[0];

		if (!pipe->is_assignment)
			run_push_variable(run, name, &value);
		else if (run_set_variable(run, name, &value) < 0)
			return -EINVAL;
	}
	*ret = value;
	return 0;
}
