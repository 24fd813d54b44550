/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/log_record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define DEPTH_MAX 16

struct cursor {
	char *at, *end;
};

struct text {
	char *data;
	size_t len;
};

static void skip_space(struct cursor *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n'))
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

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

/* The four digits after "\u". */
static int take_unit(struct cursor *c, uint32_t *ret_unit)
{
	uint32_t unit = 0;

	if (c->end - c->at < 4)
		return -EBADMSG;
	for (int i = 0; i < 4; i++) {
		int digit = hex_value(*c->at++);

		if (digit < 0)
			return -EBADMSG;
		unit = unit << 4 | (uint32_t)digit;
	}
	*ret_unit = unit;
	return 0;
}

/* At most four bytes, for which at least six were read. */
static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* Half a surrogate pair alone means nothing and becomes U+FFFD. */
static int take_unicode(struct cursor *c, char **out)
{
	uint32_t first, second;

	if (take_unit(c, &first) < 0)
		return -EBADMSG;
	if (first >= 0xd800 && first <= 0xdbff && c->end - c->at >= 6 && c->at[0] == '\\' &&
	    c->at[1] == 'u') {
		struct cursor ahead = {.at = c->at + 2, .end = c->end};

		if (take_unit(&ahead, &second) < 0)
			return -EBADMSG;
		if (second >= 0xdc00 && second <= 0xdfff) {
			c->at = ahead.at;
			first = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
		}
	}
	if (first >= 0xd800 && first <= 0xdfff)
		first = 0xfffd;
	*out = put_utf8(*out, first);
	return 0;
}

static int take_escape(struct cursor *c, char **out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char letter;

	if (c->at == c->end)
		return -EBADMSG;
	letter = *c->at++;
	if (letter == 'u')
		return take_unicode(c, out);
	found = letter ? strchr(letters, letter) : NULL;
	if (!found)
		return -EBADMSG;
	*(*out)++ = meanings[found - letters];
	return 0;
}

/* Unescapes in place, which never takes more room, and terminates. */
static int take_string(struct cursor *c, struct text *ret_text)
{
	char *out;

	if (!take(c, '"'))
		return -EBADMSG;
	ret_text->data = out = c->at;
	while (c->at < c->end && *c->at != '"') {
		char byte = *c->at++;

		if (byte != '\\')
			*out++ = byte;
		else if (take_escape(c, &out) < 0)
			return -EBADMSG;
	}
	if (c->at == c->end)
		return -EBADMSG;
	c->at++;
	ret_text->len = (size_t)(out - ret_text->data);
	*out = '\0';
	return 0;
}

/* Any value of a member that we do not know ("attrs"). */
static int skip_value(struct cursor *c)
{
	unsigned int depth = 0;

	do {
		struct text ignored;

		skip_space(c);
		if (c->at == c->end)
			return -EBADMSG;
		if (*c->at == '"') {
			if (take_string(c, &ignored) < 0)
				return -EBADMSG;
			continue;
		}
		if ((*c->at == '{' || *c->at == '[') && ++depth > DEPTH_MAX)
			return -EBADMSG;
		if (depth > 0 && (*c->at == '}' || *c->at == ']'))
			depth--;
		c->at++;
	} while (depth > 0 || (c->at < c->end && *c->at != ',' && *c->at != '}'));
	return 0;
}

/* An object of texts, left as it is: strings are gone over, not unescaped. */
static int keep_value(struct cursor *c)
{
	bool in_string = false;
	unsigned int depth = 0;

	for (; c->at < c->end; c->at++) {
		if (in_string && *c->at == '\\' && c->at + 1 < c->end)
			c->at++;
		else if (*c->at == '"')
			in_string = !in_string;
		else if (!in_string && *c->at == '{')
			depth++;
		else if (!in_string && *c->at == '}' && --depth == 0)
			break;
	}
	if (c->at == c->end)
		return -EBADMSG;
	c->at++;
	return 0;
}

static bool is_text(const struct text *text, const char *wanted)
{
	return text->len == strlen(wanted) && memcmp(text->data, wanted, text->len) == 0;
}

static int take_member(struct cursor *c, struct text *log, struct text *stream, struct text *when,
		       struct text *attributes)
{
	struct text key;
	int r;

	if (take_string(c, &key) < 0 || !take(c, ':'))
		return -EBADMSG;
	if (is_text(&key, "log"))
		return take_string(c, log);
	if (is_text(&key, "stream"))
		return take_string(c, stream);
	if (is_text(&key, "time"))
		return take_string(c, when);
	skip_space(c);
	if (!is_text(&key, "attrs") || c->at == c->end || *c->at != '{')
		return skip_value(c);
	attributes->data = c->at;
	r = keep_value(c);
	attributes->len = (size_t)(c->at - attributes->data);
	return r;
}

int log_record_parse(char *line, size_t len, struct log_record *ret_record)
{
	struct cursor c = {.at = line, .end = line + len};
	struct text log = {0}, stream = {0}, when = {0}, attributes = {0};

	if (!take(&c, '{'))
		return -EBADMSG;
	do {
		if (take_member(&c, &log, &stream, &when, &attributes) < 0)
			return -EBADMSG;
	} while (take(&c, ','));
	if (!take(&c, '}') || !log.data || !when.data)
		return -EBADMSG;

	ret_record->stream = stream.data && is_text(&stream, "stderr") ? STDERR_FILENO
								       : STDOUT_FILENO;
	ret_record->text = log.data;
	ret_record->len = log.len;
	ret_record->time = when.data;
	ret_record->attributes = attributes.data;
	ret_record->attributes_len = attributes.len;
	return 0;
}

int local_record_parse(char *line, size_t len, struct log_record *ret_record)
{
	char *space = len > 2 ? memchr(line, ' ', len) : NULL;
	int64_t time_ns;

	if (!space || (line[0] != 'o' && line[0] != 'e') || (line[1] != '.' && line[1] != '+'))
		return -EBADMSG;
	*space = '\0';
	if (parse_i64(line + 2, &time_ns) < 0 || time_ns < 0)
		return -EBADMSG;
	*ret_record = (struct log_record){
		.stream = line[0] == 'e' ? STDERR_FILENO : STDOUT_FILENO,
		.text = space + 1,
		.len = (size_t)(line + len - (space + 1)),
		.time_ns = time_ns,
	};
	if (line[1] == '.') {
		line[len] = '\n';
		ret_record->len++;
	}
	return 0;
}
