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

int lock_file(int dir_fd, const char *name, bool wait)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = lock_fd(fd, wait);
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
	/* Shared: two askers do not see each other; a holder is exclusive. */
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : -errno;
}
