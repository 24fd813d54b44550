/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

int pty_open(int devpts_fd, uint16_t rows, uint16_t cols, struct pty *ret_pty)
{
	struct winsize size = {.ws_row = rows, .ws_col = cols};
	auto_close int master_fd = NO_FD;
	auto_close int slave_fd = NO_FD;
	int unlock = 0;

	master_fd = openat(devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	if (master_fd < 0)
		return -errno;
	if (ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	if (rows > 0 && ioctl(master_fd, TIOCSWINSZ, &size) < 0)
		return -errno;
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return -errno;
	ret_pty->master_fd = TAKE_FD(master_fd);
	ret_pty->slave_fd = TAKE_FD(slave_fd);
	return 0;
}

int pty_make_controlling(int slave_fd)
{
	if (setsid() < 0 && errno != EPERM)
		return -errno;
	return ioctl(slave_fd, TIOCSCTTY, 0) < 0 ? -errno : 0;
}
