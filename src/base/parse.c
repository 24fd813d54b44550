/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* Digits of `base` at *text; advances past them. At least one is required. */
static int scan_digits(const char **text, unsigned int base, uint64_t *ret_value)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p >= (char)('0' + base))
		return -EINVAL;
	for (; *p >= '0' && *p < (char)('0' + base); p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	*text = p;
	*ret_value = value;
	return 0;
}

static int parse_unsigned(const char *text, unsigned int base, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	int r;

	r = scan_digits(&text, base, &value);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int parse_u32(const char *text, uint32_t *ret_value)
{
	uint64_t value;
	int r = parse_unsigned(text, 10, UINT32_MAX, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
	return parse_unsigned(text, 10, UINT64_MAX, ret_value);
}

int parse_i64(const char *text, int64_t *ret_value)
{
	bool negative = *text == '-';
	uint64_t value;
	int r;

	r = parse_unsigned(text + negative, 10, (uint64_t)INT64_MAX + negative, &value);
	if (r < 0)
		return r;
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int parse_octal(const char *text, uint32_t *ret_value)
{
	uint64_t value;
	int r = parse_unsigned(text, 8, 07777, &value);

	if (r == 0)
		*ret_value = (uint32_t)value;
	return r;
}

int parse_bool(const char *text, bool *ret_value)
{
	static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0) {
			*ret_value = true;
			return 0;
		}
		if (strcmp(text, no[i]) == 0) {
			*ret_value = false;
			return 0;
		}
	}
	return -EINVAL;
}

/* "12.345" as whole part and fraction in units of 10^-9 (further digits are cut). */
static int scan_decimal(const char **text, uint64_t *ret_whole, uint64_t *ret_nano)
{
	const char *p = *text;
	uint64_t whole = 0, nano = 0, unit = 100000000;
	bool digits = false;
	int r;

	if (isdigit((unsigned char)*p)) {
		r = scan_digits(&p, 10, &whole);
		if (r < 0)
			return r;
		digits = true;
	}
	if (*p == '.') {
		p++;
		for (; isdigit((unsigned char)*p); p++, unit /= 10, digits = true)
			nano += (uint64_t)(*p - '0') * unit;
	}
	if (!digits)
		return -EINVAL;
	*text = p;
	*ret_whole = whole;
	*ret_nano = nano;
	return 0;
}

static int scale(uint64_t whole, uint64_t nano, uint64_t unit, uint64_t *ret_value)
{
	uint64_t value;

	if (__builtin_mul_overflow(whole, unit, &value) ||
	    __builtin_add_overflow(value, (uint64_t)((unsigned __int128)nano * unit / 1000000000),
				   &value))
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char letters[] = "kmgtp";
	uint64_t whole, nano, unit = 1, value;
	const char *letter;
	int r;

	r = scan_decimal(&text, &whole, &nano);
	if (r < 0)
		return r;
	if (*text == ' ')
		text++;
	letter = *text ? strchr(letters, tolower((unsigned char)*text)) : NULL;
	if (letter) {
		unit = (uint64_t)1 << (10 * (letter - letters + 1));
		text++;
		if (strcasecmp(text, "ib") == 0)
			text += 2;
	}
	if (strcasecmp(text, "b") == 0)
		text++;
	if (*text)
		return -EINVAL;
	r = scale(whole, nano, unit, &value);
	if (r == 0)
		*ret_bytes = value;
	return r;
}

int parse_decimal_nano(const char *text, int64_t *ret_nano)
{
	uint64_t whole, nano, value;
	int r;

	r = scan_decimal(&text, &whole, &nano);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	r = scale(whole, nano, 1000000000, &value);
	if (r < 0 || value > INT64_MAX)
		return -ERANGE;
	*ret_nano = (int64_t)value;
	return 0;
}

static const struct duration_unit {
	const char *name;
	uint64_t ns;
} duration_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60ULL * 1000000000},
	{"h", 3600ULL * 1000000000},
};

static const struct duration_unit *find_duration_unit(const char *text)
{
	size_t len = strcspn(text, "0123456789.");

	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++)
		if (strlen(duration_units[i].name) == len &&
		    memcmp(duration_units[i].name, text, len) == 0)
			return &duration_units[i];
	return NULL;
}

int parse_duration(const char *text, int64_t *ret_ns)
{
	bool negative = *text == '-';
	uint64_t total = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	while (*text) {
		const struct duration_unit *unit;
		uint64_t whole, nano, part;
		int r;

		r = scan_decimal(&text, &whole, &nano);
		if (r < 0)
			return r;
		unit = find_duration_unit(text);
		if (!unit)
			return -EINVAL;
		text += strlen(unit->name);
		r = scale(whole, nano, unit->ns, &part);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, part, &total) || total > INT64_MAX)
			return -ERANGE;
	}
	*ret_ns = negative ? -(int64_t)total : (int64_t)total;
	return 0;
}
