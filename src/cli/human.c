/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/human.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define HOURS_PER_DAY INT64_C(24)
#define HOURS_PER_WEEK (7 * HOURS_PER_DAY)
#define HOURS_PER_MONTH (30 * HOURS_PER_DAY)
#define HOURS_PER_YEAR (365 * HOURS_PER_DAY)

/* "999.96kB" would be rounded to "1e+03kB": values from `limit` up get the next unit. */
static void scaled(uint64_t bytes, double base, double limit, const char *const *units,
		   size_t count, int digits, struct strbuf *text)
{
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= limit && unit + 1 < count) {
		value /= base;
		unit++;
	}
	strbuf_addf(text, "%.*g%s", digits, value, units[unit]);
}

void human_size(uint64_t bytes, int digits, struct strbuf *ret_text)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

	scaled(bytes, 1000.0, digits < 4 ? 999.5 : 999.95, units, ARRAY_SIZE(units), digits,
	       ret_text);
}

void human_binary_size(uint64_t bytes, struct strbuf *ret_text)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

	scaled(bytes, 1024.0, 1024.0, units, ARRAY_SIZE(units), 4, ret_text);
}

void human_duration(int64_t ns, struct strbuf *ret_text)
{
	int64_t seconds = ns > 0 ? ns / NS_PER_SECOND : 0;
	int64_t minutes = seconds / 60;
	int64_t hours = (seconds + 1800) / 3600; /* to the nearest */

	if (seconds < 1)
		strbuf_adds(ret_text, "Less than a second");
	else if (seconds == 1)
		strbuf_adds(ret_text, "1 second");
	else if (seconds < 60)
		strbuf_addf(ret_text, "%" PRId64 " seconds", seconds);
	else if (minutes == 1)
		strbuf_adds(ret_text, "About a minute");
	else if (minutes < 60)
		strbuf_addf(ret_text, "%" PRId64 " minutes", minutes);
	else if (hours == 1)
		strbuf_adds(ret_text, "About an hour");
	else if (hours < 2 * HOURS_PER_DAY)
		strbuf_addf(ret_text, "%" PRId64 " hours", hours);
	else if (hours < 2 * HOURS_PER_WEEK)
		strbuf_addf(ret_text, "%" PRId64 " days", hours / HOURS_PER_DAY);
	else if (hours < 2 * HOURS_PER_MONTH)
		strbuf_addf(ret_text, "%" PRId64 " weeks", hours / HOURS_PER_WEEK);
	else if (hours < 2 * HOURS_PER_YEAR)
		strbuf_addf(ret_text, "%" PRId64 " months", hours / HOURS_PER_MONTH);
	else
		strbuf_addf(ret_text, "%" PRId64 " years", hours / HOURS_PER_YEAR);
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void human_shorten(const char *text, size_t max, struct strbuf *ret_text)
{
	size_t characters = 0, cut = 0;

	for (size_t i = 0; text[i]; i++) {
		if (is_continuation(text[i]))
			continue;
		if (characters == max - 1)
			cut = i; /* room for one more: the last character, or the ellipsis */
		characters++;
	}
	if (characters <= max) {
		strbuf_adds(ret_text, text);
		return;
	}
	strbuf_add(ret_text, text, cut);
	strbuf_adds(ret_text, "…");
}

void human_quote(const char *text, struct strbuf *ret_text)
{
	static const char escaped[] = "\a\b\f\n\r\t\v\"\\";
	static const char letters[] = "abfnrtv\"\\";

	strbuf_addc(ret_text, '"');
	for (; *text; text++) {
		const char *special = strchr(escaped, *text);

		if (special)
			strbuf_addf(ret_text, "\\%c", letters[special - escaped]);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			strbuf_addf(ret_text, "\\x%02x", (unsigned int)(unsigned char)*text);
		else
			strbuf_addc(ret_text, *text);
	}
	strbuf_addc(ret_text, '"');
}
