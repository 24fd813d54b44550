/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

#define SPACES " \t\r\n"
#define OPEN "{{"
#define CLOSE "}}"
#define COMMENT_OPEN "/*"
#define COMMENT_CLOSE "*/"

struct lexer {
	struct arena *arena;
	struct text source;
	size_t pos;
	size_t line, line_pos; /* the line of offset `line_pos`: lines are counted as we go */
	size_t parens;
	struct tokens *tokens;
	size_t capacity;
	bool failed;
};

/* ---- looking ---- */

static size_t left(const struct lexer *l)
{
	return l->source.len - l->pos;
}

/* '\0' at the end, and for a NUL, which is an error wherever it is looked at. */
static char peek(const struct lexer *l, size_t ahead)
{
	return (char)(ahead < left(l) ? l->source.data[l->pos + ahead] : '\0');
}

static bool is_next(const struct lexer *l, size_t ahead, const char *what)
{
	size_t len = strlen(what);

	return left(l) >= ahead + len && memcmp(l->source.data + l->pos + ahead, what, len) == 0;
}

static bool is_space(char c)
{
	return c && strchr(SPACES, c);
}

/* Letters beyond ASCII are letters: what is not will not be found as a name. */
static bool is_word(char c)
{
	return c == '_' || (unsigned char)c >= 0x80 || isalnum((unsigned char)c);
}

/* " -}}" */
static bool at_trimming_close(const struct lexer *l)
{
	return is_space(peek(l, 0)) && is_next(l, 1, "-" CLOSE);
}

static bool at_close(const struct lexer *l)
{
	return is_next(l, 0, CLOSE) || at_trimming_close(l);
}

/* Whether a name may end here. */
static bool at_terminator(const struct lexer *l)
{
	char c = peek(l, 0);

	return left(l) == 0 || is_space(c) || (c && strchr(".,|:)(", c)) || is_next(l, 0, CLOSE);
}

/* ---- saying ---- */

static size_t line_at(struct lexer *l, size_t pos)
{
	for (; l->line_pos < pos; l->line_pos++)
		l->line += l->source.data[l->line_pos] == '\n';
	return l->line;
}

static void add(struct lexer *l, enum token_type type, struct text text, size_t pos)
{
	struct tokens *tokens = l->tokens;

	if (tokens->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 32;
		struct token *items = arena_alloc(l->arena, capacity * sizeof(*items));

		if (tokens->count)
			memcpy(items, tokens->items, tokens->count * sizeof(*items));
		tokens->items = items;
		l->capacity = capacity;
	}
	tokens->items[tokens->count++] = (struct token){type, text, pos, line_at(l, pos)};
}

/* The token of `len` bytes from here. */
static void emit(struct lexer *l, enum token_type type, size_t len)
{
	add(l, type, (struct text){l->source.data + l->pos, len}, l->pos);
	l->pos += len;
}

static void fail(struct lexer *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct lexer *l, const char *fmt, ...)
{
	auto_(strbuf_release) struct strbuf message = {0};
	auto_free char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	strbuf_adds(&message, text);
	l->failed = true;
	add(l, TOKEN_ERROR, arena_take(l->arena, &message), l->pos);
}

/* "U+0026 '&'" */
static void fail_at_character(struct lexer *l, const char *what)
{
	auto_(strbuf_release) struct strbuf shown = {0};
	size_t size;
	uint32_t c;

	if (left(l) == 0)
		return fail(l, "%s U+FFFFFFFFFFFFFFFF", what); /* as Go prints its -1 */
	c = utf8_decode(l->source.data + l->pos, left(l), &size);
	if (c >= 0x20 && c != 0x7f)
		utf8_add(c, &shown);
	if (shown.len)
		fail(l, "%s U+%04X '%s'", what, (unsigned int)c, strbuf_text(&shown));
	else
		fail(l, "%s U+%04X", what, (unsigned int)c);
}

/* ---- inside an action ---- */

static const char *const keywords[] = {
	"nil", "block", "break", "continue", "define", "else",
	"end", "if",    "range", "template", "with",
};
static_assert(ARRAY_SIZE(keywords) == TOKEN_WITH - TOKEN_NIL + 1, "a word for each keyword");

