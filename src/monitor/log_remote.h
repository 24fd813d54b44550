/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_remote.h - log drivers journald and syslog, spoken directly
 *
 * theory: A record is one message on a socket. By default the container waits while the other side takes
 * it, as with a full pipe, but not for ever: after LOG_REMOTE_TIMEOUT_MS the connection is given up, and
 * records are dropped until it was made again, which is tried at most every LOG_REMOTE_RETRY_MS. With
 * mode=non-blocking nothing ever waits: what the socket does not take is kept, up to a bound, and goes
 * before the next record; beyond the bound new records are dropped.
 *
 * journald gets its native protocol on /run/systemd/journal/socket (systemd's JOURNAL_NATIVE_PROTOCOL),
 * syslog RFC 3164 or RFC 5424 on unix, udp or tcp. On a stream a message ends with a newline.
 */
#ifndef SKIFF_MONITOR_LOG_REMOTE_H
#define SKIFF_MONITOR_LOG_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "monitor/json_log.h"
#include "runtime/launch.h"

#define LOG_REMOTE_TIMEOUT_MS 5000
#define LOG_REMOTE_RETRY_MS 1000

struct log_remote;

/* Connects: nobody there is an error, as in docker. Takes what is in `context`. */
int log_remote_open(enum log_driver driver, struct log_context *context,
		    struct log_remote **ret_remote, struct error *err);

/* For struct json_log_options; `remote` is the context. */
void log_remote_send(void *remote, enum json_log_stream stream, const char *line, size_t len,
		     bool newline, int64_t now_ns);

/* Whether something is kept, and another try to send it without waiting. */
bool log_remote_is_behind(const struct log_remote *remote);
void log_remote_flush(struct log_remote *remote);

/* Sends what is kept, waiting for a moment, and closes. NULL is fine. */
void log_remote_free(struct log_remote *remote);

/* ---- for the room's own files and tests ---- */

struct log_line {
	enum json_log_stream stream;
	const char *text; /* without its newline */
	size_t len;
	bool newline; /* it had one: not a piece of a longer line */
	int64_t time_ns;
};

/* Appends the message of one record. `host` and `pid` are what it says of the sender. */
void syslog_format(const struct log_context *context, const char *host, int pid,
		   const struct log_line *line, struct strbuf *ret_message);
void journald_format(const struct log_context *context, const struct log_line *line,
		     struct strbuf *ret_message);

/* A JSON object of "key=value" texts; NULL when there are none; caller frees. */
char *log_attributes_text(const struct strv *attributes);

DEFINE_CLEANUP(struct log_remote *, log_remote_free);

#endif
