/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/header_value.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/parse.h"

/* The parameters of one link: from after '>' to before the next ',' that is not in quotes. */
static const char *params_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ','); s++)
		if (*s == '"')
			quoted = !quoted;
	return s;
}

static bool says_next(const char *params, size_t len)
{
	auto_free char *text = xstrndup(params, len);

	return strcasestr(text, "rel=\"next\"") || strcasestr(text, "rel=next");
}

int header_next_link(const char *value, char **ret_url)
{
	const char *s = value;

	while (*(s += strspn(s, " \t,"))) {
		const char *close, *end;

		if (*s != '<')
			return -EINVAL;
		close = strchr(s, '>');
		if (!close)
			return -EINVAL;
		end = params_end(close + 1);
		if (says_next(close + 1, (size_t)(end - close - 1))) {
			*ret_url = xstrndup(s + 1, (size_t)(close - s - 1));
			return 0;
		}
		s = end;
	}
	return -ENOENT;
}

/* Digits at *s, which is moved behind them. */
static int take_number(const char **s, uint64_t *ret_number)
{
	size_t len = strspn(*s, "0123456789");
	auto_free char *digits = xstrndup(*s, len);
	int r = parse_u64(digits, ret_number);

	*s += len;
	return r < 0 ? -EINVAL : 0;
}

static int take_char(const char **s, char c)
{
	if (**s != c)
		return -EINVAL;
	(*s)++;
	return 0;
}

int header_content_range(const char *value, struct content_range *ret_range)
{
	static const char unit[] = "bytes ";
	struct content_range range = {.total = UINT64_MAX};
	const char *s = value;

	if (strncasecmp(s, unit, strlen(unit)) != 0)
		return -EINVAL;
	s += strlen(unit);
	if (take_number(&s, &range.first) < 0 || take_char(&s, '-') < 0 ||
	    take_number(&s, &range.last) < 0 || take_char(&s, '/') < 0)
		return -EINVAL;
	if (strcmp(s, "*") != 0 && (take_number(&s, &range.total) < 0 || *s))
		return -EINVAL;
	if (range.first > range.last || range.last >= range.total)
		return -EINVAL;
	*ret_range = range;
	return 0;
}

int header_upload_range(const char *value, uint64_t *ret_bytes)
{
	static const char unit[] = "bytes=";
	const char *s = value;
	uint64_t first, last;

	if (strncasecmp(s, unit, strlen(unit)) == 0)
		s += strlen(unit);
	if (take_number(&s, &first) < 0 || take_char(&s, '-') < 0 || take_number(&s, &last) < 0 ||
	    *s || first != 0 || last == UINT64_MAX)
		return -EINVAL;
	/* "0-0" is nothing or one byte: the specification has no other way to say nothing. */
	*ret_bytes = last == 0 ? 0 : last + 1;
	return 0;
}

int header_retry_after(const char *value, int64_t now_s, uint64_t *ret_seconds)
{
	time_t date;

	if (parse_u64(value, ret_seconds) == 0)
		return 0;
	date = curl_getdate(value, NULL);
	if (date == (time_t)-1)
		return -EINVAL;
	*ret_seconds = date > now_s ? (uint64_t)(date - now_s) : 0;
	return 0;
}
