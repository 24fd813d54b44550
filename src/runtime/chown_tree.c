/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/start_internal.h"

#define CHOWN_DEPTH_MAX 512

/* One owner for everything on one filesystem. */
struct chown_walk {
	uid_t uid;
	gid_t gid;
	dev_t dev;
};

/*
 * Whoever shares the volume may exchange names while we walk: a name is only ever used relative to
 * the directory that is open, and a link at its end is not followed.
 */
static int walk(const struct chown_walk *w, int dir_fd, unsigned int depth)
{
	auto_closedir DIR *dir = NULL;
	auto_close int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int r = 0;

	dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	if (!dir)
		return -errno;
	(void)TAKE_FD(list_fd);
	while (r >= 0 && (entry = readdir(dir))) {
		auto_close int fd = NO_FD;
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		fd = openat(dir_fd, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (st.st_dev != w->dev)
			continue; /* a mount below is somebody else's */
		if (S_ISDIR(st.st_mode))
			r = depth < CHOWN_DEPTH_MAX ? walk(w, fd, depth + 1) : -ELOOP;
		if (r >= 0 && (st.st_uid != w->uid || st.st_gid != w->gid) &&
		    fchownat(fd, "", w->uid, w->gid, AT_EMPTY_PATH) < 0)
			r = -errno;
	}
	return r;
}

int chown_tree(int mount_fd, uid_t uid, gid_t gid, struct error *err)
{
	struct chown_walk w = {.uid = uid, .gid = gid};
	struct stat st;
	int r = 0;

	if (fstat(mount_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at what is mounted");
	w.dev = st.st_dev;
	if (S_ISDIR(st.st_mode))
		r = walk(&w, mount_fd, 0);
	if (r >= 0 && fchownat(mount_fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "change owners to %u:%u", uid, gid) : 0;
}
