/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: `current` is the file that had the name when it was opened, `previous` the one before. A
 * writer that opened the file just before it was renamed writes its line into what is now the old one;
 * so the previous file is read to its end before the current one each time, and is let go only at the
 * next rotation.
 */
#include "events/event_reader.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "events/event_log.h"

#define READ_BYTES 65536

struct source {
	int fd;
	struct strbuf rest; /* what was read and not handed out */
	size_t next;        /* in it */
};

struct event_reader {
	char *path, *old_path;
	struct source previous, current;
	int inotify_fd;
};

static int source_open(struct source *s, const char *path)
{
	*s = (struct source){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
	return s->fd < 0 && errno != ENOENT ? -errno : 0;
}

static void source_close(struct source *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	strbuf_release(&s->rest);
	*s = (struct source){.fd = NO_FD};
}

/* True when it read something. */
static bool fill(struct source *s)
{
	ssize_t n;

	if (s->next > 0 && s->rest.data) {
		s->rest.len -= s->next;
		memmove(s->rest.data, s->rest.data + s->next, s->rest.len);
		s->next = 0;
	}
	if (s->fd < 0 || s->rest.len > 2 * (size_t)EVENT_LINE_MAX_BYTES)
		return false;
	strbuf_reserve(&s->rest, READ_BYTES);
	n = read(s->fd, s->rest.data + s->rest.len, READ_BYTES);
	if (n <= 0)
		return false;
	s->rest.len += (size_t)n;
	return true;
}

/* The next whole line as an object, or NULL. */
static json_t *take_line(struct source *s)
{
	for (;;) {
		const char *start = s->rest.data ? s->rest.data + s->next : NULL;
		const char *end = start ? memchr(start, '\n', s->rest.len - s->next) : NULL;
		json_t *event;

		if (!end) {
			if (!fill(s))
				return NULL;
			continue;
		}
		s->next += (size_t)(end - start) + 1;
		event = json_loadb(start, (size_t)(end - start), 0, NULL);
		if (json_is_object(event))
			return event;
		json_decref(event);
	}
}

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* The file was rotated, or made: true when there is another one to read. */
static bool advance(struct event_reader *r)
{
	struct source next;

	if (r->current.fd >= 0 && same_file(r->current.fd, r->path))
		return false;
	if (source_open(&next, r->path) < 0 || next.fd < 0)
		return false;
	if (r->current.fd >= 0) {
		source_close(&r->previous);
		r->previous = r->current;
	}
	r->current = next;
	return true;
}

int event_reader_next(struct event_reader *reader, json_t **ret_event)
{
	do {
		*ret_event = take_line(&reader->previous);
		if (!*ret_event)
			*ret_event = take_line(&reader->current);
		if (*ret_event)
			return 1;
	} while (advance(reader));
	return 0;
}

static int open_files(struct event_reader *r)
{
	int e;

	e = source_open(&r->current, r->path);
	if (e == 0)
		e = source_open(&r->previous, r->old_path);
	/* Rotated in between: it is one file, and the next one is found when it is at its end. */
	if (e == 0 && r->current.fd >= 0 && r->previous.fd >= 0 &&
	    same_file(r->current.fd, r->old_path))
		source_close(&r->previous);
	return e;
}

int event_reader_open(const char *state_path, struct event_reader **ret_reader)
{
	auto_(event_reader_close) struct event_reader *r = xcalloc(1, sizeof(*r));
	int e;

	r->previous.fd = NO_FD;
	r->current.fd = NO_FD;
	r->path = xasprintf("%s/" EVENT_LOG_NAME, state_path);
	r->old_path = xasprintf("%s/" EVENT_LOG_OLD_NAME, state_path);
	r->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->inotify_fd < 0 ||
	    inotify_add_watch(r->inotify_fd, state_path,
			      IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO) < 0)
		return -errno;
	e = open_files(r);
	if (e < 0)
		return e;
	*ret_reader = TAKE_PTR(r);
	return 0;
}

void event_reader_close(struct event_reader *reader)
{
	if (!reader)
		return;
	source_close(&reader->previous);
	source_close(&reader->current);
	cleanup_close_fd(&reader->inotify_fd);
	free(reader->path);
	free(reader->old_path);
	free(reader);
}

int event_reader_fd(const struct event_reader *reader)
{
	return reader->inotify_fd;
}

void event_reader_drain(struct event_reader *reader)
{
	char events[4096];

	while (read(reader->inotify_fd, events, sizeof(events)) > 0)
		;
}
