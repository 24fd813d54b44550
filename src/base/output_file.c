/* SPDX-License-Identifier: Apache-2.0 */
#include "base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/path.h"
#include "base/random.h"

#define FILE_MODE 0600

static char *temporary_name(const char *name)
{
	uint8_t bytes[8];
	char digits[2 * sizeof(bytes) + 1];

	random_bytes(bytes, sizeof(bytes));
	hex_format(bytes, sizeof(bytes), digits);
	return xasprintf(".%.200s.%s", name, digits);
}

static int open_directory(const char *path)
{
	const char *name = path_basename(path);
	auto_free char *directory = name == path ? xstrdup(".")
						 : xstrndup(path, (size_t)(name - path));
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Where the file system has no nameless files (FUSE, some network ones), one with a name. */
static int open_temporary(struct output_file *file)
{
	file->fd = openat(file->dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
	if (file->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	file->temporary = temporary_name(file->name);
	file->fd = openat(file->dir_fd, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  FILE_MODE);
	if (file->fd >= 0)
		return 0;
	cleanup_free_ptr(&file->temporary);
	return -errno;
}

int output_file_open(const char *path, struct output_file *ret_file)
{
	auto_(output_file_release) struct output_file file = OUTPUT_FILE_EMPTY;
	struct stat st;
	int r;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		file.fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (file.fd < 0)
			return -errno;
	} else {
		file.name = xstrdup(path_basename(path));
		if (!file.name[0])
			return -EISDIR;
		file.dir_fd = open_directory(path);
		if (file.dir_fd < 0)
			return file.dir_fd;
		r = open_temporary(&file);
		if (r < 0)
			return r;
	}
	*ret_file = file;
	file = (struct output_file)OUTPUT_FILE_EMPTY;
	return 0;
}

static int name_it(struct output_file *file, const char *name)
{
	struct fd_path path = fd_path(file->fd);

	if (linkat(AT_FDCWD, path.text, file->dir_fd, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return 0;
}

int output_file_commit(struct output_file *file)
{
	int r;

	if (file->dir_fd < 0)
		return 0;
	if (!file->temporary) {
		r = name_it(file, file->name);
		if (r != -EEXIST)
			return r;
		file->temporary = temporary_name(file->name);
		r = name_it(file, file->temporary);
		if (r < 0) {
			cleanup_free_ptr(&file->temporary);
			return r;
		}
	}
	if (renameat(file->dir_fd, file->temporary, file->dir_fd, file->name) < 0)
		return -errno;
	cleanup_free_ptr(&file->temporary);
	return 0;
}

void output_file_release(struct output_file *file)
{
	if (file->temporary)
		(void)unlinkat(file->dir_fd, file->temporary, 0);
	cleanup_close_fd(&file->fd);
	cleanup_close_fd(&file->dir_fd);
	free(file->name);
	free(file->temporary);
	*file = (struct output_file)OUTPUT_FILE_EMPTY;
}
