/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"

static int lock_as(int fd, int operation)
{
	int r;

	do
		r = flock(fd, operation);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int lock_fd(int fd, bool wait)
{
	return lock_as(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
}

int lock_fd_shared(int fd, bool wait)
{
	return lock_as(fd, LOCK_SH | (wait ? 0 : LOCK_NB));
}

int lock_release(int fd)
{
	return lock_as(fd, LOCK_UN);
}

/*
 * Files are locked by open file description (F_OFD_SETLK, Linux 3.15): it lives and dies like flock's,
 * and unlike it the kernel tells who asks without taking anything, so that asking disturbs nobody.
 */
static int lock_description(int fd, int command, short type)
{
	struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
	int r;

	do
		r = fcntl(fd, command, &whole);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN || errno == EACCES ? -EWOULDBLOCK : -errno;
	return whole.l_type == F_UNLCK ? 0 : 1;
}

int lock_file(int dir_fd, const char *name, bool wait)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = lock_description(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, F_WRLCK);
	if (r < 0)
		return r;
	return TAKE_FD(fd);
}

int lock_is_held(int dir_fd, const char *name)
{
	auto_close int fd = NO_FD;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	return lock_description(fd, F_OFD_GETLK, F_RDLCK);
}
