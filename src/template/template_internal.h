/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: a template is read in three steps, each in files of its own.
 *
 *   lex.c            text -> tokens, all of them at once; what is wrong is a token too, the last one
 *   parse.c          tokens -> nodes, checked as Go checks them (functions, variables, {{end}})
 *   run.c, eval.c    nodes and data -> text. run.c does actions; eval.c finds the value of an operand
 *
 * Everything belongs to one of two arenas: tokens and nodes to the template's, values to the run's.
 * So nothing below has an owner to name, and a failure anywhere just returns. A run's arena has a limit:
 * a template can ask for any amount of memory ("{{printf "%1000000d" 1}}" in a loop).
 *
 * Functions return 0 or -EINVAL; the message is in the parser's or the run's `err`. Go's messages name
 * the node that was looked at last, so the order of node_at() calls in eval.c is part of its behaviour.
 */
#ifndef SKIFF_TEMPLATE_TEMPLATE_INTERNAL_H
#define SKIFF_TEMPLATE_TEMPLATE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "template/template.h"

/* ---- arena.c ---- */

struct arena {
	struct arena_block *blocks;
	size_t used, limit; /* bytes; limit 0: none */
	bool full; /* the limit was met: what is asked for still comes, the owner gives up */
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed */
char *arena_copy(struct arena *arena, const char *text, size_t len);

/* Keeps `value`, a new reference, until the arena goes. Returns it. */
json_t *arena_keep(struct arena *arena, json_t *value);
void arena_release(struct arena *arena);

DEFINE_CLEANUP_VALUE(struct arena, arena_release);

/* A piece of text; not terminated. */
struct text {
	const char *data;
	size_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

struct text text_of(const char *s);
bool text_is(struct text text, const char *s);
bool text_equal(struct text a, struct text b);

/* What was collected becomes the arena's; the buffer is empty afterwards. */
struct text arena_take(struct arena *arena, struct strbuf *b);

/* ---- lex.c ---- */

enum token_type {
	TOKEN_ERROR, /* text is the message */
	TOKEN_END,   /* of the template */
	TOKEN_TEXT,
	TOKEN_OPEN,  /* {{ */
	TOKEN_CLOSE, /* }} */
	TOKEN_SPACE,
	TOKEN_ASSIGN,  /* = */
	TOKEN_DECLARE, /* := */
	TOKEN_PIPE,
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_COMMA,
	TOKEN_OTHER, /* another character that can be printed */
	TOKEN_CHARACTER,
	TOKEN_NUMBER,
	TOKEN_STRING, /* text has its quotes */
	TOKEN_BOOL,
	TOKEN_DOT,
	TOKEN_FIELD,    /* .Name */
	TOKEN_VARIABLE, /* $name */
	TOKEN_IDENTIFIER,
	/* Keywords come last. */
	TOKEN_NIL,
	TOKEN_BLOCK,
	TOKEN_BREAK,
	TOKEN_CONTINUE,
	TOKEN_DEFINE,
	TOKEN_ELSE,
	TOKEN_END_ACTION,
	TOKEN_IF,
	TOKEN_RANGE,
	TOKEN_TEMPLATE,
	TOKEN_WITH,
};

struct token {
	enum token_type type;
	struct text text;
	size_t pos, line; /* offset in the template; from 1 */
};

struct tokens {
	struct token *items; /* ends with TOKEN_END or TOKEN_ERROR */
	size_t count;
};

/* Borrows from `source`, which must outlive the tokens. */
void template_lex(struct arena *arena, struct text source, struct tokens *ret_tokens);

/* ---- quote.c ---- */

/* A string as typed, with its quotes -> its value. False: it is none. */
bool unquote_string(struct arena *arena, struct text quoted, struct text *ret_value);

/* The same for a character. -EINVAL: it is none; -E2BIG: there is more than one. */
int unquote_character(struct text quoted, uint32_t *ret_character);

/* As Go's %q: in double quotes. `ascii`: everything else escaped too (%+q). */
void quote_string(struct text value, bool ascii, struct strbuf *ret);
void quote_character(uint32_t character, bool ascii, struct strbuf *ret);

/* The character at the start of `s` (len > 0) and how many bytes it has; U+FFFD and 1 if broken. */
uint32_t utf8_decode(const char *s, size_t len, size_t *ret_size);
void utf8_add(uint32_t character, struct strbuf *ret);
size_t utf8_count(struct text text);

/* ---- number.c ---- */

struct number {
	bool is_integer, is_real;  /* an integer is also real when a real is wanted, and 1e3 both */
	bool overflows, too_large; /* an integer that no int64 holds; and no uint64 either */
	int64_t integer;
	double real;
};

/* Go's syntax: 12, -1, 0x1F, 0o17, 0b1, 1_000, 1.5, 1e3. False: it is none. */
bool number_parse(struct text text, struct number *ret_number);

/* The shortest text that reads as the same number, with the verb e, f or g. */
void number_format_real(double value, char verb, int precision, struct strbuf *ret);

/* ---- nodes: parse.c ---- */

enum node_type {
	/* what stands in a list */
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_LIST,
	/* what has a value */
	NODE_PIPE,     /* items are commands */
	NODE_COMMAND,  /* items are operands */
	NODE_FIELD,    /* names: .A.B */
	NODE_CHAIN,    /* inner, then names: (…).A.B */
	NODE_VARIABLE, /* names: $x.A.B, the first with its dollar */
	NODE_IDENTIFIER,
	NODE_DOT,
	NODE_NIL,
	NODE_BOOL,
	NODE_NUMBER,
	NODE_STRING,
	/* what ends a list while parsing */
	NODE_END,
	NODE_ELSE,
};

struct node {
	enum node_type type;
	size_t pos;
	struct text text;  /* as typed; NODE_TEXT: what to print; NODE_TEMPLATE: its name */
	struct text value; /* NODE_STRING: without quotes and escapes */
	struct node **items;
	size_t count;
	struct text *names;
	size_t name_count;
	struct node *pipe, *list, *else_list; /* of actions; else_list may be NULL */
	struct node *inner;                   /* NODE_CHAIN */
	struct node **declared;               /* NODE_PIPE: variables before := or = */
	size_t declared_count;
	bool is_assignment; /* NODE_PIPE: it is "=" */
	bool truth;         /* NODE_BOOL */
	bool is_character;  /* NODE_NUMBER */
	struct number number;
};

/* As Go prints a node in messages. */
void node_format(const struct node *node, struct strbuf *ret);

struct definition {
	struct definition *next;
	struct text name;
	struct node *list;
};

struct template
{
	struct arena arena;
	struct text source;
	struct node *list;
	struct definition *definitions;
};

int template_build(struct template *t, struct error *err);

/* ---- value.c ---- */

enum value_kind {
	VALUE_NONE, /* no value at all: a key that a map does not have */
	VALUE_NIL,  /* nil of an interface, or a nil pointer (then `type` says of which type) */
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_MAP,
	VALUE_STRUCT,
};

struct value {
	enum value_kind kind;
	bool boxed;      /* it lies in an interface {}: Go's static type of it is that */
	bool is_pointer; /* it was reached through a pointer */
	const struct template_type *type; /* NULL: what JSON gives */
	bool truth;
	int64_t integer;
	double real;
	struct text text;
	const json_t *json; /* LIST, MAP, STRUCT; NULL: empty */
};

struct value value_of_json(const json_t *json, const struct template_type *type);
struct value value_of_text(struct text text);
struct value value_of_int(int64_t integer);
struct value value_of_bool(bool truth);

/* A list of strings that the arena keeps. */
struct value value_of_strings(struct arena *arena, json_t *strings);

size_t value_count(const struct value *value); /* LIST, MAP */
struct value value_item(const struct value *list, size_t index);

/* False, and VALUE_NONE, when the map does not have it. */
bool value_member(const struct value *map, struct text key, struct value *ret_member);

/* Keys of an object, sorted by their bytes; in the arena. */
struct text *sorted_keys(struct arena *arena, const json_t *object, size_t *ret_count);

bool value_is_true(const struct value *value);

/* "string", "map[string]interface {}"; static: "interface {}" when it lies in one. */
const char *value_type_name(const struct value *value);
const char *value_static_type_name(const struct value *value);

/* The Go text of a value, as "%v" and {{.}} print it. */
void value_print(struct arena *arena, const struct value *value, struct strbuf *ret);
void value_json(const struct value *value, struct strbuf *ret);

/* ---- run.c, eval.c ---- */

struct variable {
	struct text name;
	struct value value;
};

struct run {
	const struct template *t;
	const struct template_data *data;
	struct arena arena;
	struct strbuf *out;
	size_t out_limit;
	struct variable *variables;
	size_t variable_count, variable_capacity;
	const struct node *at;
	struct text template_name;
	unsigned int levels;
	size_t steps;
	struct error *err;
};

/* Sets the run's error where it is now. Returns -EINVAL. */
int run_fail(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fails when the run has used up what it may. */
int run_step(struct run *run);

/* Declares what the pipeline declares. `pipe` may be NULL: no value. */
int eval_pipe(struct run *run, const struct value *dot, const struct node *pipe, struct value *ret);
void run_push_variable(struct run *run, struct text name, const struct value *value);
int run_set_variable(struct run *run, struct text name, const struct value *value);

/* ---- functions.c, docker.c, compare.c, escape.c, printf.c ---- */

struct call {
	struct run *run;
	const struct value *args;
	size_t count;
	struct value *ret;
	struct strbuf *why; /* what is wrong, when it fails */
};

enum param {
	PARAM_END,
	PARAM_ANY,   /* Go's interface {} */
	PARAM_VALUE, /* Go's reflect.Value: also no value at all */
	PARAM_STRING,
	PARAM_INT,
};

#define FUNCTION_MAX_PARAMS 4

struct function {
	const char *name;
	enum param params[FUNCTION_MAX_PARAMS]; /* those that must be there */
	enum param rest;                        /* any number of these after them */
	int (*call)(const struct call *call);
};

/* NULL: there is none. `header`: docker's functions for column titles come first. */
const struct function *function_find(struct text name, bool header);
const struct function *function_find_docker(struct text name, bool header);

/* Go's "error calling NAME: …". Returns -EINVAL. */
int call_fail(const struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int call_eq(const struct call *call);
int call_ne(const struct call *call);
int call_lt(const struct call *call);
int call_le(const struct call *call);
int call_gt(const struct call *call);
int call_ge(const struct call *call);
int call_html(const struct call *call);
int call_js(const struct call *call);
int call_urlquery(const struct call *call);
int call_print(const struct call *call);
int call_println(const struct call *call);
int call_printf(const struct call *call);

/* print's text of the arguments; with spaces between operands when neither is a string. */
struct text text_of_arguments(const struct call *call);

#endif
