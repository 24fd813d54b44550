/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/dir_times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

/* Followed by the path and its NUL. */
struct record {
	struct timespec times[2];
	size_t len;
};

void dir_times_init(struct dir_times *t, int root_fd)
{
	*t = (struct dir_times){.root_fd = root_fd, .spill_fd = NO_FD};
}

void dir_times_release(struct dir_times *t)
{
	cleanup_close_fd(&t->spill_fd);
	strbuf_release(&t->records);
}

static int spill(struct dir_times *t)
{
	int r;

	if (t->spill_fd < 0)
		t->spill_fd = openat(t->root_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (t->spill_fd < 0)
		return -errno;
	r = fd_write_all(t->spill_fd, t->records.data, t->records.len);
	strbuf_clear(&t->records);
	return r;
}

int dir_times_add(struct dir_times *t, const struct tar_path *path, const struct timespec times[2])
{
	struct record record = {.times = {times[0], times[1]}, .len = path->len};

	strbuf_add(&t->records, &record, sizeof(record));
	strbuf_add(&t->records, path->text, path->len + 1);
	return t->records.len < DIR_TIMES_BUFFER ? 0 : spill(t);
}

/* The name comes from the archive once more: resolved beneath the root, and only a directory. */
static int apply_one(int root_fd, const char *path, const struct timespec times[2])
{
	auto_close int fd = NO_FD;

	fd = path_open_in_root(root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return fd;
	return futimens(fd, times) < 0 ? -errno : 0;
}

/* Whole records from the front of `text`; *ret_used bytes. */
static int apply_records(int root_fd, const char *text, size_t len, size_t *ret_used)
{
	size_t used = 0;

	for (;;) {
		struct record record;
		int r;

		if (len - used < sizeof(record))
			break;
		memcpy(&record, text + used, sizeof(record));
		if (len - used - sizeof(record) < record.len + 1)
			break;
		r = apply_one(root_fd, text + used + sizeof(record), record.times);
		if (r < 0)
			return r;
		used += sizeof(record) + record.len + 1;
	}
	*ret_used = used;
	return 0;
}

int dir_times_apply(struct dir_times *t)
{
	auto_(strbuf_release) struct strbuf text = {0};
	size_t used, filled = 0;
	uint64_t offset = 0;
	ssize_t n;
	int r;

	if (t->spill_fd < 0)
		return apply_records(t->root_fd, strbuf_text(&t->records), t->records.len, &used);
	r = spill(t);
	if (r < 0)
		return r;
	strbuf_reserve(&text, DIR_TIMES_BUFFER);
	for (;;) {
		n = fd_pread_full(t->spill_fd, text.data + filled, DIR_TIMES_BUFFER - filled,
				  offset);
		if (n <= 0)
			return (int)n;
		offset += (uint64_t)n;
		filled += (size_t)n;
		r = apply_records(t->root_fd, text.data, filled, &used);
		if (r < 0)
			return r;
		filled -= used;
		memmove(text.data, text.data + used, filled);
	}
}
