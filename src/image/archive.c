/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "image/archive_part.h"

/* Links to links: docker's older archives have one step. */
#define MAX_HOPS 8

struct entry {
	char *name;
	char *target; /* of a link, already looked at from the top; NULL: a file */
	bool is_file;
	char *part; /* of a file that lies on its own; then offset is 0 */
	uint64_t offset, size_bytes;
	size_t position; /* in the archive: of two with one name the later counts */
};

struct archive {
	int fd;
	int parts_fd;
	bool is_directory;
	struct entry *entries; /* sorted by name */
	size_t count;
};

void archive_file_release(struct archive_file *file)
{
	if (file->owned)
		cleanup_close_fd(&file->fd);
	*file = (struct archive_file){.fd = NO_FD};
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	for (size_t i = 0; i < archive->count; i++) {
		free(archive->entries[i].name);
		free(archive->entries[i].target);
		free(archive->entries[i].part);
	}
	free(archive->entries);
	free(archive);
}

/* ---- the index of a tar ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (r != 0)
		return r;
	return x->position < y->position ? 1 : -1;
}

static int compare_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->name);
}

/* "a/b/link" -> "../c" is "a/c"; NULL when it leads out or is absolute. */
static char *join_link(const char *link_name, const char *target)
{
	auto_(strv_release) struct strv parts = {0}, steps = {0};

	if (target[0] == '/')
		return NULL;
	strv_split(&parts, link_name, '/');
	if (parts.count > 0)
		strv_remove(&parts, parts.count - 1);
	strv_split(&steps, target, '/');
	for (size_t i = 0; i < steps.count; i++) {
		const char *step = steps.items[i];

		if (!step[0] || strcmp(step, ".") == 0)
			continue;
		if (strcmp(step, "..") != 0) {
			strv_add(&parts, step);
			continue;
		}
		if (parts.count == 0)
			return NULL;
		strv_remove(&parts, parts.count - 1);
	}
	return strv_join(&parts, "/");
}

static int read_entry(const json_t *object, struct entry *entry, struct error *err)
{
	const char *name = json_get_string(object, "name", NULL);
	const char *type = json_get_string(object, "type", "");
	const char *target = json_get_string(object, "target", "");
	int64_t part = json_get_int(object, "part", -1);
	int64_t offset = json_get_int(object, "offset", part >= 0 ? 0 : -1);
	int64_t size = json_get_int(object, "size", -1);

	if (!name || !name[0])
		return err_set(err, ERR_INTERNAL, 0, "the archive's index has no name");
	entry->name = xstrdup(name);
	if (strcmp(type, "symlink") == 0) {
		entry->target = join_link(name, target);
	} else if (strcmp(type, "hardlink") == 0) {
		entry->target = xstrdup(target);
	} else if (strcmp(type, "file") == 0) {
		if (offset < 0 || size < 0)
			return err_set(err, ERR_INTERNAL, 0, "the archive's index has no place");
		entry->is_file = true;
		if (part >= 0)
			entry->part = xasprintf(ARCHIVE_PART_NAME, (size_t)part);
		entry->offset = (uint64_t)offset;
		entry->size_bytes = (uint64_t)size;
	}
	return 0;
}

int archive_new_tar(const json_t *index, int fd, int parts_fd, struct archive **ret_archive,
		    struct error *err)
{
	auto_(archive_free) struct archive *archive = xcalloc(1, sizeof(*archive));
	const json_t *entries = json_object_get(index, "entries");
	const json_t *item;
	size_t i;
	int r;

	archive->fd = fd;
	archive->parts_fd = parts_fd;
	archive->entries = xcalloc(json_array_size(entries) + 1, sizeof(archive->entries[0]));
	json_array_foreach (entries, i, item) {
		archive->count = i + 1;
		archive->entries[i].position = i;
		r = read_entry(item, &archive->entries[i], err);
		if (r < 0)
			return r;
	}
	qsort(archive->entries, archive->count, sizeof(archive->entries[0]), compare_entries);
	*ret_archive = TAKE_PTR(archive);
	return 0;
}

static const struct entry *find_entry(const struct archive *archive, const char *name)
{
	const struct entry *entry = bsearch(name, archive->entries, archive->count,
					    sizeof(archive->entries[0]), compare_name);

	/* The first of those with this name is the latest in the archive. */
	while (entry && entry > archive->entries && strcmp(entry[-1].name, name) == 0)
		entry--;
	return entry;
}

