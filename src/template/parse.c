/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

#define VARIABLES_MAX 1000

struct parser {
	struct template *t;
	struct arena *arena;
	struct tokens tokens;
	size_t next;
	size_t action_line; /* 0: outside an action */
	size_t range_depth;
	unsigned int levels;
	struct text variables[VARIABLES_MAX]; /* that are known here; the first is "$" */
	size_t variable_count;
	struct error *err;
};

/* ---- tokens ---- */

static const struct token *peek(const struct parser *p)
{
	return &p->tokens.items[p->next];
}

static const struct token *next(struct parser *p)
{
	const struct token *token = peek(p);

	if (p->next + 1 < p->tokens.count)
		p->next++;
	return token;
}

static const struct token *peek_past_space(struct parser *p)
{
	while (peek(p)->type == TOKEN_SPACE)
		(void)next(p);
	return peek(p);
}

static const struct token *next_past_space(struct parser *p)
{
	(void)peek_past_space(p);
	return next(p);
}

/* ---- what is wrong ---- */

static void *fail_at(struct parser *p, size_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void *fail_at(struct parser *p, size_t line, const char *fmt, ...)
{
	auto_free char *message = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	(void)err_set(p->err, ERR_INVALID, 0, "template: :%zu: %s", line, message);
	return NULL;
}

/* Where the parser is: the token that was looked at last. */
#define fail(p, ...) fail_at((p), peek(p)->line, __VA_ARGS__)

/* As Go prints a token: `EOF`, <if>, "text"… */
static void format_token(const struct token *token, struct strbuf *ret)
{
	const size_t shown = 10; /* characters */
	size_t len = 0, size;

	if (token->type == TOKEN_END) {
		strbuf_adds(ret, "EOF");
	} else if (token->type >= TOKEN_NIL || token->type == TOKEN_DOT) {
		strbuf_addf(ret, "<%.*s>", (int)token->text.len, token->text.data);
	} else if (token->text.len > shown) {
		for (size_t i = 0; i < shown && len < token->text.len; i++, len += size)
			(void)utf8_decode(token->text.data + len, token->text.len - len, &size);
		quote_string((struct text){token->text.data, len}, false, ret);
		strbuf_adds(ret, "...");
	} else {
		quote_string(token->text, false, ret);
	}
}

static void *unexpected(struct parser *p, const struct token *token, const char *context)
{
	auto_(strbuf_release) struct strbuf shown = {0};
	static const char action[] = " action";

	if (token->type != TOKEN_ERROR) {
		format_token(token, &shown);
		return fail_at(p, token->line, "unexpected %s in %s", strbuf_text(&shown), context);
	}
	strbuf_add(&shown, token->text.data, token->text.len);
	if (p->action_line && p->action_line != token->line) {
		bool said = shown.len >= strlen(action) &&
			    strcmp(shown.data + shown.len - strlen(action), action) == 0;

		strbuf_addf(&shown, "%s started at :%zu", said ? "" : " in action", p->action_line);
	}
	return fail_at(p, token->line, "%s", strbuf_text(&shown));
}

static bool enter(struct parser *p)
{
	if (++p->levels <= TEMPLATE_MAX_LEVELS)
		return true;
	(void)fail(p, "nested deeper than %d levels", TEMPLATE_MAX_LEVELS);
	return false;
}

static void leave(struct parser *p)
{
	p->levels--;
}

/* ---- nodes ---- */

static struct node *new_node(struct parser *p, enum node_type type, const struct token *token)
{
	struct node *node = arena_alloc(p->arena, sizeof(*node));

	node->type = type;
	node->pos = token->pos;
	node->text = token->text;
	return node;
}

/* Lists grow by doubling when their count is a power of two. */
static void *grow(struct parser *p, void *items, size_t count, size_t size)
{
	void *larger;

	if (count & (count - 1))
		return items;
	larger = arena_alloc(p->arena, (count ? count * 2 : 1) * size);
	if (count)
		memcpy(larger, items, count * size);
	return larger;
}

static void add_item(struct parser *p, struct node *node, struct node *item)
{
	node->items = grow(p, node->items, node->count, sizeof(struct node *));
	node->items[node->count++] = item;
}

static void add_name(struct parser *p, struct node *node, struct text name)
{
	node->names = grow(p, node->names, node->name_count, sizeof(*node->names));
	node->names[node->name_count++] = name;
}

static void add_declared(struct parser *p, struct node *pipe, struct node *variable)
{
	pipe->declared = grow(p, pipe->declared, pipe->declared_count, sizeof(struct node *));
	pipe->declared[pipe->declared_count++] = variable;
}

static struct text without_dot(struct text field)
{
	return (struct text){field.data + 1, field.len - 1};
}

/* ---- operands ---- */

static struct node *parse_pipe(struct parser *p, const char *context, enum token_type end);

static struct node *new_variable(struct parser *p, const struct token *token)
{
	struct node *node = new_node(p, NODE_VARIABLE, token);

	add_name(p, node, token->text);
	return node;
}

static struct node *use_variable(struct parser *p, const struct token *token)
{
	for (size_t i = 0; i < p->variable_count; i++)
		if (text_equal(p->variables[i], token->text))
			return new_variable(p, token);
	return fail_at(p, token->line, "undefined variable \"%.*s\"", (int)token->text.len,
		       token->text.data);
}

static struct node *parse_identifier(struct parser *p, const struct token *token)
{
	if (!function_find(token->text, /* header= */ false))
		return fail_at(p, token->line, "function \"%.*s\" not defined",
			       (int)token->text.len, token->text.data);
	return new_node(p, NODE_IDENTIFIER, token);
}

static struct node *parse_field(struct parser *p, const struct token *token)
{
	struct node *node = new_node(p, NODE_FIELD, token);

	add_name(p, node, without_dot(token->text));
	return node;
}

static struct node *parse_number(struct parser *p, const struct token *token)
{
	struct node *node = new_node(p, NODE_NUMBER, token);
	uint32_t character;

	if (token->type == TOKEN_CHARACTER) {
		int r = unquote_character(token->text, &character);

		if (r == -EINVAL)
			return fail_at(p, token->line, "invalid syntax");
		if (r < 0)
			return fail_at(p, token->line, "malformed character constant: %.*s",
				       (int)token->text.len, token->text.data);
		node->is_character = true;
		node->number = (struct number){
			.is_integer = true, .integer = character, .real = character};
		return node;
	}
	if (!number_parse(token->text, &node->number))
		return fail_at(p, token->line, "bad number syntax: \"%.*s\"", (int)token->text.len,
			       token->text.data);
	if (node->number.too_large)
		return fail_at(p, token->line, "integer overflow: \"%.*s\"", (int)token->text.len,
			       token->text.data);
	return node;
}

static struct node *parse_string(struct parser *p, const struct token *token)
{
	struct node *node = new_node(p, NODE_STRING, token);

	if (!unquote_string(p->arena, token->text, &node->value))
		return fail_at(p, token->line, "invalid syntax");
	return node;
}

/* *ret_node NULL: the next token is no operand, and is still there. */
static int parse_term(struct parser *p, struct node **ret_node)
{
	const struct token *token = peek_past_space(p);
	size_t here = p->next;

	(void)next(p);
	switch (token->type) {
	case TOKEN_IDENTIFIER:
		*ret_node = parse_identifier(p, token);
		break;
	case TOKEN_DOT:
		*ret_node = new_node(p, NODE_DOT, token);
		break;
	case TOKEN_NIL:
		*ret_node = new_node(p, NODE_NIL, token);
		break;
	case TOKEN_VARIABLE:
		*ret_node = use_variable(p, token);
		break;
	case TOKEN_FIELD:
		*ret_node = parse_field(p, token);
		break;
	case TOKEN_BOOL:
		*ret_node = new_node(p, NODE_BOOL, token);
		(*ret_node)->truth = text_is(token->text, "true");
		break;
	case TOKEN_CHARACTER:
	case TOKEN_NUMBER:
		*ret_node = parse_number(p, token);
		break;
	case TOKEN_LEFT_PAREN:
		*ret_node = parse_pipe(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
		break;
	case TOKEN_STRING:
		*ret_node = parse_string(p, token);
		break;
	default:
		p->next = here;
		*ret_node = NULL;
		return 0;
	}
	return *ret_node ? 0 : -EINVAL;
}

/* The fields that follow an operand without a space. */
static struct node *parse_chain(struct parser *p, struct node *node)
{
	struct node *chain = node;
	size_t pos = peek(p)->pos;

	switch (node->type) {
	case NODE_BOOL:
	case NODE_STRING:
	case NODE_NUMBER:
	case NODE_NIL:
	case NODE_DOT: {
		auto_(strbuf_release) struct strbuf shown = {0}, quoted = {0};

		node_format(node, &shown);
		quote_string(text_of(strbuf_text(&shown)), false, &quoted);
		return fail(p, "unexpected . after term %s", strbuf_text(&quoted));
	}
	case NODE_FIELD:
	case NODE_VARIABLE:
		break;
	default:
		chain = new_node(p, NODE_CHAIN, peek(p));
		chain->inner = node;
		break;
	}
	chain->pos = pos;
	while (peek(p)->type == TOKEN_FIELD)
		add_name(p, chain, without_dot(next(p)->text));
	return chain;
}

static int parse_operand(struct parser *p, struct node **ret_node)
{
	if (parse_term(p, ret_node) < 0)
		return -EINVAL;
	if (*ret_node && peek(p)->type == TOKEN_FIELD) {
		*ret_node = parse_chain(p, *ret_node);
		return *ret_node ? 0 : -EINVAL;
	}
	return 0;
}

/* ---- pipelines ---- */

static struct node *parse_command(struct parser *p)
{
	struct node *command = new_node(p, NODE_COMMAND, peek_past_space(p));

	for (;;) {
		const struct token *token;
		struct node *operand;

		if (parse_operand(p, &operand) < 0)
			return NULL;
		if (operand)
			add_item(p, command, operand);
		token = peek(p);
		if (token->type == TOKEN_CLOSE || token->type == TOKEN_RIGHT_PAREN)
			break;
		if (token->type != TOKEN_SPACE && token->type != TOKEN_PIPE)
			return unexpected(p, token, "operand");
		(void)next(p);
		if (token->type == TOKEN_PIPE)
			break;
	}
	if (command->count == 0)
		return fail(p, "empty command");
	return command;
}

static int know_variable(struct parser *p, struct text name)
{
	if (p->variable_count == VARIABLES_MAX) {
		(void)fail(p, "more than %d variables", VARIABLES_MAX);
		return -EINVAL;
	}
	p->variables[p->variable_count++] = name;
	return 0;
}

/* "$x :=", "$x =", and in a range "$i, $x :=". Nothing when it is not a declaration after all. */
static int parse_declarations(struct parser *p, const char *context, struct node *pipe)
{
	while (peek_past_space(p)->type == TOKEN_VARIABLE) {
		size_t here = p->next;
		const struct token *variable = next(p), *token = peek_past_space(p);

		if (token->type != TOKEN_ASSIGN && token->type != TOKEN_DECLARE &&
		    token->type != TOKEN_COMMA) {
			p->next = here;
			return 0;
		}
		(void)next(p);
		add_declared(p, pipe, new_variable(p, variable));
		if (know_variable(p, variable->text) < 0)
			return -EINVAL;
		pipe->is_assignment = token->type == TOKEN_ASSIGN;
		if (token->type != TOKEN_COMMA)
			return 0;
		if (strcmp(context, "range") != 0 || pipe->declared_count >= 2) {
			(void)fail(p, "too many declarations in %s", context);
			return -EINVAL;
		}
		token = peek_past_space(p);
		if (token->type != TOKEN_VARIABLE && token->type != TOKEN_CLOSE &&
		    token->type != TOKEN_RIGHT_PAREN) {
			(void)fail(p, "range can only initialize variables");
			return -EINVAL;
		}
	}
	return 0;
}

static bool begins_operand(enum token_type type)
{
	return type == TOKEN_BOOL || type == TOKEN_CHARACTER || type == TOKEN_DOT ||
	       type == TOKEN_FIELD || type == TOKEN_IDENTIFIER || type == TOKEN_NUMBER ||
	       type == TOKEN_NIL || type == TOKEN_STRING || type == TOKEN_VARIABLE ||
	       type == TOKEN_LEFT_PAREN;
}

/* Only a function or a method can take what comes through a pipe. */
static struct node *check_pipe(struct parser *p, struct node *pipe, const char *context)
{
	if (pipe->count == 0)
		return fail(p, "missing value for %s", context);
	for (size_t i = 1; i < pipe->count; i++) {
		switch (pipe->items[i]->items[0]->type) {
		case NODE_BOOL:
		case NODE_DOT:
		case NODE_NIL:
		case NODE_NUMBER:
		case NODE_STRING:
			return fail(p, "non executable command in pipeline stage %zu", i + 1);
		default:
			break;
		}
	}
	return pipe;
}

static struct node *parse_commands(struct parser *p, struct node *pipe, const char *context,
				   enum token_type end)
{
	for (;;) {
		const struct token *token = peek_past_space(p);
		struct node *command;

		if (token->type == end) {
			struct node *checked = check_pipe(p, pipe, context);

			(void)next(p);
			return checked;
		}
		if (!begins_operand(token->type))
			return unexpected(p, token, context);
		command = parse_command(p);
		if (!command)
			return NULL;
		add_item(p, pipe, command);
	}
}

static struct node *parse_pipe(struct parser *p, const char *context, enum token_type end)
{
	struct node *pipe = new_node(p, NODE_PIPE, peek_past_space(p));

	if (!enter(p) || parse_declarations(p, context, pipe) < 0)
		return NULL;
	pipe = parse_commands(p, pipe, context, end);
	leave(p);
	return pipe;
}

/* ---- actions ---- */

/* Ends at {{end}} or {{else}}, which is *ret_end; at the end of the template it is an error. */
static struct node *parse_list(struct parser *p, struct node **ret_end);

static int expect_close(struct parser *p, const char *context)
{
	const struct token *token = next_past_space(p);

	if (token->type == TOKEN_CLOSE)
		return 0;
	(void)unexpected(p, token, context);
	return -EINVAL;
}

static struct node *parse_control(struct parser *p, enum node_type type, const char *context,
				  const struct token *keyword);

/* After {{else: an {{else if}} is an {{if}} of its own, which takes the {{end}}. */
static int parse_else(struct parser *p, struct node *control, const char *context)
{
	const struct token *token = peek(p);
	bool again = (control->type == NODE_IF && token->type == TOKEN_IF) ||
		     (control->type == NODE_WITH && token->type == TOKEN_WITH);
	struct node *end;

	if (again) {
		struct node *inner;

		(void)next(p);
		inner = parse_control(p, control->type, context, token);
		if (!inner)
			return -EINVAL;
		control->else_list = new_node(p, NODE_LIST, token);
		add_item(p, control->else_list, inner);
		return 0;
	}
	control->else_list = parse_list(p, &end);
	if (!control->else_list)
		return -EINVAL;
	if (end->type == NODE_END)
		return 0;
	(void)fail(p, "expected end; found {{else}}");
	return -EINVAL;
}

static int parse_branches(struct parser *p, struct node *control, const char *context)
{
	struct node *end;

	control->pipe = parse_pipe(p, context, TOKEN_CLOSE);
	if (!control->pipe)
		return -EINVAL;
	p->range_depth += control->type == NODE_RANGE;
	control->list = parse_list(p, &end);
	p->range_depth -= control->type == NODE_RANGE;
	if (!control->list)
		return -EINVAL;
	return end->type == NODE_ELSE ? parse_else(p, control, context) : 0;
}

static struct node *parse_control(struct parser *p, enum node_type type, const char *context,
				  const struct token *keyword)
{
	struct node *control = new_node(p, type, keyword);
	size_t known = p->variable_count;

	if (!enter(p) || parse_branches(p, control, context) < 0)
		return NULL;
	leave(p);
	p->variable_count = known;
	return control;
}

static struct node *parse_jump(struct parser *p, enum node_type type, const struct token *keyword)
{
	auto_free char *shown = xasprintf("{{%.*s}}", (int)keyword->text.len, keyword->text.data);
	const struct token *token = next_past_space(p);

	if (token->type != TOKEN_CLOSE)
		return unexpected(p, token, shown);
	if (p->range_depth == 0)
		return fail_at(p, token->line, "%s outside {{range}}", shown);
	return new_node(p, type, keyword);
}

static int parse_name(struct parser *p, const char *context, struct text *ret_name)
{
	const struct token *token = next_past_space(p);

	if (token->type != TOKEN_STRING) {
		(void)unexpected(p, token, context);
		return -EINVAL;
	}
	if (!unquote_string(p->arena, token->text, ret_name)) {
		(void)fail_at(p, token->line, "invalid syntax");
		return -EINVAL;
	}
	return 0;
}

static struct node *parse_template(struct parser *p, const struct token *keyword)
{
	static const char context[] = "template clause";
	struct node *node = new_node(p, NODE_TEMPLATE, keyword);

	node->pos = peek_past_space(p)->pos;
	if (parse_name(p, context, &node->text) < 0)
		return NULL;
	if (peek_past_space(p)->type == TOKEN_CLOSE) {
		(void)next(p);
		return node;
	}
	node->pipe = parse_pipe(p, context, TOKEN_CLOSE);
	return node->pipe ? node : NULL;
}

static bool is_blank(const struct node *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i]->type != NODE_TEXT)
			return false;
		for (size_t c = 0; c < list->items[i]->text.len; c++)
			if (!strchr(" \t\r\n", list->items[i]->text.data[c]))
				return false;
	}
	return true;
}

