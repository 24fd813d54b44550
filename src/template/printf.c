/* SPDX-License-Identifier: Apache-2.0 */
/* printf.c - printf with Go's verbs (package fmt, without pointers and complex numbers) */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "template/template_internal.h"

#define WIDTH_MAX 1000000 /* Go's own limit */
#define REAL_PRECISION_MAX 400

/* One directive: %[flags][width][.precision]verb */
struct directive {
	bool plus, minus, sharp, space, zero;
	bool has_width, has_precision;
	int64_t width, precision;
	uint32_t verb;
};

struct printer {
	const struct call *call;
	struct text format;
	size_t pos;  /* in the format */
	size_t next; /* argument; the first is the format itself */
	bool reordered, bad_index;
	struct strbuf *out;
};

static void print_directive(struct printer *p, const struct directive *d,
			    const struct value *value);

/* ---- padding ---- */

/* `text` in the directive's width; with zeros they come after the sign. */
static void add_padded(struct printer *p, const struct directive *d, struct text text, bool zero)
{
	size_t count = utf8_count(text), sign = 0;
	size_t missing = d->has_width && (uint64_t)d->width > count ? (size_t)d->width - count : 0;

	zero = zero && !d->minus;
	if (zero && text.len && (text.data[0] == '-' || text.data[0] == '+' || text.data[0] == ' '))
		sign = 1;
	strbuf_add(p->out, text.data, sign);
	for (size_t i = 0; i < missing && !d->minus; i++)
		strbuf_addc(p->out, zero ? '0' : ' ');
	strbuf_add(p->out, text.data + sign, text.len - sign);
	for (size_t i = 0; i < missing && d->minus; i++)
		strbuf_addc(p->out, ' ');
}

static void add_padded_buffer(struct printer *p, const struct directive *d, const struct strbuf *b,
			      bool zero)
{
	add_padded(p, d, (struct text){strbuf_text(b), b->len}, zero);
}

/* "%!d(string=hi)" */
static void add_bad_verb(struct printer *p, const struct directive *d, const struct value *value)
{
	const struct directive plain = {.verb = 'v'};

	strbuf_adds(p->out, "%!");
	utf8_add(d->verb, p->out);
	strbuf_addc(p->out, '(');
	if (value->kind == VALUE_NONE || (value->kind == VALUE_NIL && !value->type)) {
		strbuf_adds(p->out, "<nil>");
	} else {
		strbuf_adds(p->out, value_type_name(value));
		strbuf_addc(p->out, '=');
		print_directive(p, &plain, value);
	}
	strbuf_addc(p->out, ')');
}

/* ---- integers ---- */

static void add_digits(uint64_t value, unsigned int base, bool upper, struct strbuf *ret)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[64];
	size_t at = sizeof(text);

	do {
		text[--at] = digits[value % base];
		value /= base;
	} while (value);
	strbuf_add(ret, text + at, sizeof(text) - at);
}

static const char *base_prefix(const struct directive *d)
{
	if (d->verb == 'O')
		return "0o";
	if (!d->sharp)
		return "";
	switch (d->verb) {
	case 'b':
		return "0b";
	case 'o':
		return "0";
	case 'x':
		return "0x";
	case 'X':
		return "0X";
	default:
		return "";
	}
}

static void print_integer(struct printer *p, const struct directive *d, int64_t value,
			  unsigned int base)
{
	auto_(strbuf_release) struct strbuf digits = {0}, text = {0};
	bool negative = value < 0, zero = d->zero && !d->has_precision;
	size_t wanted = d->has_precision ? (size_t)d->precision : 1;

	if (d->has_precision && d->precision == 0 && value == 0) {
		add_padded(p, d, TEXT(""), /* zero= */ false);
		return;
	}
	add_digits(negative ? 0 - (uint64_t)value : (uint64_t)value, base, d->verb == 'X', &digits);
	/* Zeros that fill the width count as digits, as Go has it: the prefix does not. */
	if (zero && d->has_width && !d->minus) {
		size_t sign = negative || d->plus || d->space;

		wanted = (size_t)d->width > sign ? (size_t)d->width - sign : 1;
	}
	strbuf_adds(&text, negative ? "-" : d->plus ? "+" : d->space ? " " : "");
	strbuf_adds(&text, base_prefix(d));
	for (size_t i = digits.len; i < wanted; i++)
		strbuf_addc(&text, '0');
	strbuf_add(&text, digits.data, digits.len);
	add_padded_buffer(p, d, &text, /* zero= */ false);
}

