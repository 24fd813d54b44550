/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"

#define NS_PER_S 1000000000LL

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/*
 * The Gregorian date of a day, counted from 1970-01-01, by arithmetic: gmtime_r(3) reads the time
 * zone file first, although UTC has no use for it. Years begin in March here, so that the leap day
 * is their last; 400 of them have 146097 days.
 */
static void date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int day_of_era = (int)(shifted - era * 146097);
	int year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month = (5 * day_of_year + 2) / 153; /* 0: March */

	*ret_day = day_of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = era * 400 + year_of_era + (*ret_month <= 2);
}

void clock_format(int64_t ns, char ret_text[CLOCK_TEXT_SIZE])
{
	int64_t seconds = ns / NS_PER_S, days, year;
	long fraction = (long)(ns % NS_PER_S);
	int month, day, left;
	int n;

	if (fraction < 0) {
		fraction += NS_PER_S;
		seconds--;
	}
	days = seconds / 86400;
	left = (int)(seconds % 86400);
	if (left < 0) {
		left += 86400;
		days--;
	}
	date_of(days, &year, &month, &day);
	n = snprintf(ret_text, CLOCK_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)year,
		     month, day, left / 3600, left / 60 % 60, left % 60);
	if (fraction) {
		n += snprintf(ret_text + n, CLOCK_TEXT_SIZE - (size_t)n, ".%09ld", fraction);
		while (ret_text[n - 1] == '0')
			n--;
	}
	(void)snprintf(ret_text + n, CLOCK_TEXT_SIZE - (size_t)n, "Z");
}

/* Exactly `count` digits. */
static int scan_number(const char **text, int count, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)(*text)[i]))
			return -EINVAL;
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += count;
	*ret_value = value;
	return 0;
}

static int scan_char(const char **text, char c)
{
	if (**text != c)
		return -EINVAL;
	(*text)++;
	return 0;
}

static long scan_fraction(const char **text)
{
	long value = 0, unit = NS_PER_S / 10;

	if (**text != '.' || !isdigit((unsigned char)(*text)[1]))
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		value += (**text - '0') * unit;
	return value;
}

static int scan_date(const char **text, struct tm *tm)
{
	if (scan_number(text, 4, &tm->tm_year) < 0 || scan_char(text, '-') < 0 ||
	    scan_number(text, 2, &tm->tm_mon) < 0 || scan_char(text, '-') < 0 ||
	    scan_number(text, 2, &tm->tm_mday) < 0)
		return -EINVAL;
	if (tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 || tm->tm_mday > 31)
		return -EINVAL;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return 0;
}

/* HH, HH:MM or HH:MM:SS; docker accepts the short forms for --since. */
static int scan_time(const char **text, struct tm *tm, long *ret_fraction)
{
	*ret_fraction = 0;
	if (scan_number(text, 2, &tm->tm_hour) < 0 || tm->tm_hour > 23)
		return -EINVAL;
	if (**text != ':')
		return 0;
	(*text)++;
	if (scan_number(text, 2, &tm->tm_min) < 0 || tm->tm_min > 59)
		return -EINVAL;
	if (**text != ':')
		return 0;
	(*text)++;
	if (scan_number(text, 2, &tm->tm_sec) < 0 || tm->tm_sec > 60)
		return -EINVAL;
	*ret_fraction = scan_fraction(text);
	return 0;
}

static int scan_offset(const char **text, int *ret_seconds)
{
	int sign, hours, minutes;

	if (**text == 'Z' || **text == 'z') {
		(*text)++;
		*ret_seconds = 0;
		return 0;
	}
	if (**text != '+' && **text != '-')
		return -EINVAL;
	sign = *(*text)++ == '-' ? -1 : 1;
	if (scan_number(text, 2, &hours) < 0 || scan_char(text, ':') < 0 ||
	    scan_number(text, 2, &minutes) < 0)
		return -EINVAL;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int parse_date_time(const char *text, bool strict, int64_t *ret_ns)
{
	struct tm tm = {0};
	long fraction = 0;
	int offset;
	time_t seconds;
	int64_t ns;

	tm.tm_isdst = -1;
	if (scan_date(&text, &tm) < 0)
		return -EINVAL;
	if (*text == 'T' || *text == 't') {
		text++;
		if (scan_time(&text, &tm, &fraction) < 0)
			return -EINVAL;
	} else if (strict) {
		return -EINVAL;
	}
	if (*text) {
		if (scan_offset(&text, &offset) < 0 || *text)
			return -EINVAL;
		seconds = timegm(&tm) - offset;
	} else {
		if (strict)
			return -EINVAL;
		seconds = mktime(&tm);
	}
	if (__builtin_mul_overflow((int64_t)seconds, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, fraction, &ns))
		return -ERANGE; /* nanoseconds reach from 1677 to 2262 */
	*ret_ns = ns;
	return 0;
}

int clock_parse(const char *text, int64_t *ret_ns)
{
	return parse_date_time(text, /* strict= */ true, ret_ns);
}

int clock_parse_user(const char *text, int64_t now_ns, int64_t *ret_ns)
{
	int64_t duration;

	if (parse_date_time(text, /* strict= */ false, ret_ns) == 0)
		return 0;
	if (*text && text[strspn(text, "0123456789.")] == '\0')
		return parse_decimal_nano(text, ret_ns);
	if (parse_duration(text, &duration) < 0)
		return -EINVAL;
	*ret_ns = now_ns - duration;
	return 0;
}