/* There is one definition of a name, beside empty ones, which never replace it. */
static int define(struct parser *p, struct text name, struct node *list)
{
	struct definition *d;

	for (d = p->t->definitions; d; d = d->next)
		if (text_equal(d->name, name))
			break;
	if (d && is_blank(list))
		return 0;
	if (d && !is_blank(d->list)) {
		(void)fail(p, "template: multiple definition of template \"%.*s\"", (int)name.len,
			   name.data);
		return -EINVAL;
	}
	if (!d) {
		d = arena_alloc(p->arena, sizeof(*d));
		d->name = name;
		d->next = p->t->definitions;
		p->t->definitions = d;
	}
	d->list = list;
	return 0;
}

/* A template of its own: it knows no variable but "$", and no range around it. */
static int parse_body(struct parser *p, struct text name, const char *context)
{
	size_t known = p->variable_count, depth = p->range_depth;
	struct text *hidden = arena_alloc(p->arena, known * sizeof(*hidden));
	struct node *list, *end;

	memcpy(hidden, p->variables, known * sizeof(*hidden));
	p->variable_count = 1;
	p->range_depth = 0;
	list = parse_list(p, &end);
	memcpy(p->variables, hidden, known * sizeof(*hidden));
	p->variable_count = known;
	p->range_depth = depth;
	if (!list)
		return -EINVAL;
	if (end->type != NODE_END) {
		(void)fail(p, "unexpected {{else}} in %s", context);
		return -EINVAL;
	}
	return define(p, name, list);
}