static void print_character(struct printer *p, const struct directive *d, int64_t value)
{
	uint32_t c = value < 0 || value > 0x10ffff ? 0xfffd : (uint32_t)value;
	auto_(strbuf_release) struct strbuf text = {0};

	if (d->verb == 'c')
		utf8_add(c, &text);
	else
		quote_character(c, d->plus, &text);
	add_padded_buffer(p, d, &text, d->zero && d->verb == 'q');
}

/* "U+1F600", with # "U+1F600 '😀'" */
static void print_code_point(struct printer *p, const struct directive *d, int64_t value)
{
	auto_(strbuf_release) struct strbuf text = {0};

	strbuf_addf(&text, "U+%0*" PRIX64,
		    d->has_precision && d->precision > 4 ? (int)d->precision : 4, (uint64_t)value);
	if (d->sharp && value >= 0x20 && value <= 0x10ffff && value != 0x7f) {
		strbuf_adds(&text, " '");
		utf8_add((uint32_t)value, &text);
		strbuf_addc(&text, '\'');
	}
	add_padded_buffer(p, d, &text, /* zero= */ false);
}

static void print_int(struct printer *p, const struct directive *d, const struct value *value)
{
	switch (d->verb) {
	case 'v':
	case 'd':
		return print_integer(p, d, value->integer, 10);
	case 'b':
		return print_integer(p, d, value->integer, 2);
	case 'o':
	case 'O':
		return print_integer(p, d, value->integer, 8);
	case 'x':
	case 'X':
		return print_integer(p, d, value->integer, 16);
	case 'c':
	case 'q':
		return print_character(p, d, value->integer);
	case 'U':
		return print_code_point(p, d, value->integer);
	default:
		return add_bad_verb(p, d, value);
	}
}

/* ---- floating point ---- */

static void upper_case(struct strbuf *text)
{
	for (size_t i = 0; i < text->len; i++)
		text->data[i] = (char)toupper((unsigned char)text->data[i]);
}

static void print_real(struct printer *p, const struct directive *d, const struct value *value)
{
	static const char verbs[] = "vgGeEfF";
	static const char meant[] = "gggeeff";
	const char *verb = d->verb < 0x80 && d->verb ? strchr(verbs, (int)d->verb) : NULL;
	auto_(strbuf_release) struct strbuf text = {0};
	int64_t precision = d->has_precision ? d->precision : -1;

	if (!verb)
		return add_bad_verb(p, d, value);
	if (precision < 0 && meant[verb - verbs] != 'g')
		precision = 6;
	if (precision > REAL_PRECISION_MAX)
		precision = REAL_PRECISION_MAX;
	if (d->plus && !signbit(value->real))
		strbuf_addc(&text, '+');
	else if (d->space && !signbit(value->real))
		strbuf_addc(&text, ' ');
	number_format_real(value->real, meant[verb - verbs], (int)precision, &text);
	if (d->verb == 'G' || d->verb == 'E')
		upper_case(&text);
	add_padded_buffer(p, d, &text, d->zero && isfinite(value->real));
}

/* ---- texts ---- */

static struct text cut(const struct directive *d, struct text text)
{
	size_t len = 0, size;

	if (!d->has_precision)
		return text;
	for (int64_t i = 0; i < d->precision && len < text.len; i++, len += size)
		(void)utf8_decode(text.data + len, text.len - len, &size);
	return (struct text){text.data, len};
}

static void print_hex(struct printer *p, const struct directive *d, struct text text)
{
	const char *prefix = !d->sharp ? "" : d->verb == 'X' ? "0X" : "0x";
	auto_(strbuf_release) struct strbuf hex = {0};

	if (d->has_precision && (uint64_t)d->precision < text.len)
		text.len = (size_t)d->precision;
	for (size_t i = 0; i < text.len; i++) {
		if (i > 0 && d->space)
			strbuf_addc(&hex, ' ');
		strbuf_adds(&hex, i == 0 || d->space ? prefix : "");
		strbuf_addf(&hex, d->verb == 'X' ? "%02X" : "%02x", (unsigned char)text.data[i]);
	}
	add_padded_buffer(p, d, &hex, d->zero);
}

static bool can_be_raw(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (((unsigned char)text.data[i] < 0x20 && text.data[i] != '\t') ||
		    text.data[i] == '`' || text.data[i] == 0x7f)
			return false;
	return true;
}

static void print_quoted(struct printer *p, const struct directive *d, struct text text)
{
	auto_(strbuf_release) struct strbuf quoted = {0};

	text = cut(d, text);
	if (d->sharp && can_be_raw(text)) {
		strbuf_addc(&quoted, '`');
		strbuf_add(&quoted, text.data, text.len);
		strbuf_addc(&quoted, '`');
	} else {
		quote_string(text, d->plus, &quoted);
	}
	add_padded_buffer(p, d, &quoted, d->zero);
}

