/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: tables are built as JSON objects while the text is read, line by line. TOML forbids what
 * JSON objects would take silently: to define a table twice, to reach into a table that was written
 * in place, to extend an array that was. So for each table and array the parser keeps how it came
 * about (enum origin), in a list beside the tree. A table that only stands in the path of a header
 * ("a" of [a.b]) is not in that list: it may still be defined, once.
 */
#include "base/toml.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "base/strv.h"

/* Tables and arrays of one document; the list of origins is searched from its end. */
#define MAX_NODES 16384
#define MAX_KEY_PARTS TOML_MAX_LEVELS

enum origin {
	ORIGIN_IMPLIED, /* in the path of a header */
	ORIGIN_HEADER,  /* [a] */
	ORIGIN_DOTTED,  /* a.b = 1 made "a" */
	ORIGIN_CLOSED,  /* written in place: {…} or […] */
	ORIGIN_TABLES,  /* the array of [[a]] */
};

struct node {
	const json_t *value;
	enum origin origin;
};

struct parser {
	const char *p, *end;
	size_t line;
	const char *what;
	struct node *nodes;
	size_t node_count, node_capacity;
	struct error *err;
};

static int parse_value(struct parser *t, size_t level, json_t **ret_value);

static int bad(struct parser *t, const char *why)
{
	return err_set(t->err, ERR_INVALID, EINVAL, "%s: line %zu: %s", t->what, t->line, why);
}

static char peek(const struct parser *t)
{
	return (char)(t->p < t->end ? *t->p : '\0');
}

static bool looking_at(const struct parser *t, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(t->end - t->p) >= len && memcmp(t->p, text, len) == 0;
}

static int remember(struct parser *t, const json_t *value, enum origin origin)
{
	if (t->node_count == MAX_NODES)
		return bad(t, "too many tables and arrays");
	if (t->node_count == t->node_capacity) {
		t->node_capacity = t->node_capacity ? t->node_capacity * 2 : 64;
		t->nodes = xreallocarray(t->nodes, t->node_capacity, sizeof(*t->nodes));
	}
	t->nodes[t->node_count++] = (struct node){.value = value, .origin = origin};
	return 0;
}

static struct node *find_node(const struct parser *t, const json_t *value)
{
	for (size_t i = t->node_count; i > 0; i--)
		if (t->nodes[i - 1].value == value)
			return &t->nodes[i - 1];
	return NULL;
}

static enum origin origin_of(const struct parser *t, const json_t *value)
{
	const struct node *node = find_node(t, value);

	return node ? node->origin : ORIGIN_IMPLIED;
}

static void skip_blanks(struct parser *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
		t->p++;
}