/* {{block "name" pipeline}}…{{end}}: a definition, and its use here. */
static struct node *parse_block(struct parser *p, const struct token *keyword)
{
	static const char context[] = "block clause";
	struct node *node = new_node(p, NODE_TEMPLATE, keyword);

	node->pos = peek_past_space(p)->pos;
	if (!enter(p) || parse_name(p, context, &node->text) < 0)
		return NULL;
	node->pipe = parse_pipe(p, context, TOKEN_CLOSE);
	if (!node->pipe || parse_body(p, node->text, context) < 0)
		return NULL;
	leave(p);
	return node;
}

static int parse_define(struct parser *p)
{
	static const char context[] = "define clause";
	struct text name;

	if (parse_name(p, context, &name) < 0 || expect_close(p, context) < 0)
		return -EINVAL;
	return parse_body(p, name, context);
}

static struct node *parse_end(struct parser *p, const struct token *keyword)
{
	return expect_close(p, "end") < 0 ? NULL : new_node(p, NODE_END, keyword);
}

/* The "if" of {{else if}} is left for parse_else(). */
static struct node *parse_else_keyword(struct parser *p, const struct token *keyword)
{
	enum token_type type = peek_past_space(p)->type;

	if (type != TOKEN_IF && type != TOKEN_WITH && expect_close(p, "else") < 0)
		return NULL;
	return new_node(p, NODE_ELSE, keyword);
}

