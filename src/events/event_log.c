/* SPDX-License-Identifier: Apache-2.0 */
#include "events/event_log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strbuf.h"

#define LOOK_EVERY 16 /* a power of two: so many writers leave the size to others */

static void add_quoted(const char *text, struct strbuf *line)
{
	auto_(json_decref) json_t *value = json_string(text);
	auto_free char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

	strbuf_adds(line, quoted ? quoted : "\"\""); /* "": it is not UTF-8 */
}

static void add_member(const char *key, const char *value, struct strbuf *line)
{
	if (line->data[line->len - 1] != '{')
		strbuf_addc(line, ',');
	add_quoted(key, line);
	strbuf_addc(line, ':');
	add_quoted(value, line);
}

static void format_line(const struct event *event, const char *attributes, struct strbuf *line)
{
	size_t len = attributes ? strlen(attributes) : 0;

	strbuf_addf(line, "{\"timeNano\":%" PRId64, clock_now_ns());
	add_member("Type", event->type, line);
	add_member("Action", event->action, line);
	add_member("ID", event->id, line);
	strbuf_adds(line, ",\"Attributes\":{");
	if (len > 2) /* what stands between its braces */
		strbuf_add(line, attributes + 1, len - 2);
	for (const struct event_attribute *a = event->more; a && a->key; a++)
		add_member(a->key, a->value, line);
	strbuf_adds(line, "}}\n");
}

/* Whether the file behind `fd` still has the name. */
static bool is_current(int fd, const char *path)
{
	struct stat by_fd, by_name;

	return fstat(fd, &by_fd) == 0 && lstat(path, &by_name) == 0 &&
	       by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev;
}

/* Somebody else may be doing it: then it is done. */
static void rotate(int fd, const char *state_path, const char *path)
{
	auto_free char *old = xasprintf("%s/" EVENT_LOG_OLD_NAME, state_path);

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_current(fd, path))
		return;
	if (rename(path, old) < 0)
		log_debug("events", "ignoring: rename '%s': %s", path, errno_text(errno));
}

static int append(const char *state_path, const struct strbuf *line)
{
	auto_free char *path = xasprintf("%s/" EVENT_LOG_NAME, state_path);
	auto_close int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 || write(fd, line->data, line->len) < 0)
		return -errno;
	if ((clock_now_ns() >> 10) % LOOK_EVERY == 0 && fstat(fd, &st) == 0 &&
	    st.st_size >= EVENT_LOG_MAX_BYTES)
		rotate(fd, state_path, path);
	return 0;
}

void event_emit(const char *state_path, const struct event *event)
{
	auto_(strbuf_release) struct strbuf line = {0};
	int r;

	format_line(event, event->attributes, &line);
	if (line.len > EVENT_LINE_MAX_BYTES) {
		strbuf_clear(&line);
		format_line(event, NULL, &line);
	}
	r = append(state_path, &line);
	if (r < 0)
		log_debug("events", "ignoring: append to '%s/" EVENT_LOG_NAME "': %s", state_path,
			  errno_text(-r));
}