/* "\n" or "\r\n". */
static bool skip_newline(struct parser *t)
{
	if (looking_at(t, "\r\n"))
		t->p++;
	if (peek(t) != '\n')
		return false;
	t->p++;
	t->line++;
	return true;
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static int skip_comment(struct parser *t)
{
	if (peek(t) != '#')
		return 0;
	while (t->p < t->end && *t->p != '\n' && !looking_at(t, "\r\n")) {
		if (is_control(*t->p))
			return bad(t, "a control character in a comment");
		t->p++;
	}
	return 0;
}

/* Blanks, comments and line ends. */
static int skip_lines(struct parser *t)
{
	int r;

	do {
		skip_blanks(t);
		r = skip_comment(t);
		if (r < 0)
			return r;
	} while (skip_newline(t));
	return 0;
}

/* After a statement: nothing but a comment until the line ends. */
static int finish_line(struct parser *t)
{
	int r;

	skip_blanks(t);
	r = skip_comment(t);
	if (r < 0)
		return r;
	if (t->p < t->end && !skip_newline(t))
		return bad(t, "something follows where the line should end");
	return 0;
}

static void add_utf8(struct strbuf *out, uint32_t c)
{
	if (c < 0x80) {
		strbuf_addc(out, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(out, (char)(0xc0 | c >> 6));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_addc(out, (char)(0xe0 | c >> 12));
		strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_addc(out, (char)(0xf0 | c >> 18));
		strbuf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* \uXXXX and \UXXXXXXXX; NUL is refused, our strings end there. */
static int add_code_point(struct parser *t, size_t digits, struct strbuf *out)
{
	uint32_t c = 0;

	for (size_t i = 0; i < digits; i++) {
		int value = digit_value(peek(t));

		if (value < 0)
			return bad(t, "an escape needs hexadecimal digits");
		c = c << 4 | (uint32_t)value;
		t->p++;
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return bad(t, "an escape names no character");
	add_utf8(out, c);
	return 0;
}

static int add_escape(struct parser *t, struct strbuf *out)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char c = peek(t);
	const char *name = c ? strchr(names, c) : NULL;

	if (!c)
		return bad(t, "the string does not end");
	t->p++;
	if (c == 'u' || c == 'U')
		return add_code_point(t, c == 'u' ? 4 : 8, out);
	if (!name)
		return bad(t, "unknown escape");
	strbuf_addc(out, values[name - names]);
	return 0;
}

/* In a multi-line basic string: a backslash that ends its line swallows the blanks that follow. */
static bool skip_folded_line(struct parser *t)
{
	const char *p = t->p;

	while (p < t->end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	if (p == t->end || *p != '\n')
		return false;
	for (; p < t->end && strchr(" \t\r\n", *p) && *p; p++)
		if (*p == '\n')
			t->line++;
	t->p = p;
	return true;
}

static int parse_string_line(struct parser *t, struct strbuf *out)
{
	char quote = *t->p++;
	int r;

	for (;;) {
		char c = peek(t);

		if (t->p == t->end || is_control(c))
			return bad(t, "the string does not end, or has a control character");
		t->p++;
		if (c == quote)
			return 0;
		if (c == '\\' && quote == '"') {
			r = add_escape(t, out);
			if (r < 0)
				return r;
		} else {
			strbuf_addc(out, c);
		}
	}
}

/* Up to two quotes may stand before the three that end the string. */
static bool ends_here(struct parser *t, const char *quotes, struct strbuf *out)
{
	if (!looking_at(t, quotes))
		return false;
	t->p += 3;
	for (int i = 0; i < 2 && peek(t) == quotes[0]; i++) {
		strbuf_addc(out, quotes[0]);
		t->p++;
	}
	return true;
}

static int parse_string_lines(struct parser *t, const char *quotes, struct strbuf *out)
{
	int r;

	t->p += 3;
	(void)skip_newline(t);
	while (!ends_here(t, quotes, out)) {
		char c = peek(t);

		if (t->p == t->end)
			return bad(t, "the string does not end");
		if (skip_newline(t)) {
			strbuf_addc(out, '\n');
			continue;
		}
		if (is_control(c))
			return bad(t, "a control character in a string");
		t->p++;
		if (c != '\\' || quotes[0] != '"') {
			strbuf_addc(out, c);
		} else if (!skip_folded_line(t)) {
			r = add_escape(t, out);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int parse_string(struct parser *t, json_t **ret_value)
{
	auto_(strbuf_release) struct strbuf out = {0};
	int r;

	if (looking_at(t, "\"\"\""))
		r = parse_string_lines(t, "\"\"\"", &out);
	else if (looking_at(t, "'''"))
		r = parse_string_lines(t, "'''", &out);
	else
		r = parse_string_line(t, &out);
	if (r < 0)
		return r;
	*ret_value = json_stringn(strbuf_text(&out), out.len);
	return *ret_value ? 0 : bad(t, "a string is not UTF-8");
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static int parse_key_part(struct parser *t, struct strv *key)
{
	auto_(strbuf_release) struct strbuf out = {0};
	auto_(json_decref) json_t *checked = NULL;
	const char *start = t->p;
	int r;

	if (peek(t) == '"' || peek(t) == '\'') {
		r = parse_string_line(t, &out);
		if (r < 0)
			return r;
		checked = json_stringn(strbuf_text(&out), out.len);
		if (!checked)
			return bad(t, "a key is not UTF-8");
		strv_add(key, strbuf_text(&out));
		return 0;
	}
	while (is_bare(peek(t)))
		t->p++;
	if (t->p == start)
		return bad(t, "a key is missing");
	strv_add_take(key, xstrndup(start, (size_t)(t->p - start)));
	return 0;
}

/* a, "a b", a.b."c d" */
static int parse_key(struct parser *t, struct strv *key)
{
	int r;

	for (;;) {
		skip_blanks(t);
		r = parse_key_part(t, key);
		if (r < 0)
			return r;
		if (key->count > MAX_KEY_PARTS)
			return bad(t, "too many parts in a key");
		skip_blanks(t);
		if (peek(t) != '.')
			return 0;
		t->p++;
	}
}

/* The digits of a number, without the underscores that may stand between them. */
static int parse_digits(struct parser *t, int base, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool after_digit = false;

	for (;; t->p++) {
		int digit = digit_value(peek(t));

		if (peek(t) == '_' && after_digit) {
			after_digit = false;
			continue;
		}
		if (digit < 0 || digit >= base)
			break;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return bad(t, "a number is too large");
		after_digit = true;
	}
	if (!after_digit)
		return bad(t, "a value is missing, or a number has no digits");
	*ret_value = value;
	return 0;
}

static int parse_integer(struct parser *t, json_t **ret_value)
{
	bool negative = peek(t) == '-';
	int base = 10;
	uint64_t value = 0;
	int r;

	if (negative || peek(t) == '+') {
		t->p++;
	} else if (looking_at(t, "0x") || looking_at(t, "0o") || looking_at(t, "0b")) {
		base = t->p[1] == 'x' ? 16 : t->p[1] == 'o' ? 8 : 2;
		t->p += 2;
	}
	if (base == 10 && peek(t) == '0' && t->p + 1 < t->end &&
	    (digit_value(t->p[1]) >= 0 || t->p[1] == '_'))
		return bad(t, "a number begins with 0");
	r = parse_digits(t, base, &value);
	if (r < 0)
		return r;
	if (is_bare(peek(t)) || peek(t) == '.' || peek(t) == ':')
		return bad(t, "neither a number nor true or false "
			      "(fractions and dates are not understood)");
	if (value > (uint64_t)INT64_MAX)
		return bad(t, "a number is too large");
	*ret_value = json_integer(negative ? -(json_int_t)value : (json_int_t)value);
	return 0;
}

static int parse_array(struct parser *t, size_t level, json_t **ret_value)
{
	auto_(json_decref) json_t *array = json_array();
	int r;

	t->p++;
	for (;;) {
		json_t *value = NULL;

		r = skip_lines(t);
		if (r < 0)
			return r;
		if (peek(t) == ']')
			break;
		r = parse_value(t, level + 1, &value);
		if (r < 0)
			return r;
		(void)json_array_append_new(array, value);
		r = skip_lines(t);
		if (r < 0)
			return r;
		if (peek(t) == ',')
			t->p++;
		else if (peek(t) != ']')
			return bad(t, "an array needs ',' or ']' here");
	}
	t->p++;
	r = remember(t, array, ORIGIN_CLOSED);
	if (r < 0)
		return r;
	*ret_value = TAKE_PTR(array);
	return 0;
}

/* The table that all parts but the last lead to, through tables that dotted keys made. */
static int enter_dotted(struct parser *t, const struct strv *key, json_t **table)
{
	for (size_t i = 0; i + 1 < key->count; i++) {
		json_t *next = json_object_get(*table, key->items[i]);
		int r;

		if (!next) {
			next = json_object();
			(void)json_object_set_new(*table, key->items[i], next);
			r = remember(t, next, ORIGIN_DOTTED);
			if (r < 0)
				return r;
		} else if (!json_is_object(next) || origin_of(t, next) != ORIGIN_DOTTED) {
			return bad(t, "a key reaches into something that was defined before");
		}
		*table = next;
	}
	return 0;
}

static int parse_pair(struct parser *t, size_t level, json_t *table)
{
	auto_(strv_release) struct strv key = {0};
	json_t *value = NULL;
	int r;

	r = parse_key(t, &key);
	if (r < 0)
		return r;
	if (peek(t) != '=')
		return bad(t, "'=' is missing after a key");
	t->p++;
	skip_blanks(t);
	assert(key.count > 0);
	assert(key.items);
	r = enter_dotted(t, &key, &table);
	if (r < 0)
		return r;
	if (json_object_get(table, key.items[key.count - 1]))
		return bad(t, "a key is defined twice");
	r = parse_value(t, level + 1, &value);
	if (r < 0)
		return r;
	(void)json_object_set_new(table, key.items[key.count - 1], value);
	return 0;
}

/* Reached by dotted keys inside, "a" of { a.b = 1 } is as closed as the table around it. */
static void close_tables_since(struct parser *t, size_t first)
{
	for (size_t i = first; i < t->node_count; i++)
		t->nodes[i].origin = ORIGIN_CLOSED;
}

static int parse_inline_table(struct parser *t, size_t level, json_t **ret_value)
{
	auto_(json_decref) json_t *table = json_object();
	size_t first = t->node_count;
	int r;

	t->p++;
	skip_blanks(t);
	while (peek(t) != '}') {
		r = parse_pair(t, level, table);
		if (r < 0)
			return r;
		skip_blanks(t);
		if (peek(t) == '}')
			break;
		if (peek(t) != ',')
			return bad(t, "a table in braces needs ',' or '}' here");
		t->p++;
		skip_blanks(t);
		if (peek(t) == '}')
			return bad(t, "a table in braces ends with ','");
	}
	t->p++;
	close_tables_since(t, first);
	r = remember(t, table, ORIGIN_CLOSED);
	if (r < 0)
		return r;
	*ret_value = TAKE_PTR(table);
	return 0;
}

static bool skip_word(struct parser *t, const char *word)
{
	const char *after = t->p + strlen(word);

	if (!looking_at(t, word) || (after < t->end && is_bare(*after)))
		return false;
	t->p = after;
	return true;
}

static int parse_value(struct parser *t, size_t level, json_t **ret_value)
{
	char c = peek(t);

	if (level > TOML_MAX_LEVELS)
		return bad(t, "too many levels");
	if (c == '"' || c == '\'')
		return parse_string(t, ret_value);
	if (c == '[')
		return parse_array(t, level, ret_value);
	if (c == '{')
		return parse_inline_table(t, level, ret_value);
	if (skip_word(t, "true")) {
		*ret_value = json_true();
		return 0;
	}
	if (skip_word(t, "false")) {
		*ret_value = json_false();
		return 0;
	}
	return parse_integer(t, ret_value);
}

/* What all parts of a header but the last lead to; of an array of tables it is the last one. */
static int enter_header(struct parser *t, const struct strv *key, json_t **table)
{
	for (size_t i = 0; i + 1 < key->count; i++) {
		json_t *next = json_object_get(*table, key->items[i]);

		if (!next) {
			next = json_object();
			(void)json_object_set_new(*table, key->items[i], next);
		}
		if (origin_of(t, next) == ORIGIN_CLOSED)
			return bad(t, "a table reaches into one that was written in place");
		if (json_is_array(next))
			next = json_array_get(next, json_array_size(next) - 1);
		if (!json_is_object(next))
			return bad(t, "a table reaches into something that is none");
		*table = next;
	}
	return 0;
}

static int add_table_to_array(struct parser *t, json_t *parent, const char *name,
			      json_t **ret_table)
{
	json_t *array = json_object_get(parent, name);
	int r;

	if (!array) {
		array = json_array();
		(void)json_object_set_new(parent, name, array);
		r = remember(t, array, ORIGIN_TABLES);
		if (r < 0)
			return r;
	} else if (origin_of(t, array) != ORIGIN_TABLES) {
		return bad(t, "an array of tables has the name of something else");
	}
	*ret_table = json_object();
	(void)json_array_append_new(array, *ret_table);
	return remember(t, *ret_table, ORIGIN_HEADER);
}

static int define_table(struct parser *t, json_t *parent, const char *name, json_t **ret_table)
{
	json_t *table = json_object_get(parent, name);

	if (!table) {
		table = json_object();
		(void)json_object_set_new(parent, name, table);
	} else if (!json_is_object(table) || origin_of(t, table) != ORIGIN_IMPLIED) {
		return bad(t, "a table is defined twice");
	}
	*ret_table = table;
	return remember(t, table, ORIGIN_HEADER);
}

/* [a.b] or [[a.b]] */
static int parse_header(struct parser *t, json_t *root, json_t **ret_table)
{
	auto_(strv_release) struct strv key = {0};
	bool array = looking_at(t, "[[");
	json_t *parent = root;
	int r;

	t->p += array ? 2 : 1;
	r = parse_key(t, &key);
	if (r < 0)
		return r;
	if (!looking_at(t, array ? "]]" : "]"))
		return bad(t, "a table's name does not end with ']'");
	t->p += array ? 2 : 1;
	assert(key.count > 0);
	assert(key.items);
	r = enter_header(t, &key, &parent);
	if (r < 0)
		return r;
	return (array ? add_table_to_array : define_table)(t, parent, key.items[key.count - 1],
							   ret_table);
}

static int parse_document(struct parser *t, json_t *root)
{
	json_t *table = root;
	int r;

	for (;;) {
		r = skip_lines(t);
		if (r < 0 || t->p == t->end)
			return r;
		r = peek(t) == '[' ? parse_header(t, root, &table) : parse_pair(t, 0, table);
		if (r < 0)
			return r;
		r = finish_line(t);
		if (r < 0)
			return r;
	}
}

int toml_parse(const char *text, size_t len, const char *what, json_t **ret_root, struct error *err)
{
	auto_(json_decref) json_t *root = json_object();
	struct parser t = {.p = text, .end = text + len, .line = 1, .what = what, .err = err};
	int r;

	if (len > TOML_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG, "%s: longer than %zu bytes", what,
			       TOML_MAX_BYTES);
	if (looking_at(&t, "\xef\xbb\xbf"))
		t.p += 3;
	r = parse_document(&t, root);
	free(t.nodes);
	if (r < 0)
		return r;
	*ret_root = TAKE_PTR(root);
	return 0;
}