static struct node *parse_keyword(struct parser *p, const struct token *token)
{
	switch (token->type) {
	case TOKEN_BLOCK:
		return parse_block(p, token);
	case TOKEN_BREAK:
		return parse_jump(p, NODE_BREAK, token);
	case TOKEN_CONTINUE:
		return parse_jump(p, NODE_CONTINUE, token);
	case TOKEN_ELSE:
		return parse_else_keyword(p, token);
	case TOKEN_END_ACTION:
		return parse_end(p, token);
	case TOKEN_IF:
		return parse_control(p, NODE_IF, "if", token);
	case TOKEN_RANGE:
		return parse_control(p, NODE_RANGE, "range", token);
	case TOKEN_TEMPLATE:
		return parse_template(p, token);
	case TOKEN_WITH:
		return parse_control(p, NODE_WITH, "with", token);
	default:
		return NULL;
	}
}

static bool is_keyword_of_action(enum token_type type)
{
	return type >= TOKEN_BLOCK && type != TOKEN_DEFINE;
}

static struct node *parse_action(struct parser *p)
{
	const struct token *token = peek_past_space(p);
	struct node *action;

	if (is_keyword_of_action(token->type)) {
		(void)next(p);
		return parse_keyword(p, token);
	}
	action = new_node(p, NODE_ACTION, token);
	action->pipe = parse_pipe(p, "command", TOKEN_CLOSE);
	return action->pipe ? action : NULL;
}

