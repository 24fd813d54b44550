/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "monitor/json_log.h"

/*
 * What docker's encoder does with each byte: nothing, or one of these. Quotes and backslashes get a
 * backslash, \n and \r have a short form, other control characters and <, >, & (so that the text
 * may stand in HTML) are written as numbers, and above 0x7f it depends on the following bytes.
 */
enum byte_class {
	PLAIN,
	BACKSLASH,
	NEWLINE,
	RETURN,
	NUMBER,
	MULTIBYTE,
};

/* clang-format off: one line per range */
static const unsigned char classes[256] = {
	[0x00 ... 0x09] = NUMBER,
	['\n'] = NEWLINE,
	[0x0b ... 0x0c] = NUMBER,
	['\r'] = RETURN,
	[0x0e ... 0x1f] = NUMBER,
	['"'] = BACKSLASH,
	['&'] = NUMBER,
	['<'] = NUMBER,
	['>'] = NUMBER,
	['\\'] = BACKSLASH,
	[0x80 ... 0xff] = MULTIBYTE,
};
/* clang-format on */

static const char *const stream_names[] = {
	[JSON_LOG_STDOUT] = "stdout",
	[JSON_LOG_STDERR] = "stderr",
};

_Static_assert(sizeof(stream_names) / sizeof(stream_names[0]) == JSON_LOG_STREAM_COUNT,
	       "every stream has a name");

static char *put(char *out, const void *data, size_t len)
{
	memcpy(out, data, len);
	return out + len;
}

static char *put_text(char *out, const char *text)
{
	return put(out, text, strlen(text));
}

static char *put_number(char *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	out = put_text(out, "\\u00");
	*out++ = digits[c >> 4];
	*out++ = digits[c & 0xf];
	return out;
}

/* U+2028 and U+2029 end a line in JavaScript. */
static bool is_line_separator(const unsigned char *s, size_t len)
{
	return len >= 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);
}

/* How many bytes at s stand for themselves; 0: it must be escaped or replaced. */
static size_t plain_length(const unsigned char *s, size_t len)
{
	if (classes[*s] == PLAIN)
		return 1;
	if (classes[*s] != MULTIBYTE || is_line_separator(s, len))
		return 0;
	return utf8_length(s, len);
}

static char *put_escaped(char *out, const unsigned char *s, size_t len, size_t *ret_used)
{
	*ret_used = 1;
	switch ((enum byte_class)classes[*s]) {
	case BACKSLASH:
		*out++ = '\\';
		*out++ = (char)*s;
		return out;
	case NEWLINE:
		return put_text(out, "\\n");
	case RETURN:
		return put_text(out, "\\r");
	case NUMBER:
		return put_number(out, *s);
	case MULTIBYTE:
		if (!is_line_separator(s, len))
			return put_text(out, "\\ufffd");
		*ret_used = 3;
		return put_text(out, s[2] == 0xa8 ? "\\u2028" : "\\u2029");
	case PLAIN:
		break;
	}
	*out++ = (char)*s;
	return out;
}

static char *put_string(char *out, const unsigned char *s, size_t len)
{
	size_t start = 0, i = 0;

	while (i < len) {
		size_t n = plain_length(s + i, len - i);

		if (n > 0) {
			i += n;
			continue;
		}
		out = put(out, s + start, i - start);
		out = put_escaped(out, s + i, len - i, &n);
		i += n;
		start = i;
	}
	return put(out, s + start, len - start);
}

size_t json_log_encode(char *out, const char *line, size_t len, bool newline,
		       enum json_log_stream stream, const char *time_text, const char *attributes)
{
	char *p = out;

	p = put_text(p, "{\"log\":\"");
	p = put_string(p, (const unsigned char *)line, len);
	if (newline)
		p = put_text(p, "\\n");
	p = put_text(p, "\",\"stream\":\"");
	p = put_text(p, stream_names[stream]);
	if (attributes) {
		p = put_text(p, "\",\"attrs\":");
		p = put_text(p, attributes);
		p = put_text(p, ",\"time\":\"");
	} else {
		p = put_text(p, "\",\"time\":\"");
	}
	p = put_text(p, time_text);
	p = put_text(p, "\"}\n");
	return (size_t)(p - out);
}

size_t local_log_encode(char *out, const char *line, size_t len, bool newline,
			enum json_log_stream stream, int64_t time_ns)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "%c%c%lld ", stream == JSON_LOG_STDERR ? 'e' : 'o',
			 newline ? '.' : '+', (long long)time_ns);
	char *p = put(out, head, (size_t)n);

	p = put(p, line, len);
	*p++ = '\n';
	return (size_t)(p - out);
}
