/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/fd.h"

#define READ_BYTES 65536
#define OPEN_TRIES 64

/* ---- opening ---- */

/* 0, or -ENOENT. Only regular files: the directory is ours, and still nothing else can hang us. */
static int open_one(int dir_fd, const char *base, unsigned int index, bool compressed,
		    struct log_file *ret_file)
{
	auto_close int fd = NO_FD;
	struct stat st;
	char name[40];

	if (index == 0)
		(void)snprintf(name, sizeof(name), "%s", base);
	else
		(void)snprintf(name, sizeof(name), "%s.%u%s", base, index, compressed ? ".gz" : "");
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_file = (struct log_file){.fd = TAKE_FD(fd),
				      .is_compressed = compressed,
				      .device = st.st_dev,
				      .inode = st.st_ino};
	return 0;
}

static bool is_same(const struct log_file *a, const struct log_file *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static void file_close(struct log_file *file)
{
	if (file->gz)
		(void)gzclose_r(file->gz); /* closes the descriptor too */
	else
		cleanup_close_fd(&file->fd);
	file->gz = NULL;
	strbuf_release(&file->pending);
}

void log_files_close(struct log_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		file_close(&files->items[i]);
	free(files->items);
	*files = (struct log_files){0};
}

/*
 * A rotation renames from the oldest to the newest. So there is one gap at most in the numbers at
 * any moment, and a file may be met twice, by its old number and its new one.
 */
static int open_all(int dir_fd, const char *base, struct log_files *files)
{
	unsigned int missing = 0;

	for (unsigned int i = 0; i < LOG_FILES_MAX && missing < 2; i++) {
		struct log_file file = {0};
		int r = open_one(dir_fd, base, i, /* compressed= */ false, &file);

		if (r == -ENOENT && i > 0)
			r = open_one(dir_fd, base, i, /* compressed= */ true, &file);
		if (r == -ENOENT) {
			missing++;
			continue;
		}
		if (r < 0)
			return r;
		missing = 0;
		if (files->count > 0 && is_same(&files->items[files->count - 1], &file)) {
			file_close(&file);
			continue;
		}
		files->items = xreallocarray(files->items, files->count + 1, sizeof(file));
		files->items[files->count++] = file;
	}
	return 0;
}

bool log_file_was_rotated(int dir_fd, const char *base, const struct log_file *file)
{
	struct stat st;

	if (fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return true;
	return st.st_dev != file->device || st.st_ino != file->inode;
}

/* The newest file is a new one after every rotation, so it tells whether there was one. */
int log_files_open(int dir_fd, const char *base, struct log_files *ret_files)
{
	auto_(log_files_close) struct log_files files = {0};
	int r = 0;

	for (int i = 0; i < OPEN_TRIES; i++) {
		log_files_close(&files);
		r = open_all(dir_fd, base, &files);
		if (r < 0)
			return r;
		if (files.count == 0 || !log_file_was_rotated(dir_fd, base, &files.items[0]))
			break;
	}
	*ret_files = files;
	files = (struct log_files){0};
	return 0;
}

/* ---- lines ---- */

/* Appends to `pending`. The number of bytes, 0 at the end of what there is. */
static ssize_t read_more(struct log_file *file)
{
	ssize_t n;

	strbuf_reserve(&file->pending, READ_BYTES);
	if (file->is_compressed) {
		if (!file->gz)
			file->gz = gzdopen(file->fd, "rb");
		if (!file->gz)
			return -ENOMEM;
		n = gzread(file->gz, file->pending.data + file->pending.len, READ_BYTES);
		if (n < 0)
			return -EBADMSG;
	} else {
		do
			n = read(file->fd, file->pending.data + file->pending.len, READ_BYTES);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
	}
	file->pending.len += (size_t)n;
	return n;
}

static void drop_done(struct log_file *file)
{
	struct strbuf *p = &file->pending;

	if (file->at == 0)
		return;
	memmove(p->data, p->data + file->at, p->len - file->at);
	p->len -= file->at;
	file->at = 0;
}

/* The end of the current line among the bytes from `from` on; reads while there is none. */
static int find_line_end(struct log_file *file, char **ret_end)
{
	size_t seen = 0; /* bytes after `at` that have no newline */

	for (;;) {
		struct strbuf *p = &file->pending;
		size_t from = file->at + seen;
		ssize_t n;

		*ret_end = p->len > from ? memchr(p->data + from, '\n', p->len - from) : NULL;
		if (*ret_end)
			return 1;
		drop_done(file);
		seen = p->len;
		if (seen > LOG_LINE_MAX) {
			file->is_skipping = true;
			p->len = seen = 0;
		}
		n = read_more(file);
		if (n <= 0)
			return (int)n;
	}
}

int log_file_next(struct log_file *file, char **ret_line, size_t *ret_len)
{
	char *end;
	int r;

	for (;;) {
		char *line;

		r = find_line_end(file, &end);
		if (r <= 0)
			return r;
		line = file->pending.data + file->at;
		file->at = (size_t)(end - file->pending.data) + 1;
		if (file->is_skipping) {
			file->is_skipping = false;
			continue;
		}
		*end = '\0';
		*ret_line = line;
		*ret_len = (size_t)(end - line);
		return 1;
	}
}

/* ---- the last lines ---- */

/*
 * Searches backwards for the beginning of the last `lines` lines that have an end. *ret_found is
 * how many there are.
 */
static int seek_plain(struct log_file *file, uint64_t lines, uint64_t *ret_found)
{
	auto_free char *block = xmalloc(READ_BYTES);
	off_t position = lseek(file->fd, 0, SEEK_END), start = 0;
	uint64_t ends = 0; /* newlines met: one more than lines that are whole behind it */

	if (position < 0)
		return -errno;
	while (position > 0 && ends <= lines) {
		size_t len = position < READ_BYTES ? (size_t)position : READ_BYTES;
		ssize_t n = fd_pread_full(file->fd, block, len, (uint64_t)position - len);
		const char *p;

		if (n < 0)
			return (int)n;
		position -= (off_t)len;
		len = (size_t)n;
		while (ends <= lines && (p = memrchr(block, '\n', len))) {
			len = (size_t)(p - block);
			ends++;
			start = position + (off_t)len + 1;
		}
	}
	if (ends <= lines) {
		*ret_found = ends;
		start = 0;
	} else {
		*ret_found = lines;
	}
	return lseek(file->fd, start, SEEK_SET) < 0 ? -errno : 0;
}

static int skip_lines(struct log_file *file, uint64_t lines)
{
	char *line;
	size_t len;
	int r = 1;

	for (uint64_t i = 0; i < lines && r > 0; i++)
		r = log_file_next(file, &line, &len);
	return r < 0 ? r : 0;
}

/* Deflate knows no way backwards: counts all lines, then goes over those that are not wanted. */
static int seek_compressed(struct log_file *file, uint64_t lines, uint64_t *ret_found)
{
	uint64_t total = 0;
	char *line;
	size_t len;
	int r;

	while ((r = log_file_next(file, &line, &len)) > 0)
		total++;
	if (r < 0 || !file->gz)
		return r;
	*ret_found = total < lines ? total : lines;
	if (gzrewind(file->gz) < 0)
		return -EIO;
	strbuf_clear(&file->pending);
	file->at = 0;
	return skip_lines(file, total - *ret_found);
}

ssize_t log_files_seek_tail(struct log_files *files, uint64_t lines)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		struct log_file *file = &files->items[i];
		uint64_t found = 0;
		int r = file->is_compressed ? seek_compressed(file, lines, &found)
					    : seek_plain(file, lines, &found);

		if (r < 0)
			return r;
		if (found == lines)
			return (ssize_t)i;
		lines -= found;
	}
	return (ssize_t)i - 1;
}
