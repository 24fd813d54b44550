/* SPDX-License-Identifier: Apache-2.0 */
/* number.c - Go's number literals, and its texts of floating point numbers */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "template/template_internal.h"

#define NUMBER_MAX_BYTES 128
#define SHORTEST (-1)

/* Without underscores, terminated. False: too long, or an underscore that is not between digits. */
static bool clean(struct text text, char ret[NUMBER_MAX_BYTES])
{
	size_t len = 0;

	if (text.len == 0 || text.len >= NUMBER_MAX_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '_') {
			ret[len++] = text.data[i];
			continue;
		}
		if (i == 0 || i + 1 == text.len || text.data[i - 1] == '_' ||
		    text.data[i + 1] == '_')
			return false;
	}
	ret[len] = '\0';
	return len > 0;
}

static unsigned int base_of(const char **digits)
{
	static const struct {
		char letter;
		unsigned int base;
	} bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};

	if ((*digits)[0] != '0' || !(*digits)[1])
		return 10;
	for (size_t i = 0; i < 3; i++) {
		if (((*digits)[1] | 0x20) != bases[i].letter)
			continue;
		*digits += 2;
		return bases[i].base;
	}
	*digits += 1;
	return 8; /* 017 */
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* True when it is written as an integer; it may still be too large. */
static bool parse_integer(const char *text, struct number *number)
{
	bool negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');
	unsigned int base = base_of(&digits);
	uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;

	if (!*digits)
		return false;
	for (; *digits; digits++) {
		unsigned int digit = (unsigned int)digit_value(*digits);

		if (digit >= base)
			return false;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			number->too_large = true;
	}
	number->overflows = number->too_large || value > limit;
	number->is_integer = !number->overflows;
	number->integer = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

static bool parse_real(const char *text, struct number *number)
{
	char *end;

	if (strspn(text, "+-0123456789.eExXpPabcdfABCDF") != strlen(text))
		return false;
	errno = 0;
	number->real = strtod(text, &end);
	if (*end || end == text || !isfinite(number->real))
		return false;
	number->is_real = true;
	if (fabs(number->real) < 9e18 && number->real == (double)(int64_t)number->real) {
		number->is_integer = true;
		number->integer = (int64_t)number->real;
	}
	return true;
}

bool number_parse(struct text text, struct number *ret_number)
{
	struct number number = {0};
	char copy[NUMBER_MAX_BYTES];

	if (!clean(text, copy))
		return false;
	if (parse_integer(copy, &number))
		number.real = (double)number.integer;
	else if (!parse_real(copy, &number))
		return false;
	*ret_number = number;
	return true;
}

/* ---- writing ---- */

/* "1.5e+06", with as few digits as say which number it is. */
static void shortest_exponent_form(double value, char ret[48])
{
	for (int digits = 0; digits < 17; digits++) {
		(void)snprintf(ret, 48, "%.*e", digits, value);
		if (strtod(ret, NULL) == value)
			return;
	}
}

/* The shortest digits, without an exponent. */
static void add_plain(const char *exponent_form, struct strbuf *ret)
{
	const char *e = strchr(exponent_form, 'e');
	const char *s = exponent_form;
	char digits[48];
	int64_t exponent = 0;
	size_t count = 0;

	if (*s == '-')
		strbuf_addc(ret, *s++);
	for (; s < e; s++)
		if (*s != '.')
			digits[count++] = *s;
	(void)parse_i64(e[1] == '+' ? e + 2 : e + 1, &exponent);
	if (exponent < 0)
		strbuf_adds(ret, "0.");
	for (int64_t zero = -1; zero > exponent; zero--)
		strbuf_addc(ret, '0');
	for (size_t i = 0; i < count || (int64_t)i <= exponent; i++) {
		strbuf_addc(ret, (char)(i < count ? digits[i] : '0'));
		if ((int64_t)i == exponent && i + 1 < count)
			strbuf_addc(ret, '.');
	}
}

void number_format_real(double value, char verb, int precision, struct strbuf *ret)
{
	char format[] = {'%', '.', '*', verb, '\0'};
	char text[48];
	int64_t exponent = 0;
	const char *e;

	if (!isfinite(value)) {
		strbuf_adds(ret, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (precision != SHORTEST) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one verb of three */
		strbuf_addf(ret, format, precision, value);
#pragma GCC diagnostic pop
		return;
	}
	shortest_exponent_form(value, text);
	e = strchr(text, 'e');
	(void)parse_i64(e[1] == '+' ? e + 2 : e + 1, &exponent);
	if (verb == 'e' || (verb == 'g' && (exponent < -4 || exponent >= 6)))
		strbuf_adds(ret, text);
	else
		add_plain(text, ret);
}