static enum token_type type_of_word(struct text word)
{
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (text_is(word, keywords[i]))
			return (enum token_type)(TOKEN_NIL + i);
	if (text_is(word, "true") || text_is(word, "false"))
		return TOKEN_BOOL;
	return TOKEN_IDENTIFIER;
}

/* name, .name, $name: `prefix` is 1 when there is a dot or dollar. */
static void lex_word(struct lexer *l, size_t prefix, enum token_type type)
{
	const char *start = l->source.data + l->pos;
	size_t begin = l->pos, len;

	l->pos += prefix;
	while (is_word(peek(l, 0)))
		l->pos++;
	if (!at_terminator(l))
		return fail_at_character(l, "bad character");
	len = l->pos - begin;
	l->pos = begin;
	if (type == TOKEN_IDENTIFIER)
		type = type_of_word((struct text){start, len});
	else if (type == TOKEN_FIELD && len == 1)
		type = TOKEN_DOT;
	emit(l, type, len);
}

/* What is in quotes, with the quote `quote` and backslashes; the terminating one is found. */
static void lex_quoted(struct lexer *l, char quote, enum token_type type, const char *unterminated)
{
	bool raw = quote == '`';
	size_t len = 1;

	while (len < left(l) && peek(l, len) != quote) {
		if (peek(l, len) == '\n' && !raw)
			return fail(l, "%s", unterminated);
		len += peek(l, len) == '\\' && !raw ? 2 : 1;
	}
	if (len >= left(l))
		return fail(l, "%s", unterminated);
	emit(l, type, len + 1);
}

/* Of the number that begins at `start`, which is an offset from here; the offset of its end. */
static size_t number_end(const struct lexer *l, size_t start)
{
	const char *digits = "0123456789_";
	bool hex = false, decimal = true;
	size_t len = start + (peek(l, start) == '+' || peek(l, start) == '-');

	if (peek(l, len) == '0' && peek(l, len + 1) && strchr("xXoObB", peek(l, len + 1))) {
		hex = (peek(l, len + 1) | 0x20) == 'x';
		decimal = false;
		digits = hex ? "0123456789abcdefABCDEF_" : digits;
		len += 2;
	}
	while (peek(l, len) && strchr(digits, peek(l, len)))
		len++;
	if (peek(l, len) == '.')
		for (len++; peek(l, len) && strchr(digits, peek(l, len));)
			len++;
	if ((decimal && (peek(l, len) | 0x20) == 'e') || (hex && (peek(l, len) | 0x20) == 'p')) {
		len++;
		len += peek(l, len) == '+' || peek(l, len) == '-';
		while (peek(l, len) && strchr("0123456789_", peek(l, len)))
			len++;
	}
	return len;
}

static void lex_number(struct lexer *l)
{
	size_t len = number_end(l, 0);

	if (len == 1 && !isdigit((unsigned char)peek(l, 0)))
		return fail(l, "illegal number syntax: \"%c\"", peek(l, 0));
	if (peek(l, len) == '+' ||
	    peek(l, len) == '-') /* one of Go's complex numbers, or nothing */
		return fail(l, "bad number syntax: \"%.*s\"", (int)number_end(l, len),
			    l->source.data + l->pos);
	if (is_word(peek(l, len)))
		return fail(l, "bad number syntax: \"%.*s\"", (int)(len + 1),
			    l->source.data + l->pos);
	emit(l, TOKEN_NUMBER, len);
}

static void lex_spaces(struct lexer *l)
{
	size_t len = 0;

	while (is_space(peek(l, len)) && !(is_next(l, len + 1, "-" CLOSE)))
		len++;
	emit(l, TOKEN_SPACE, len);
}

static void lex_paren(struct lexer *l)
{
	if (peek(l, 0) == '(') {
		l->parens++;
		return emit(l, TOKEN_LEFT_PAREN, 1);
	}
	if (l->parens == 0)
		return fail(l, "unexpected right paren");
	l->parens--;
	emit(l, TOKEN_RIGHT_PAREN, 1);
}

static void lex_punctuation(struct lexer *l, char c)
{
	switch (c) {
	case '=':
		return emit(l, TOKEN_ASSIGN, 1);
	case ':':
		if (peek(l, 1) != '=')
			return fail(l, "expected :=");
		return emit(l, TOKEN_DECLARE, 2);
	case '|':
		return emit(l, TOKEN_PIPE, 1);
	case '(':
	case ')':
		return lex_paren(l);
	case ',':
		return emit(l, TOKEN_COMMA, 1);
	default:
		if (c >= 0x20 && c < 0x7f)
			return emit(l, TOKEN_OTHER, 1);
		return fail_at_character(l, "unrecognized character in action:");
	}
}

