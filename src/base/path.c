/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

static int open_resolved(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
		.resolve = resolve,
	};
	long fd;

	/* EAGAIN: a rename raced with the walk (openat2(2)); the caller wants an answer. */
	for (int tries = 0; tries < 128; tries++) {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	return open_resolved(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_inside(int dir_fd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dir_fd, path, flags, mode, RESOLVE_NO_MAGICLINKS);
}

int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
	return open_resolved(dir_fd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Creates the directory at path[0..len) in its existing parent, or opens it when it is there. */
static int open_or_make_dir(int root_fd, const char *path, size_t len, mode_t mode, uid_t uid,
			    gid_t gid)
{
	auto_free char *prefix = xstrndup(path, len);
	auto_free char *parent = NULL;
	auto_close int parent_fd = NO_FD;
	const char *name;
	char *slash;
	int fd;

	parent = xstrdup(prefix);
	slash = strrchr(parent, '/');
	name = slash ? slash + 1 : parent;
	if (slash)
		parent_fd = path_open_in_root(root_fd,
					      slash == parent ? "/" : (*slash = '\0', parent),
					      O_PATH | O_DIRECTORY, 0);
	else
		parent_fd = path_open_in_root(root_fd, "/", O_PATH | O_DIRECTORY, 0);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, name, mode) == 0) {
		fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (uid != (uid_t)-1 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0) {
			int r = -errno;

			(void)close(fd);
			return r;
		}
		return fd;
	}
	/* EEXIST here: made by somebody else meanwhile, or a link that leads to nothing. */
	if (errno != EEXIST)
		return -errno;
	return path_open_in_root(root_fd, prefix, O_PATH | O_DIRECTORY, 0);
}

int path_mkdir_in_root(int root_fd, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	auto_free char *clean = path_clean(path);
	auto_close int fd = NO_FD;
	const char *end;

	fd = path_open_in_root(root_fd, clean, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		return TAKE_FD(fd);
	if (fd != -ENOENT)
		return fd;
	/* Most often only the last component is missing. */
	fd = open_or_make_dir(root_fd, clean, strlen(clean), mode, uid, gid);
	if (fd != -ENOENT)
		return TAKE_FD(fd);
	for (const char *at = clean + 1;; at = end + 1) {
		cleanup_close_fd(&fd);
		end = strchrnul(at, '/');
		fd = open_or_make_dir(root_fd, clean, (size_t)(end - clean), mode, uid, gid);
		if (fd < 0)
			return fd;
		if (!*end)
			return TAKE_FD(fd);
	}
}

int path_mkfile_in_root(int root_fd, const char *path, mode_t mode)
{
	auto_free char *clean = path_clean(path);
	auto_close int parent_fd = NO_FD;
	char *slash = strrchr(clean, '/');
	int fd;

	fd = path_open_in_root(root_fd, clean, O_PATH, 0);
	if (fd != -ENOENT)
		return fd;
	*slash = '\0';
	parent_fd = path_mkdir_in_root(root_fd, slash == clean ? "/" : clean, 0755, (uid_t)-1,
				       (gid_t)-1);
	if (parent_fd < 0)
		return parent_fd;
	fd = openat(parent_fd, slash + 1,
		    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, mode);
	if (fd >= 0)
		(void)close(fd);
	else if (errno != EEXIST)
		return -errno;
	fd = openat(parent_fd, slash + 1, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static void clear_attributes(int fd)
{
	unsigned int attributes;

	if (ioctl(fd, FS_IOC_GETFLAGS, &attributes) < 0)
		return;
	if (!(attributes & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return;
	attributes &= ~(unsigned int)(FS_IMMUTABLE_FL | FS_APPEND_FL);
	(void)ioctl(fd, FS_IOC_SETFLAGS, &attributes);
}

static int unlink_stubborn(int dir_fd, const char *name, int flags)
{
	auto_close int fd = NO_FD;

	if (unlinkat(dir_fd, name, flags) == 0 || errno == ENOENT)
		return 0;
	if (errno != EPERM)
		return -errno;
	clear_attributes(dir_fd);
	fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		clear_attributes(fd);
	return unlinkat(dir_fd, name, flags) == 0 || errno == ENOENT ? 0 : -errno;
}

/*
 * Depth is bounded by the descriptors we may hold: a directory at MAX_DEPTH is moved up into the
 * top of the tree, where the next round finds it as a shallow one.
 */
#define MAX_DEPTH 128

struct removal {
	int top_fd;
	unsigned int moved; /* directories moved up in this round; they are not gone yet */
};

static int remove_entry(struct removal *removal, int dir_fd, const char *name, unsigned char type,
			unsigned int depth);

static int remove_children(struct removal *removal, int dir_fd, unsigned int depth)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	int copy, r, first = 0;

	copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	dir = fdopendir(copy);
	if (!dir) {
		r = -errno;
		(void)close(copy);
		return r;
	}
	rewinddir(dir); /* the copy shares its position with dir_fd, which may be read again */
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_entry(removal, dir_fd, entry->d_name, entry->d_type, depth);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

/* Whatever has that name up there already stays: the next number is tried. */
static int move_up(struct removal *removal, int dir_fd, const char *name)
{
	for (unsigned int i = 0; i < 1000000; i++) {
		char moved[32];

		(void)snprintf(moved, sizeof(moved), ".deep-%u", removal->moved + i);
		if (renameat2(dir_fd, name, removal->top_fd, moved, RENAME_NOREPLACE) == 0) {
			removal->moved += i + 1;
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int remove_entry(struct removal *removal, int dir_fd, const char *name, unsigned char type,
			unsigned int depth)
{
	auto_close int fd = NO_FD;
	int r;

	if (type != DT_DIR && type != DT_UNKNOWN) {
		r = unlink_stubborn(dir_fd, name, 0);
		if (r != -EISDIR)
			return r;
	}
	fd = path_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd == -ENOTDIR || fd == -ELOOP)
		return unlink_stubborn(dir_fd, name, 0);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (depth >= MAX_DEPTH)
		return move_up(removal, dir_fd, name);
	r = remove_children(removal, fd, depth + 1);
	if (r < 0)
		return r;
	return unlink_stubborn(dir_fd, name, AT_REMOVEDIR);
}

int path_remove_tree(int dir_fd, const char *name)
{
	struct removal removal;
	auto_close int fd = NO_FD;
	int r;

	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return unlink_stubborn(dir_fd, name, 0);
	if (fd < 0)
		return -errno;
	do {
		removal = (struct removal){.top_fd = fd};
		r = remove_children(&removal, fd, 1);
		if (r < 0)
			return r;
	} while (removal.moved > 0);
	return unlink_stubborn(dir_fd, name, AT_REMOVEDIR);
}

int path_mkdir_parents(const char *path, mode_t mode)
{
	auto_free char *copy = xstrdup(path);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int path_mkdir_private(const char *path)
{
	auto_free char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');
	int r;

	if (slash && slash != parent) {
		*slash = '\0';
		r = path_mkdir_parents(parent, 0755);
		if (r < 0)
			return r;
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

char *path_clean(const char *path)
{
	struct strbuf out = {0};

	while (*path) {
		const char *end;
		size_t len;

		while (*path == '/')
			path++;
		end = strchrnul(path, '/');
		len = (size_t)(end - path);
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (out.len > 0 && out.data[--out.len] != '/')
				;
			if (out.data)
				out.data[out.len] = '\0';
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			strbuf_addc(&out, '/');
			strbuf_add(&out, path, len);
		}
		path = end;
	}
	if (out.len == 0)
		strbuf_addc(&out, '/');
	return strbuf_take(&out);
}

const char *path_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