static void print_string(struct printer *p, const struct directive *d, const struct value *value)
{
	struct text text = value->text;

	switch (d->verb) {
	case 'v':
		if (d->sharp)
			return print_quoted(p, d, text);
		return add_padded(p, d, cut(d, text), d->zero);
	case 's':
		return add_padded(p, d, cut(d, text), d->zero);
	case 'x':
	case 'X':
		return print_hex(p, d, text);
	case 'q':
		return print_quoted(p, d, text);
	default:
		return add_bad_verb(p, d, value);
	}
}

/* ---- everything else ---- */

static void print_bool(struct printer *p, const struct directive *d, const struct value *value)
{
	if (d->verb != 't' && d->verb != 'v')
		return add_bad_verb(p, d, value);
	add_padded(p, d, value->truth ? TEXT("true") : TEXT("false"), /* zero= */ false);
}

static void print_nil(struct printer *p, const struct directive *d, const struct value *value)
{
	if (d->verb != 'v')
		return add_bad_verb(p, d, value);
	add_padded(p, d, TEXT("<nil>"), /* zero= */ false);
}

static void print_list(struct printer *p, const struct directive *d, const struct value *list)
{
	size_t count = value_count(list);

	strbuf_addc(p->out, '[');
	for (size_t i = 0; i < count; i++) {
		struct value item = value_item(list, i);

		strbuf_adds(p->out, i ? " " : "");
		print_directive(p, d, &item);
	}
	strbuf_addc(p->out, ']');
}

static void print_map(struct printer *p, const struct directive *d, const struct value *map)
{
	size_t count;
	const struct text *keys = sorted_keys(&p->call->run->arena, map->json, &count);

	strbuf_adds(p->out, "map[");
	for (size_t i = 0; i < count; i++) {
		struct value key = value_of_text(keys[i]), member;

		(void)value_member(map, keys[i], &member);
		strbuf_adds(p->out, i ? " " : "");
		print_directive(p, d, &key);
		strbuf_addc(p->out, ':');
		print_directive(p, d, &member);
	}
	strbuf_addc(p->out, ']');
}

static void print_type(struct printer *p, const struct directive *d, const struct value *value)
{
	struct directive plain = *d;

	plain.verb = 's';
	add_padded(p, &plain, text_of(value_type_name(value)), /* zero= */ false);
}

static void print_directive(struct printer *p, const struct directive *d, const struct value *value)
{
	if (d->verb == 'T')
		return print_type(p, d, value);
	switch (value->kind) {
	case VALUE_NONE:
	case VALUE_NIL:
		return print_nil(p, d, value);
	case VALUE_BOOL:
		return print_bool(p, d, value);
	case VALUE_INT:
		return print_int(p, d, value);
	case VALUE_FLOAT:
		return print_real(p, d, value);
	case VALUE_STRING:
		return print_string(p, d, value);
	case VALUE_LIST:
		return print_list(p, d, value);
	case VALUE_MAP:
		return print_map(p, d, value);
	case VALUE_STRUCT:
		return value_print(&p->call->run->arena, value, p->out);
	}
}

/* ---- the format ---- */

static bool at_end(const struct printer *p)
{
	return p->pos >= p->format.len;
}

static char here(const struct printer *p)
{
	return (char)(at_end(p) ? '\0' : p->format.data[p->pos]);
}

static bool read_number(struct printer *p, int64_t *ret)
{
	size_t start = p->pos;
	int64_t value = 0;

	for (; isdigit((unsigned char)here(p)); p->pos++)
		if (value <= WIDTH_MAX)
			value = value * 10 + (here(p) - '0');
	if (p->pos == start)
		return false;
	if (value > WIDTH_MAX) { /* Go gives up on the whole format */
		p->pos = p->format.len;
		return false;
	}
	*ret = value;
	return true;
}

static bool read_flag(char c, struct directive *d)
{
	switch (c) {
	case '#':
		d->sharp = true;
		return true;
	case '0':
		d->zero = true;
		return true;
	case '+':
		d->plus = true;
		return true;
	case '-':
		d->minus = true;
		return true;
	case ' ':
		d->space = true;
		return true;
	default:
		return false;
	}
}