static void lex_token(struct lexer *l)
{
	char c = peek(l, 0), next = peek(l, 1);

	if (is_space(c))
		return lex_spaces(l);
	if (c == '"')
		return lex_quoted(l, c, TOKEN_STRING, "unterminated quoted string");
	if (c == '`')
		return lex_quoted(l, c, TOKEN_STRING, "unterminated raw quoted string");
	if (c == '\'')
		return lex_quoted(l, c, TOKEN_CHARACTER, "unterminated character constant");
	if (c == '$')
		return lex_word(l, 1, TOKEN_VARIABLE);
	if (c == '.' && !isdigit((unsigned char)next))
		return lex_word(l, 1, TOKEN_FIELD);
	if (c == '.' || c == '+' || c == '-' || isdigit((unsigned char)c))
		return lex_number(l);
	if (is_word(c))
		return lex_word(l, 0, TOKEN_IDENTIFIER);
	lex_punctuation(l, c);
}

/* ---- texts, comments and delimiters ---- */

/* After }} with a trim marker. */
static void skip_spaces(struct lexer *l)
{
	while (is_space(peek(l, 0)))
		l->pos++;
}

static void lex_close(struct lexer *l)
{
	bool trim = at_trimming_close(l);

	l->pos += trim ? 2 : 0;
	emit(l, TOKEN_CLOSE, strlen(CLOSE));
	if (trim)
		skip_spaces(l);
}

static void lex_action(struct lexer *l)
{
	emit(l, TOKEN_OPEN, strlen(OPEN));
	if (is_next(l, 0, "-") && is_space(peek(l, 1)))
		l->pos += 1; /* the space stays: it is one between operands */
	while (!l->failed) {
		if (at_close(l)) {
			if (l->parens)
				return fail(l, "unclosed left paren");
			return lex_close(l);
		}
		if (left(l) == 0)
			return fail(l, "unclosed action");
		lex_token(l);
	}
}

/* At "{{" or "{{- " before a comment; `opening` is the length of that. */
static void skip_comment(struct lexer *l, size_t opening)
{
	const char *start = l->source.data + l->pos + opening + strlen(COMMENT_OPEN);
	const char *end = l->source.data + l->source.len, *close;

	close = memmem(start, (size_t)(end - start), COMMENT_CLOSE, strlen(COMMENT_CLOSE));
	if (!close)
		return fail(l, "unclosed comment");
	l->pos = (size_t)(close - l->source.data) + strlen(COMMENT_CLOSE);
	if (!at_close(l))
		return fail(l, "comment ends before closing delimiter");
	if (at_trimming_close(l)) {
		l->pos += 2 + strlen(CLOSE);
		return skip_spaces(l);
	}
	l->pos += strlen(CLOSE);
}

/* The text before the next action, and whether the action wants the spaces before it away. */
static void lex_text(struct lexer *l)
{
	const char *start = l->source.data + l->pos;
	const char *open = memmem(start, left(l), OPEN, strlen(OPEN));
	size_t len = open ? (size_t)(open - start) : left(l), next = l->pos + len;

	l->pos = next;
	if (open && is_next(l, 2, "-") && is_space(peek(l, 3)))
		while (len > 0 && is_space(start[len - 1]))
			len--;
	l->pos = next;
	if (len)
		add(l, TOKEN_TEXT, (struct text){start, len}, (size_t)(start - l->source.data));
}

void template_lex(struct arena *arena, struct text source, struct tokens *ret_tokens)
{
	struct lexer l = {.arena = arena, .source = source, .line = 1, .tokens = ret_tokens};

	*ret_tokens = (struct tokens){0};
	while (!l.failed && left(&l)) {
		bool trim;

		lex_text(&l);
		if (left(&l) == 0)
			break;
		trim = is_next(&l, 2, "-") && is_space(peek(&l, 3));
		if (is_next(&l, trim ? 4 : 2, COMMENT_OPEN))
			skip_comment(&l, trim ? 4 : 2);
		else
			lex_action(&l);
	}
	if (!l.failed)
		add(&l, TOKEN_END, TEXT(""), source.len);
}
