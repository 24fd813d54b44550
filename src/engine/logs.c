/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/logs.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "engine/container.h"
#include "engine/log_files.h"
#include "engine/log_record.h"
#include "engine/monitor_link.h"
#include "monitor/protocol.h"
#include "runtime/state.h"

#define FLUSH_BYTES 65536

/*
 * theory: All files are opened first, then read from the oldest to the newest. Following means: at
 * the end of the newest, wait until something in the directory changes (inotify), or the container
 * ends. The end is heard on a connection to its monitor, which says EXIT after the last record was
 * written, and which breaks when the monitor is killed; so the end is never missed and never
 * guessed. After a rotation the files are opened anew, and reading goes on with the one after ours;
 * when ours cannot be found (compressed, thrown away), the whole log is gone over for the place: records
 * up to the time of the last one we have seen are left out, and of that very time as many as we have
 * seen, for all lines that were read at once have the same.
 */
struct log_reading {
	const struct logs_request *request; /* borrowed */
	int dir_fd;                         /* borrowed */
	bool is_local;                      /* of log driver local */
	const char *base;                   /* name of the newest file */
	struct log_files files;             /* [0] is read last */
	size_t current;                     /* index of the file being read */
	int64_t last_ns;                    /* time of the last record seen */
	uint64_t last_count;  /* how many of this time were seen, one after the other */
	int64_t after_ns;     /* records before it have been seen; INT64_MIN: none */
	uint64_t after_count; /* and so many of its own time */
	bool is_past_until;
	struct strbuf out;
	int out_fd;
};

/* ---- writing ---- */

static int flush(struct log_reading *reading, struct error *err)
{
	int r = 0;

	if (reading->out.len > 0 && reading->out_fd >= 0)
		r = fd_write_all(reading->out_fd, reading->out.data, reading->out.len);
	strbuf_clear(&reading->out);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write logs") : 0;
}