static struct node *parse_piece(struct parser *p)
{
	const struct token *token = next(p);
	struct node *node;

	if (token->type == TOKEN_TEXT)
		return new_node(p, NODE_TEXT, token);
	if (token->type != TOKEN_OPEN)
		return unexpected(p, token, "input");
	p->action_line = token->line;
	node = parse_action(p);
	p->action_line = 0;
	return node;
}

static struct node *parse_list(struct parser *p, struct node **ret_end)
{
	struct node *list = new_node(p, NODE_LIST, peek(p));

	while (peek(p)->type != TOKEN_END) {
		struct node *node = parse_piece(p);

		if (!node)
			return NULL;
		if (node->type == NODE_END || node->type == NODE_ELSE) {
			*ret_end = node;
			return list;
		}
		add_item(p, list, node);
	}
	(void)fail(p, "unexpected EOF");
	return NULL;
}

/* ---- the whole ---- */

static bool at_define(struct parser *p)
{
	size_t here = p->next;
	bool found = next(p)->type == TOKEN_OPEN && next_past_space(p)->type == TOKEN_DEFINE;

	if (!found)
		p->next = here;
	return found;
}

static int parse_top(struct parser *p)
{
	while (peek(p)->type != TOKEN_END) {
		struct node *node;

		if (at_define(p)) {
			if (parse_define(p) < 0)
				return -EINVAL;
			continue;
		}
		node = parse_piece(p);
		if (!node)
			return -EINVAL;
		if (node->type == NODE_END || node->type == NODE_ELSE) {
			(void)fail(p, "unexpected {{%.*s}}", (int)node->text.len, node->text.data);
			return -EINVAL;
		}
		add_item(p, p->t->list, node);
	}
	return 0;
}

int template_build(struct template *t, struct error *err)
{
	auto_free struct parser *p = xcalloc(1, sizeof(*p));

	p->t = t;
	p->arena = &t->arena;
	p->err = err;
	p->variables[p->variable_count++] = TEXT("$");
	template_lex(p->arena, t->source, &p->tokens);
	t->list = new_node(p, NODE_LIST, peek(p));
	return parse_top(p);
}
