/* SPDX-License-Identifier: Apache-2.0 */
/* log_syslog.c - the messages of log drivers syslog and journald */
#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "monitor/log_remote.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* Severities of RFC 5424, and syslog priorities of journald. */
enum {
	SEVERITY_ERROR = 3,
	SEVERITY_INFO = 6,
};

static unsigned int severity(const struct log_line *line)
{
	return line->stream == JSON_LOG_STDERR ? SEVERITY_ERROR : SEVERITY_INFO;
}

/* "Nov 23 19:58:01", local time. */
static void add_stamp(struct strbuf *out, int64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	struct tm local;
	char text[32];

	if (localtime_r(&seconds, &local) && strftime(text, sizeof(text), "%b %e %H:%M:%S", &local))
		strbuf_adds(out, text);
}

/* "2026-11-23T19:58:01+01:00", with microseconds or without. */
static void add_rfc3339(struct strbuf *out, int64_t ns, bool micro)
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	struct tm local;
	char text[32], zone[8];

	if (!localtime_r(&seconds, &local) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local) ||
	    !strftime(zone, sizeof(zone), "%z", &local) || strlen(zone) != 5)
		return;
	strbuf_adds(out, text);
	if (micro)
		strbuf_addf(out, ".%06lld", (long long)(ns % NS_PER_SECOND / 1000));
	if (strcmp(zone, "+0000") == 0)
		strbuf_addc(out, 'Z');
	else
		strbuf_addf(out, "%.3s:%s", zone, zone + 3);
}

static void add_text(struct strbuf *out, const struct log_line *line)
{
	strbuf_add(out, line->text, line->len);
	strbuf_addc(out, '\n');
}

void syslog_format(const struct log_context *context, const char *host, int pid,
		   const struct log_line *line, struct strbuf *out)
{
	const char *tag = context->tag ? context->tag : "";

	strbuf_addf(out, "<%u>", context->facility * 8 + severity(line));
	switch (context->format) {
	case SYSLOG_FORMAT_PLAIN:
		add_stamp(out, line->time_ns);
		strbuf_addf(out, " %s[%d]: ", tag, pid);
		break;
	case SYSLOG_FORMAT_RFC3164:
		add_stamp(out, line->time_ns);
		strbuf_addf(out, " %s %s[%d]: ", host, tag, pid);
		break;
	case SYSLOG_FORMAT_RFC5424:
	case SYSLOG_FORMAT_RFC5424_MICRO:
		strbuf_adds(out, "1 ");
		add_rfc3339(out, line->time_ns, context->format == SYSLOG_FORMAT_RFC5424_MICRO);
		strbuf_addf(out, " %s %s %d %s - ", host, tag, pid, tag);
		break;
	}
	add_text(out, line);
}

/* ---- journald ---- */

/* A value with a newline has its length before it; so has every value here. */
static void add_field(struct strbuf *out, const char *key, const char *value, size_t len)
{
	uint64_t size = htole64(len);

	strbuf_adds(out, key);
	strbuf_addc(out, '\n');
	strbuf_add(out, &size, sizeof(size));
	strbuf_add(out, value, len);
	strbuf_addc(out, '\n');
}

static void add_text_field(struct strbuf *out, const char *key, const char *value)
{
	if (value)
		add_field(out, key, value, strlen(value));
}

/* As docker: letters become large, what a field's name may not have becomes "_", and no "_" begins it. */
static void add_attribute(struct strbuf *out, const char *item)
{
	char key[64];
	size_t len = 0;

	for (; *item && *item != '='; item++) {
		char c = isalnum((unsigned char)*item) ? (char)toupper((unsigned char)*item) : '_';

		if (len == 0 && (c == '_' || isdigit((unsigned char)c)))
			continue;
		if (len + 1 < sizeof(key))
			key[len++] = c;
	}
	key[len] = '\0';
	if (len > 0)
		add_text_field(out, key, *item ? item + 1 : "");
}

void journald_format(const struct log_context *context, const struct log_line *line,
		     struct strbuf *out)
{
	const char *id = context->id ? context->id : "";

	add_field(out, "MESSAGE", line->text, line->len);
	add_text_field(out, "PRIORITY", line->stream == JSON_LOG_STDERR ? "3" : "6");
	add_field(out, "CONTAINER_ID", id, strnlen(id, 12));
	add_text_field(out, "CONTAINER_ID_FULL", id);
	add_text_field(out, "CONTAINER_NAME", context->name);
	add_text_field(out, "CONTAINER_TAG", context->tag);
	add_text_field(out, "SYSLOG_IDENTIFIER", context->tag);
	add_text_field(out, "IMAGE_NAME", context->image);
	if (!line->newline)
		add_text_field(out, "CONTAINER_PARTIAL_MESSAGE", "true");
	for (size_t i = 0; i < context->attributes.count; i++)
		add_attribute(out, context->attributes.items[i]);
}
