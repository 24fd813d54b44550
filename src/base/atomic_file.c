/* SPDX-License-Identifier: Apache-2.0 */
#include "base/atomic_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/random.h"

#define TEMPORARY_PREFIX ".tmp-"

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

/* ".tmp-" and sixteen hexadecimal digits. */
static bool is_temporary(const char *name)
{
	return strncmp(name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0 &&
	       strlen(name) == strlen(TEMPORARY_PREFIX) + 16 &&
	       hex_is(name + strlen(TEMPORARY_PREFIX), 16);
}

void atomic_file_sweep(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	struct stat st;

	if (!dir && fd >= 0)
		(void)close(fd);
	while (dir && (entry = readdir(dir)))
		if (is_temporary(entry->d_name) &&
		    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_uid == geteuid())
			(void)unlinkat(dir_fd, entry->d_name, 0);
}

int atomic_file_write(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		      bool sync)
{
	char temporary[32];
	uint64_t nonce;
	int r;

	random_bytes(&nonce, sizeof(nonce));
	(void)snprintf(temporary, sizeof(temporary), TEMPORARY_PREFIX "%016llx",
		       (unsigned long long)nonce);
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