static int not_found(struct error *err, const char *name)
{
	return err_set(err, ERR_NOT_FOUND, 0, "the archive has no '%.200s'", name);
}

static int open_part(const struct archive *archive, const struct entry *entry,
		     struct archive_file *ret_file, struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;

	fd = openat(archive->parts_fd, entry->part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the copy of '%.200s'", entry->name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != entry->size_bytes)
		return err_set(err, ERR_INTERNAL, 0, "the copy of '%.200s' is none", entry->name);
	*ret_file = (struct archive_file){
		.fd = TAKE_FD(fd),
		.owned = true,
		.size_bytes = entry->size_bytes,
		.part = entry->part,
	};
	return 0;
}

void archive_remove_parts(const struct archive *archive)
{
	for (size_t i = 0; i < archive->count; i++)
		if (archive->entries[i].part)
			(void)unlinkat(archive->parts_fd, archive->entries[i].part, 0);
}

static int open_in_tar(const struct archive *archive, const char *name,
		       struct archive_file *ret_file, struct error *err)
{
	const struct entry *entry = find_entry(archive, name);

	for (unsigned int hops = 0; entry && !entry->is_file; hops++) {
		if (!entry->target || hops == MAX_HOPS)
			return err_set(err, ERR_INVALID, 0,
				       "'%.200s' in the archive is no file, and no link to one in "
				       "it",
				       name);
		entry = find_entry(archive, entry->target);
	}
	if (!entry)
		return not_found(err, name);
	if (entry->part)
		return open_part(archive, entry, ret_file, err);
	*ret_file = (struct archive_file){
		.fd = archive->fd,
		.offset = entry->offset,
		.size_bytes = entry->size_bytes,
	};
	return 0;
}

/* ---- directories ---- */

int archive_new_directory(int dir_fd, struct archive **ret_archive, struct error *err)
{
	(void)err;
	*ret_archive = xcalloc(1, sizeof(**ret_archive));
	(*ret_archive)->fd = dir_fd;
	(*ret_archive)->is_directory = true;
	return 0;
}

static int open_in_directory(const struct archive *archive, const char *name,
			     struct archive_file *ret_file, struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;

	/* Not blocking: it may be a fifo. */
	fd = path_open_in_root(archive->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return not_found(err, name);
	if (fd == -ELOOP)
		return err_set(err, ERR_INVALID, 0, "'%.200s' is a link in a circle", name);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "open '%.200s'", name);
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at '%.200s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, 0, "'%.200s' is not a regular file", name);
	*ret_file = (struct archive_file){
		.fd = TAKE_FD(fd),
		.owned = true,
		.size_bytes = (uint64_t)st.st_size,
	};
	return 0;
}

/* ---- both ---- */

int archive_open(const struct archive *archive, const char *name, struct archive_file *ret_file,
		 struct error *err)
{
	if (archive->is_directory)
		return open_in_directory(archive, name, ret_file, err);
	return open_in_tar(archive, name, ret_file, err);
}

bool archive_has(const struct archive *archive, const char *name)
{
	auto_(archive_file_release) struct archive_file file = {.fd = NO_FD};
	auto_(error_release) struct error ignored = {0};

	return archive_open(archive, name, &file, &ignored) != -ENOENT;
}

int archive_read(const struct archive *archive, const char *name, size_t max_bytes, char **ret_text,
		 size_t *ret_len, struct error *err)
{
	auto_(archive_file_release) struct archive_file file = {.fd = NO_FD};
	auto_free char *text = NULL;
	ssize_t n;
	int r;

	r = archive_open(archive, name, &file, err);
	if (r < 0)
		return r;
	if (file.size_bytes > max_bytes)
		return err_set(err, ERR_INVALID, EFBIG, "'%.200s' is longer than %zu bytes", name,
			       max_bytes);
	text = xmalloc(file.size_bytes + 1);
	n = fd_pread_full(file.fd, text, file.size_bytes, file.offset);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "read '%.200s'", name);
	if ((uint64_t)n != file.size_bytes)
		return err_set(err, ERR_INVALID, 0, "the archive ends inside '%.200s'", name);
	text[n] = '\0';
	*ret_len = (size_t)n;
	*ret_text = TAKE_PTR(text);
	return 0;
}
