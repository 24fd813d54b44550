/* SPDX-License-Identifier: Apache-2.0 */
#include "template/template.h"

#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

int template_parse(const char *text, struct template **ret_template, struct error *err)
{
	auto_(template_free) struct template *t = xcalloc(1, sizeof(*t));
	size_t len = strlen(text);
	int r;

	if (len > TEMPLATE_MAX_BYTES)
		return err_set(err, ERR_INVALID, 0, "template: longer than %zu bytes",
			       TEMPLATE_MAX_BYTES);
	t->source = (struct text){arena_copy(&t->arena, text, len), len};
	r = template_build(t, err);
	if (r < 0)
		return r;
	*ret_template = TAKE_PTR(t);
	return 0;
}

void template_free(struct template *t)
{
	if (!t)
		return;
	arena_release(&t->arena);
	free(t);
}

/* ---- what it looks at ---- */

static bool node_uses(const struct node *node, struct text field);

static bool any_uses(struct node *const *nodes, size_t count, struct text field)
{
	for (size_t i = 0; i < count; i++)
		if (node_uses(nodes[i], field))
			return true;
	return false;
}

/* Names anywhere count, whatever they are the fields of: to find out too much does no harm. */
static bool node_uses(const struct node *node, struct text field)
{
	if (!node)
		return false;
	if (node->type == NODE_DOT)
		return true;
	if (node->type == NODE_VARIABLE && node->name_count == 1 && text_is(node->names[0], "$"))
		return true;
	for (size_t i = 0; i < node->name_count; i++)
		if (text_equal(node->names[i], field))
			return true;
	return any_uses(node->items, node->count, field) || node_uses(node->pipe, field) ||
	       node_uses(node->list, field) || node_uses(node->else_list, field) ||
	       node_uses(node->inner, field);
}

bool template_uses(const struct template *t, const char *field)
{
	struct text name = text_of(field);

	for (const struct definition *d = t->definitions; d; d = d->next)
		if (node_uses(d->list, name))
			return true;
	return node_uses(t->list, name);
}

/* ---- nodes as text ---- */

static void format_items(const struct node *node, const char *between, struct strbuf *ret)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->items[i];
		bool parens = item->type == NODE_PIPE;

		strbuf_adds(ret, i ? between : "");
		strbuf_adds(ret, parens ? "(" : "");
		node_format(item, ret);
		strbuf_adds(ret, parens ? ")" : "");
	}
}

static void format_pipe(const struct node *pipe, struct strbuf *ret)
{
	for (size_t i = 0; i < pipe->declared_count; i++) {
		strbuf_adds(ret, i ? ", " : "");
		node_format(pipe->declared[i], ret);
	}
	if (pipe->declared_count)
		strbuf_adds(ret, pipe->is_assignment ? " = " : " := ");
	format_items(pipe, " | ", ret);
}

static void format_names(const struct node *node, struct strbuf *ret)
{
	if (node->inner) {
		bool parens = node->inner->type == NODE_PIPE;

		strbuf_adds(ret, parens ? "(" : "");
		node_format(node->inner, ret);
		strbuf_adds(ret, parens ? ")" : "");
	}
	for (size_t i = 0; i < node->name_count; i++) {
		if (node->type != NODE_VARIABLE || i > 0)
			strbuf_addc(ret, '.');
		strbuf_add(ret, node->names[i].data, node->names[i].len);
	}
}

static void format_template(const struct node *node, struct strbuf *ret)
{
	strbuf_adds(ret, "{{template ");
	quote_string(node->text, false, ret);
	if (node->pipe) {
		strbuf_addc(ret, ' ');
		format_pipe(node->pipe, ret);
	}
	strbuf_adds(ret, "}}");
}

void node_format(const struct node *node, struct strbuf *ret)
{
	switch (node->type) {
	case NODE_PIPE:
		format_pipe(node, ret);
		break;
	case NODE_COMMAND:
		format_items(node, " ", ret);
		break;
	case NODE_FIELD:
	case NODE_CHAIN:
	case NODE_VARIABLE:
		format_names(node, ret);
		break;
	case NODE_TEMPLATE:
		format_template(node, ret);
		break;
	case NODE_ACTION:
		strbuf_adds(ret, "{{");
		format_pipe(node->pipe, ret);
		strbuf_adds(ret, "}}");
		break;
	default: /* the others are as they were typed */
		strbuf_add(ret, node->text.data, node->text.len);
		break;
	}
}
