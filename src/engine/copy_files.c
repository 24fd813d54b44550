/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/copy_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "image/manifest.h"

static int open_file(int dir_fd, const char *name, struct error *err)
{
	int fd = path_open_beneath(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	struct stat st;

	if (fd == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "'%s' is missing", name);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "open '%s'", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(err, ERR_INVALID, 0, "'%s' is not a regular file", name);
	}
	return fd;
}

int copy_files_read_document(int dir_fd, const char *name, struct copy_document *ret_document,
			     struct error *err)
{
	auto_(copy_document_release) struct copy_document document = {0};
	auto_close int fd = open_file(dir_fd, name, err);
	int r;

	if (fd < 0)
		return fd;
	r = fd_read_text(fd, MANIFEST_MAX_BYTES, &document.text, &document.len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", name);
	copy_document_seal(&document);
	*ret_document = document;
	document = (struct copy_document){0};
	return 0;
}

int copy_files_read_blob(int dir_fd, const char *name, int fd, struct error *err)
{
	auto_close int from = open_file(dir_fd, name, err);
	ssize_t n;

	if (from < 0)
		return from;
	do {
		n = sendfile(fd, from, NULL, (size_t)1 << 30);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? err_set(err, ERR_SYSTEM, errno, "copy '%s'", name) : 0;
}

int copy_files_have(int dir_fd, const char *name, uint64_t size_bytes)
{
	auto_close int fd = path_open_beneath(dir_fd, name, O_PATH | O_CLOEXEC, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size_bytes;
}

int copy_files_new(int dir_fd, struct error *err)
{
	int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "create a file") : fd;
}

int copy_files_place(int dir_fd, const char *name, int fd, struct error *err)
{
	struct fd_path path = fd_path(fd);

	if (fdatasync(fd) < 0)
		return err_set(err, ERR_SYSTEM, errno, "write '%s'", name);
	if (linkat(AT_FDCWD, path.text, dir_fd, name, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
		return err_set(err, ERR_SYSTEM, errno, "write '%s'", name);
	return 0;
}
