/* SPDX-License-Identifier: Apache-2.0 */
#include "base/atomic_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/random.h"

static int write_temporary(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
			   bool sync)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0)
		return -errno;
	if (sync && fsync(fd) < 0)
		return -errno;
	return 0;
}

int atomic_file_write(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		      bool sync)
{
	char temporary[32];
	uint64_t nonce;
	int r;

	random_bytes(&nonce, sizeof(nonce));
	(void)snprintf(temporary, sizeof(temporary), ".tmp-%016llx", (unsigned long long)nonce);
	r = write_temporary(dir_fd, temporary, data, len, mode, sync);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, temporary, 0);
		return r;
	}
	if (sync && fsync(dir_fd) < 0)
		return -errno;
	return 0;
}