static void add_escaped(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-_.~", c))
			strbuf_addc(out, (char)c);
		else if (c == ' ')
			strbuf_addc(out, '+');
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

/* RFC 3339 with nine digits, as docker prints it, so that columns align. */
static void add_time(struct strbuf *out, int64_t ns)
{
	char text[CLOCK_TEXT_SIZE];
	size_t len;

	clock_format(ns, text);
	len = strcspn(text, ".Z");
	strbuf_add(out, text, len);
	strbuf_addf(out, ".%09lldZ ", (long long)(ns % 1000000000));
}

/* docker's: "key=value,key=value", escaped as in a URL, and a space, also when there are none. */
static void add_details(struct strbuf *out, const struct log_record *record)
{
	auto_(json_decref) json_t *object = NULL;
	const char *key, *separator = "";
	const json_t *value;

	if (record->attributes)
		object = json_loadb(record->attributes, record->attributes_len, 0, NULL);
	json_object_foreach (object, key, value) {
		strbuf_adds(out, separator);
		add_escaped(out, key);
		strbuf_addc(out, '=');
		add_escaped(out, json_is_string(value) ? json_string_value(value) : "");
		separator = ",";
	}
	strbuf_addc(out, ' ');
}

static int write_record(struct log_reading *reading, const struct log_record *record,
			struct error *err)
{
	const struct logs_request *request = reading->request;
	int fd = record->stream == STDERR_FILENO ? request->stderr_fd : request->stdout_fd;
	int r = 0;

	if (fd != reading->out_fd || reading->out.len >= FLUSH_BYTES)
		r = flush(reading, err);
	if (r < 0)
		return r;
	reading->out_fd = fd;
	if (request->prefix)
		strbuf_addf(&reading->out, "%s ", request->prefix);
	if (request->timestamps)
		add_time(&reading->out, record->time_ns);
	if (request->details)
		add_details(&reading->out, record);
	strbuf_add(&reading->out, record->text, record->len);
	return 0;
}

/* ---- reading ---- */

/* False for the half of a record that a killed monitor left. */
static bool parse_record(const struct log_reading *reading, char *line, size_t len,
			 struct log_record *record)
{
	if (reading->is_local)
		return local_record_parse(line, len, record) == 0;
	return log_record_parse(line, len, record) == 0 &&
	       clock_parse(record->time, &record->time_ns) == 0;
}

/* Whether it was met before the files were opened anew. */
static bool was_seen(struct log_reading *reading, int64_t time_ns)
{
	if (time_ns < reading->after_ns)
		return true;
	if (time_ns > reading->after_ns || reading->after_count == 0)
		return false;
	reading->after_count--;
	return true;
}

static void note_seen(struct log_reading *reading, int64_t time_ns)
{
	if (time_ns != reading->last_ns)
		reading->last_count = 0;
	reading->last_ns = time_ns;
	reading->last_count++;
}

static int handle_line(struct log_reading *reading, char *line, size_t len, struct error *err)
{
	const struct logs_request *request = reading->request;
	struct log_record record;

	if (!parse_record(reading, line, len, &record) || was_seen(reading, record.time_ns))
		return 0;
	note_seen(reading, record.time_ns);
	if (request->until_ns != 0 && record.time_ns > request->until_ns) {
		reading->is_past_until = true;
		return 0;
	}
	if (request->since_ns != 0 && record.time_ns < request->since_ns)
		return 0;
	return write_record(reading, &record, err);
}

static int read_file(struct log_reading *reading, struct log_file *file, struct error *err)
{
	char *line;
	size_t len;
	int r;

	while (!reading->is_past_until) {
		r = log_file_next(file, &line, &len);
		/* What is left of a damaged compressed file is lost; the newer ones are not. */
		if (r == 0 || (r < 0 && file->is_compressed))
			return 0;
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "read log");
		r = handle_line(reading, line, len, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* From the current file to the end of the newest. */
static int read_files(struct log_reading *reading, struct error *err)
{
	int r;

	for (;;) {
		if (reading->files.count == 0 || reading->is_past_until)
			return 0;
		r = read_file(reading, &reading->files.items[reading->current], err);
		if (r < 0 || reading->current == 0)
			return r;
		reading->current--;
	}
}

/* ---- after a rotation ---- */

/* The index of the file to go on with; -1: there is none yet. */
static ssize_t find_next(const struct log_files *now, const struct log_file *last)
{
	for (size_t i = 0; i < now->count; i++)
		if (now->items[i].device == last->device && now->items[i].inode == last->inode)
			return (ssize_t)i - 1;
	return (ssize_t)now->count - 1;
}

/* Goes to the file after the one that was read to its end; false when there is none. */
static bool go_on(struct log_reading *reading)
{
	auto_(log_files_close) struct log_files now = {0};
	struct log_files before = reading->files;
	ssize_t next;

	if (log_files_open(reading->dir_fd, reading->base, &now) < 0)
		return false;
	next = (ssize_t)now.count - 1;
	if (before.count > 0)
		next = find_next(&now, &before.items[0]);
	if (next < 0)
		return false;
	if (before.count > 0 && next == (ssize_t)now.count - 1) {
		reading->after_ns = reading->last_ns;
		reading->after_count = reading->last_count;
	}
	reading->current = (size_t)next;
	reading->files = now;
	now = before; /* to be closed */
	return true;
}

static bool is_current(const struct log_reading *reading)
{
	return reading->files.count > 0 &&
	       !log_file_was_rotated(reading->dir_fd, reading->base, &reading->files.items[0]);
}

/*
 * All there is, across rotations. What was written to the old file between our reading its end and
 * its being rotated is read by the second pass over it.
 */
static int read_all(struct log_reading *reading, struct error *err)
{
	bool is_last;
	int r;

	do {
		is_last = is_current(reading);
		r = read_files(reading, err);
		if (r < 0 || reading->is_past_until)
			break;
	} while (!is_last && go_on(reading));
	if (r == 0)
		r = flush(reading, err);
	return r;
}

/* ---- following ---- */

struct log_watch {
	int notify_fd;
	struct monitor_link link;
	bool has_ended;
};

static void log_watch_release(struct log_watch *watch)
{
	cleanup_close_fd(&watch->notify_fd);
	monitor_link_release(&watch->link);
}

DEFINE_CLEANUP_VALUE(struct log_watch, log_watch_release);

static int watch_begin(struct log_watch *watch, int dir_fd, int state_dir_fd, struct error *err)
{
	const struct monitor_link_options options = {.attach_flags = MONITOR_WANT_END};
	auto_(error_release) struct error ignored = {0};

	/* Not running: there is nothing to follow. */
	if (state_dir_fd < 0 ||
	    monitor_link_attach(state_dir_fd, &options, &watch->link, &ignored) < 0) {
		watch->has_ended = true;
		return 0;
	}
	watch->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->notify_fd < 0 || inotify_add_watch(watch->notify_fd, fd_path(dir_fd).text,
						      IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_set(err, ERR_SYSTEM, errno, "watch log");
	return 0;
}

static int time_left_ms(int64_t until_ns)
{
	int64_t left_ms;

	if (until_ns == 0)
		return -1;
	left_ms = (until_ns - clock_now_ns()) / 1000000 + 1;
	if (left_ms < 0)
		return 0;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

static int watch_wait(struct log_watch *watch, int64_t until_ns, struct error *err)
{
	struct pollfd set[] = {
		{.fd = watch->notify_fd, .events = POLLIN},
		{.fd = watch->link.sock, .events = POLLIN},
	};
	char events[4096];
	int r;

	r = poll(set, 2, time_left_ms(until_ns));
	if (r < 0 && errno != EINTR)
		return err_set(err, ERR_SYSTEM, errno, "wait for logs");
	if (r == 0)
		watch->has_ended = true; /* --until has come */
	if (r > 0 && set[0].revents)
		while (read(watch->notify_fd, events, sizeof(events)) > 0)
			continue;
	if (r > 0 && set[1].revents)
		watch->has_ended = true;
	return 0;
}

static int follow(struct log_reading *reading, struct log_watch *watch, struct error *err)
{
	bool was_last = watch->has_ended;
	int r;

	for (;;) {
		r = read_all(reading, err);
		if (r < 0 || was_last || reading->is_past_until)
			return r;
		r = watch_wait(watch, reading->request->until_ns, err);
		if (r < 0)
			return r;
		was_last = watch->has_ended;
	}
}

static int seek(struct log_reading *reading, struct error *err)
{
	ssize_t first;

	if (reading->files.count == 0)
		return 0;
	reading->current = reading->files.count - 1;
	if (reading->request->tail < 0)
		return 0;
	first = log_files_seek_tail(&reading->files, (uint64_t)reading->request->tail);
	if (first < 0)
		return err_set(err, ERR_SYSTEM, (int)-first, "read log");
	reading->current = (size_t)first;
	return 0;
}

int logs_read(int container_dir_fd, int state_dir_fd, bool is_local,
	      const struct logs_request *request, struct error *err)
{
	auto_(log_watch_release) struct log_watch watch = {
		.notify_fd = NO_FD, .link = MONITOR_LINK_EMPTY, .has_ended = !request->follow};
	struct log_reading reading = {
		.request = request,
		.dir_fd = container_dir_fd,
		.is_local = is_local,
		.base = is_local ? LOG_LOCAL_NAME : LOG_FILE_NAME,
		.out_fd = NO_FD,
		.last_ns = INT64_MIN,
		.after_ns = INT64_MIN,
	};
	int r = 0;

	if (request->follow)
		r = watch_begin(&watch, container_dir_fd, state_dir_fd, err);
	if (r < 0)
		return r;
	r = log_files_open(container_dir_fd, reading.base, &reading.files);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open log");
	r = seek(&reading, err);
	if (r == 0)
		r = follow(&reading, &watch, err);
	log_files_close(&reading.files);
	strbuf_release(&reading.out);
	return r;
}
