/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mount_points.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/random.h"

#define LAST_MADE MOUNT_POINTS_PATH "/etc/resolv.conf"

static const char *const directories[] = {"dev", "etc", "proc", "sys"};
static const char *const files[] = {"etc/hostname", "etc/hosts", "etc/resolv.conf"};

static int make_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static int fill(int dir_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdirat(dir_fd, directories[i], 0755) < 0)
			return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r = make_file(dir_fd, files[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Whole under another name first; who comes second finds it made. */
static int make(int root_fd, const char *temporary)
{
	auto_close int dir_fd = NO_FD;
	int r;

	if (mkdirat(root_fd, "cache", 0700) < 0 && errno != EEXIST)
		return -errno;
	if (mkdirat(root_fd, temporary, 0755) < 0)
		return -errno;
	dir_fd = openat(root_fd, temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir_fd < 0 ? -errno : fill(dir_fd);
	if (r < 0)
		return r;
	return renameat(root_fd, temporary, root_fd, MOUNT_POINTS_PATH) < 0 ? -errno : 0;
}

int mount_points_ensure(int root_fd, struct error *err)
{
	char temporary[sizeof(MOUNT_POINTS_PATH) + 24];
	uint64_t nonce;
	int r;

	if (faccessat(root_fd, LAST_MADE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	random_bytes(&nonce, sizeof(nonce));
	(void)snprintf(temporary, sizeof(temporary), "%s-%016llx", MOUNT_POINTS_PATH,
		       (unsigned long long)nonce);
	r = make(root_fd, temporary);
	if (r < 0)
		(void)path_remove_tree(root_fd, temporary);
	if (r < 0 && r != -EEXIST && r != -ENOTEMPTY)
		return err_set(err, ERR_SYSTEM, -r, "make '%s'", MOUNT_POINTS_PATH);
	return 0;
}
