/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_record.h - one line of a json-file log
 *
 * Written by us or by docker: {"log":"text\n","stream":"stdout","time":"…"}, members in any order,
 * others ignored.
 */
#ifndef SKIFF_ENGINE_LOG_RECORD_H
#define SKIFF_ENGINE_LOG_RECORD_H

#include <stddef.h>
#include <stdint.h>

struct log_record {
	int stream;       /* STDOUT_FILENO or STDERR_FILENO */
	const char *text; /* unescaped, not terminated: it may contain NUL */
	size_t len;
	const char *time; /* terminated; NULL: time_ns says it */
	int64_t time_ns;
	const char *attributes; /* a JSON object; NULL: none */
	size_t attributes_len;
};

/*
 * A line of log driver local (monitor/json_log.h). line[len] was its newline and becomes the text's
 * again, when it had one.
 */
int local_record_parse(char *line, size_t len, struct log_record *ret_record);

/*
 * Takes the line apart in place: the record borrows from it. line[len] must be writable. -EBADMSG
 * when it is no record, such as the half of one that a killed monitor left.
 */
int log_record_parse(char *line, size_t len, struct log_record *ret_record);

#endif
