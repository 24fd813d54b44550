/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "runtime/start_internal.h"

#define FILL_DEPTH_MAX 512
#define XATTR_MAX 65536

static int copy_entry(int from_dir, int to_dir, const char *name, unsigned int depth);

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* NULL and errno on failure. */
static DIR *open_list(int dir_fd)
{
	auto_close int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)TAKE_FD(fd);
	return dir;
}

/* 1: nothing in it. lost+found does not count: a fresh filesystem has it. */
static int directory_is_empty(int dir_fd)
{
	auto_closedir DIR *dir = open_list(dir_fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (!is_dot(entry->d_name) && strcmp(entry->d_name, "lost+found") != 0)
			return 0;
	return 1;
}

static int copy_xattrs(int from_fd, int to_fd)
{
	char names[4096];
	auto_free char *value = xmalloc(XATTR_MAX);
	ssize_t len = flistxattr(from_fd, names, sizeof(names));

	for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		ssize_t n = fgetxattr(from_fd, name, value, XATTR_MAX);

		if (n >= 0 && fsetxattr(to_fd, name, value, (size_t)n, 0) < 0 &&
		    errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

/* Owner first: chown clears setuid bits, which chmod then restores. */
static int copy_metadata(int from_fd, int to_fd, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	int r;

	if (fchown(to_fd, st->st_uid, st->st_gid) < 0 || fchmod(to_fd, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from_fd, to_fd);
	if (r < 0)
		return r;
	return futimens(to_fd, times) < 0 ? -errno : 0;
}

static int copy_bytes(int from_fd, int to_fd, off_t size)
{
	off_t done = 0;

	while (done < size) {
		ssize_t n = copy_file_range(from_fd, NULL, to_fd, NULL, (size_t)(size - done), 0);

		if (n < 0 && done == 0)
			n = sendfile(to_fd, from_fd, NULL, (size_t)(size - done));
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += n;
	}
	return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
	auto_close int from_fd = NO_FD;
	auto_close int to_fd = NO_FD;
	struct stat st;
	int r;

	from_fd = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from_fd < 0 || fstat(from_fd, &st) < 0)
		return -errno;
	to_fd = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to_fd < 0)
		return -errno;
	r = copy_bytes(from_fd, to_fd, st.st_size);
	if (r < 0)
		return r;
	return copy_metadata(from_fd, to_fd, &st);
}

static int copy_directory_contents(int from_fd, int to_fd, unsigned int depth)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	int r;

	if (depth > FILL_DEPTH_MAX)
		return -ELOOP;
	dir = open_list(from_fd);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (is_dot(entry->d_name))
			continue;
		r = copy_entry(from_fd, to_fd, entry->d_name, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_directory(int from_dir, int to_dir, const char *name, unsigned int depth)
{
	auto_close int from_fd = NO_FD;
	auto_close int to_fd = NO_FD;
	struct stat st;
	int r;

	from_fd = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from_fd < 0 || fstat(from_fd, &st) < 0)
		return -errno;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to_fd = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to_fd < 0)
		return -errno;
	r = copy_directory_contents(from_fd, to_fd, depth + 1);
	if (r < 0)
		return r;
	return copy_metadata(from_fd, to_fd, &st);
}

static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	if (S_ISLNK(st->st_mode)) {
		char target[4096];
		ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

		if (n < 0)
			return -errno;
		target[n] = '\0';
		if (symlinkat(target, to_dir, name) < 0)
			return -errno;
	} else if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0) {
		return -errno;
	}
	return fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_entry(int from_dir, int to_dir, const char *name, unsigned int depth)
{
	struct stat st;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_directory(from_dir, to_dir, name, depth);
	if (S_ISREG(st.st_mode))
		return copy_file(from_dir, to_dir, name);
	return copy_special(from_dir, to_dir, name, &st);
}

/*
 * Both trees are walked by descriptor and without following links; nothing in the container runs
 * yet. A half-filled volume after a crash is not empty, so it is not filled again: as with docker.
 */
int volume_fill(int target_fd, int volume_fd, struct error *err)
{
	auto_close int from_fd = NO_FD;
	auto_close int to_fd = NO_FD;
	struct stat st;
	int r;

	r = directory_is_empty(volume_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look into the volume");
	if (r == 0)
		return 0;
	from_fd = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to_fd = openat(volume_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from_fd < 0 || to_fd < 0 || fstat(from_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the volume");
	r = copy_directory_contents(from_fd, to_fd, 0);
	if (r == 0)
		r = copy_metadata(from_fd, to_fd, &st);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "copy from the image");
	return 0;
}
