/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_log.h - what the container writes, as docker's json-file
 *
 * One record per line of output, in ROOT/containers/ID/json.log:
 *
 *	{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}
 *
 * theory: A line is written when its end has come; until then it waits in memory, at most
 * JSON_LOG_LINE_MAX bytes of it. A longer line becomes several records, all but the last without
 * "\n", cut between characters. Bytes that are not UTF-8 become U+FFFD, as in docker's: the format
 * is text. Records collect in a buffer and go to the kernel with one write per
 * json_log_flush(), which the monitor calls whenever it has handled what was there to read: nothing
 * that was read is lost when the monitor is killed, but for an unfinished line.
 *
 * Log driver local has records of the same order in local.log, with the bytes as they were written:
 *
 *	o.1767323045678901234 text        stream (o, e), whole line (.) or piece (+), nanoseconds
 *
 * A file that would grow past max_bytes is rotated: json.log becomes json.log.1, and so on up to
 * max_files files in all. With `compress`, rotated files get ".gz" by a child process, once no
 * rotation has happened for JSON_LOG_COMPRESS_DELAY_NS: a container that writes faster than that
 * would only make us compress what is thrown away a moment later. A compression that is overtaken
 * by the next rotation or by the end of the container is given up; the file stays as it is.
 *
 * Failures to write (a full disk) must not stop a container: the records are dropped, and the
 * file is cut back to its last whole record.
 */
#ifndef SKIFF_MONITOR_JSON_LOG_H
#define SKIFF_MONITOR_JSON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define JSON_LOG_LINE_MAX 16384
#define JSON_LOG_COMPRESS_DELAY_NS 1000000000LL
#define JSON_LOG_FILES_MAX 1000

enum json_log_stream {
	JSON_LOG_STDOUT,
	JSON_LOG_STDERR,
};

#define JSON_LOG_STREAM_COUNT 2

struct json_log_options {
	uint64_t max_bytes; /* 0: never rotated */
	uint32_t max_files; /* with the current one; 0 counts as 1 */
	bool compress;
	bool is_local; /* records as of log driver local, in local.log */
	const char *
		attributes; /* JSON of a record's "attrs"; NULL: none; borrowed by json_log_init() */
	/* Instead of a file: gets every record, whole lines and pieces of long ones. */
	void (*send)(void *context, enum json_log_stream stream, const char *line, size_t len,
		     bool newline, int64_t now_ns);
	void *context;
};

struct json_log {
	int dir_fd;  /* borrowed: ROOT/containers/ID; NO_FD: nothing is written */
	int file_fd; /* owned; NO_FD: not opened yet */
	struct json_log_options options; /* attributes: owned */
	uint64_t size;                   /* of the file, and what is in `out` */
	uint64_t size_on_disk;
	int64_t compress_at_ns; /* CLOCK_MONOTONIC; 0: nothing to do */
	pid_t compressor;       /* 0: none runs */
	struct strbuf line[JSON_LOG_STREAM_COUNT];
	struct strbuf out;
	size_t attributes_len; /* of the text around them too */
	int64_t time_ns;       /* what time_text says */
	char time_text[40];
};

#define JSON_LOG_EMPTY ((struct json_log){.dir_fd = NO_FD, .file_fd = NO_FD})

/* The file is opened when the first line has come. Without this, nothing is ever written. */
void json_log_init(struct json_log *log, int dir_fd, const struct json_log_options *options);

/* `now_ns`: when it was read; all its lines get this time. */
void json_log_add(struct json_log *log, enum json_log_stream stream, const char *data, size_t len,
		  int64_t now_ns);

/* Gives what has been added to the kernel. */
void json_log_flush(struct json_log *log);

/* No more will come: unfinished lines are written as they are. */
void json_log_finish(struct json_log *log, int64_t now_ns);

/* Gives memory back that is only needed while much is written. */
void json_log_trim(struct json_log *log);

/* When json_log_compress() wants to be called (CLOCK_MONOTONIC), 0: not at all. */
int64_t json_log_compress_at(const struct json_log *log);

/* Starts compressing rotated files in a child process. Its end: json_log_reaped(). */
void json_log_compress(struct json_log *log);

/* Tells that a child has ended; true when it was the compressor. */
bool json_log_reaped(struct json_log *log, pid_t pid);

/* Ends the compressor, flushes and closes. */
void json_log_close(struct json_log *log);

DEFINE_CLEANUP_VALUE(struct json_log, json_log_close);

/* ---- for the room's own files and tests ---- */

/* The longest record that a line of `len` bytes can become. */
#define JSON_LOG_RECORD_MAX(len) ((len)*6 + 128)

/* Writes one record to `out`, which has room for the longest; returns its length. */
size_t json_log_encode(char *out, const char *line, size_t len, bool newline,
		       enum json_log_stream stream, const char *time_text, const char *attributes);
size_t local_log_encode(char *out, const char *line, size_t len, bool newline,
			enum json_log_stream stream, int64_t time_ns);

/* json.log (`base`) becomes json.log.1, and so on; the caller opens a new one. */
int log_rotate(int dir_fd, const char *base, uint32_t max_files);

/* Compresses every rotated file that is not; runs in a process of its own. 0 or a negative errno.
 */
int log_compress_all(int dir_fd, const char *base, uint32_t max_files);

#endif
