/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - Go's string and character literals, and UTF-8 */
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <wctype.h>

#include "template/template_internal.h"

#define REPLACEMENT UINT32_C(0xfffd)
#define MAX_CHARACTER UINT32_C(0x10ffff)

/* ---- UTF-8 ---- */

static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

static bool is_character(uint32_t c)
{
	return c <= MAX_CHARACTER && !(c >= 0xd800 && c < 0xe000);
}

uint32_t utf8_decode(const char *s, size_t len, size_t *ret_size)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t size = sequence_length((unsigned char)s[0]);
	uint32_t c;

	*ret_size = 1;
	if (size == 0 || size > len)
		return REPLACEMENT;
	c = (unsigned char)s[0] & masks[size];
	for (size_t i = 1; i < size; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (c < smallest[size] || !is_character(c))
		return REPLACEMENT;
	*ret_size = size;
	return c;
}

void utf8_add(uint32_t c, struct strbuf *ret)
{
	if (!is_character(c))
		c = REPLACEMENT;
	if (c < 0x80) {
		strbuf_addc(ret, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(ret, (char)(0xc0 | c >> 6));
		strbuf_addc(ret, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_addc(ret, (char)(0xe0 | c >> 12));
		strbuf_addc(ret, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(ret, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_addc(ret, (char)(0xf0 | c >> 18));
		strbuf_addc(ret, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_addc(ret, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(ret, (char)(0x80 | (c & 0x3f)));
	}
}

size_t utf8_count(struct text text)
{
	size_t count = 0, size;

	for (size_t i = 0; i < text.len; i += size, count++)
		(void)utf8_decode(text.data + i, text.len - i, &size);
	return count;
}

/* ---- reading ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Digits of an escape; advances *s. */
static bool read_digits(const char **s, const char *end, size_t count, unsigned int base,
			uint32_t *ret)
{
	uint32_t value = 0;

	if ((size_t)(end - *s) < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int digit = hex_value(*(*s)++);

		if (digit < 0 || (unsigned int)digit >= base)
			return false;
		value = value * base + (unsigned int)digit;
	}
	*ret = value;
	return true;
}

/* \x and \101 are bytes; everything else is a character. */
struct escape {
	uint32_t value;
	bool is_byte;
};

static bool read_numeric_escape(char letter, const char **s, const char *end, struct escape *ret)
{
	switch (letter) {
	case 'x':
		ret->is_byte = true;
		return read_digits(s, end, 2, 16, &ret->value);
	case 'u':
		return read_digits(s, end, 4, 16, &ret->value) && is_character(ret->value);
	case 'U':
		return read_digits(s, end, 8, 16, &ret->value) && is_character(ret->value);
	default:
		(*s)--;
		ret->is_byte = true;
		return read_digits(s, end, 3, 8, &ret->value) && ret->value < 256;
	}
}

/* What follows a backslash. */
static bool read_escape(const char **s, const char *end, char quote, struct escape *ret)
{
	static const char letters[] = "abfnrtv\\";
	static const char meant[] = "\a\b\f\n\r\t\v\\";
	const char *found;
	char letter;

	*ret = (struct escape){0};
	if (*s == end)
		return false;
	letter = *(*s)++;
	found = letter ? strchr(letters, letter) : NULL;
	if (found || letter == quote) {
		ret->value = (unsigned char)(found ? meant[found - letters] : letter);
		return true;
	}
	return read_numeric_escape(letter, s, end, ret);
}

static bool unquote_interpreted(struct text quoted, struct strbuf *value)
{
	const char *s = quoted.data + 1, *end = quoted.data + quoted.len - 1;

	while (s < end) {
		struct escape escape;

		if (*s != '\\') {
			strbuf_addc(value, *s++);
			continue;
		}
		s++;
		if (!read_escape(&s, end, '"', &escape))
			return false;
		if (escape.is_byte)
			strbuf_addc(value, (char)escape.value);
		else
			utf8_add(escape.value, value);
	}
	return true;
}

bool unquote_string(struct arena *arena, struct text quoted, struct text *ret_value)
{
	auto_(strbuf_release) struct strbuf value = {0};

	if (quoted.len < 2)
		return false;
	if (quoted.data[0] == '`') {
		for (size_t i = 1; i < quoted.len - 1; i++)
			if (quoted.data[i] != '\r') /* as Go's raw strings */
				strbuf_addc(&value, quoted.data[i]);
	} else if (!unquote_interpreted(quoted, &value)) {
		return false;
	}
	*ret_value = arena_take(arena, &value);
	return true;
}

int unquote_character(struct text quoted, uint32_t *ret_character)
{
	const char *s = quoted.data + 1, *end = quoted.data + quoted.len - 1;
	struct escape escape;
	size_t size;

	if (quoted.len < 3)
		return -EINVAL;
	if (*s == '\\') {
		s++;
		if (!read_escape(&s, end, '\'', &escape))
			return -EINVAL;
		*ret_character = escape.value;
	} else {
		*ret_character = utf8_decode(s, (size_t)(end - s), &size);
		s += size;
	}
	return s == end ? 0 : -E2BIG;
}

/* ---- writing ---- */

/* What a terminal shows: Unicode's letters, marks, numbers, signs, and the plain space. */
static bool can_print(uint32_t c)
{
	static locale_t unicode;

	if (c < 0x80)
		return c >= 0x20 && c < 0x7f;
	if (c < 0xa1 || c == 0xad)
		return false;
	if (!unicode)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	return !unicode || (iswprint_l((wint_t)c, unicode) && !iswspace_l((wint_t)c, unicode));
}

static void add_escaped(uint32_t c, char quote, bool ascii, struct strbuf *ret)
{
	static const char escaped[] = "\a\b\f\n\r\t\v\\";
	static const char letters[] = "abfnrtv\\";
	const char *special = c && c < 0x80 ? strchr(escaped, (int)c) : NULL;

	if (special)
		strbuf_addf(ret, "\\%c", letters[special - escaped]);
	else if (c == (unsigned char)quote)
		strbuf_addf(ret, "\\%c", quote);
	else if (ascii ? c >= 0x20 && c < 0x7f : can_print(c))
		utf8_add(c, ret);
	else if (c < 0x20 || c == 0x7f)
		strbuf_addf(ret, "\\x%02x", (unsigned int)c);
	else if (c < 0x10000)
		strbuf_addf(ret, "\\u%04x", (unsigned int)c);
	else
		strbuf_addf(ret, "\\U%08x", (unsigned int)c);
}

void quote_string(struct text value, bool ascii, struct strbuf *ret)
{
	size_t size;

	strbuf_addc(ret, '"');
	for (size_t i = 0; i < value.len; i += size) {
		uint32_t c = utf8_decode(value.data + i, value.len - i, &size);

		if (c == REPLACEMENT && size == 1)
			strbuf_addf(ret, "\\x%02x", (unsigned char)value.data[i]);
		else
			add_escaped(c, '"', ascii, ret);
	}
	strbuf_addc(ret, '"');
}

void quote_character(uint32_t character, bool ascii, struct strbuf *ret)
{
	strbuf_addc(ret, '\'');
	add_escaped(is_character(character) ? character : REPLACEMENT, '\'', ascii, ret);
	strbuf_addc(ret, '\'');
}