/* "[2]": which argument comes next. True when there was one, good or bad. */
static bool read_index(struct printer *p)
{
	size_t start = p->pos;
	int64_t index;

	if (here(p) != '[')
		return false;
	p->reordered = true;
	p->pos++;
	if (read_number(p, &index) && here(p) == ']' && index >= 1 &&
	    (uint64_t)index < p->call->count) {
		p->pos++;
		p->next = (size_t)index;
		return true;
	}
	p->bad_index = true;
	p->pos = start + 1;
	while (!at_end(p) && here(p) != ']')
		p->pos++;
	p->pos += !at_end(p);
	return true;
}

static const struct value *next_argument(struct printer *p)
{
	return p->next < p->call->count ? &p->call->args[p->next++] : NULL;
}

/* A number, or "*" for an argument. False: the argument is no such number. */
static bool read_extent(struct printer *p, bool *ret_has, int64_t *ret_value)
{
	const struct value *value;

	if (here(p) != '*') {
		*ret_has = read_number(p, ret_value);
		return true;
	}
	p->pos++;
	value = next_argument(p);
	*ret_has = value && value->kind == VALUE_INT && value->integer >= -WIDTH_MAX &&
		   value->integer <= WIDTH_MAX;
	*ret_value = *ret_has ? value->integer : 0;
	return *ret_has;
}

static void read_width(struct printer *p, struct directive *d)
{
	if (!read_extent(p, &d->has_width, &d->width))
		strbuf_adds(p->out, "%!(BADWIDTH)");
	if (d->has_width && d->width < 0) {
		d->width = -d->width;
		d->minus = true;
		d->zero = false;
	}
}

static void read_precision(struct printer *p, struct directive *d)
{
	if (here(p) != '.')
		return;
	p->pos++;
	(void)read_index(p);
	if (!read_extent(p, &d->has_precision, &d->precision))
		strbuf_adds(p->out, "%!(BADPREC)");
	else if (!d->has_precision) /* "%.f" is "%.0f" */
		d->has_precision = true;
	if (d->precision < 0) {
		d->has_precision = false;
		d->precision = 0;
		strbuf_adds(p->out, "%!(BADPREC)");
	}
}

/* What follows a '%'. False: the format ends before the verb. */
static bool read_directive(struct printer *p, struct directive *d)
{
	size_t size;

	p->bad_index = false;
	while (read_flag(here(p), d))
		p->pos++;
	(void)read_index(p);
	read_width(p, d);
	read_precision(p, d);
	(void)read_index(p);
	if (at_end(p)) {
		strbuf_adds(p->out, "%!(NOVERB)");
		return false;
	}
	d->verb = utf8_decode(p->format.data + p->pos, p->format.len - p->pos, &size);
	p->pos += size;
	return true;
}

static void print_one(struct printer *p)
{
	struct directive d = {0};
	const struct value *value;

	if (!read_directive(p, &d))
		return;
	if (d.verb == '%') {
		strbuf_addc(p->out, '%');
		return;
	}
	value = p->bad_index ? NULL : next_argument(p);
	if (!value) {
		strbuf_adds(p->out, "%!");
		utf8_add(d.verb, p->out);
		strbuf_adds(p->out, p->bad_index ? "(BADINDEX)" : "(MISSING)");
		return;
	}
	print_directive(p, &d, value);
}

/* Arguments that no directive asked for. */
static void print_extra(struct printer *p)
{
	const struct directive plain = {.verb = 'v'};

	if (p->reordered || p->next >= p->call->count)
		return;
	strbuf_adds(p->out, "%!(EXTRA ");
	for (size_t i = p->next; i < p->call->count; i++) {
		const struct value *value = &p->call->args[i];

		strbuf_adds(p->out, i > p->next ? ", " : "");
		if (value->kind == VALUE_NONE || (value->kind == VALUE_NIL && !value->type)) {
			strbuf_adds(p->out, "<nil>");
			continue;
		}
		strbuf_adds(p->out, value_type_name(value));
		strbuf_addc(p->out, '=');
		print_directive(p, &plain, value);
	}
	strbuf_addc(p->out, ')');
}

int call_printf(const struct call *call)
{
	auto_(strbuf_release) struct strbuf out = {0};
	struct printer p = {.call = call, .format = call->args[0].text, .next = 1, .out = &out};

	while (!at_end(&p) && out.len <= TEMPLATE_MAX_OUTPUT_BYTES) {
		if (here(&p) != '%') {
			strbuf_addc(&out, here(&p));
			p.pos++;
			continue;
		}
		p.pos++;
		print_one(&p);
	}
	print_extra(&p);
	*call->ret = value_of_text(arena_take(&call->run->arena, &out));
	return 0;
}
