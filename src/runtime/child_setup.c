/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/child_setup.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/sync.h"
#include "sys/pty.h"

/* So far above every number that the kept descriptors move to; far below any limit people set. */
#define PARKING_GAP 61

void child_name(const char *stage)
{
	(void)prctl(PR_SET_NAME, stage);
	log_set_stage(stage);
}

static void give_stream(int fd, const struct user_identity *identity)
{
	struct stat st;

	if (identity->uid == 0 || fstat(fd, &st) < 0)
		return;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		(void)fchown(fd, identity->uid, identity->gid);
	else if (S_ISCHR(st.st_mode) && isatty(fd))
		(void)fchown(fd, identity->uid, (gid_t)-1); /* its group stays tty */
}

static int open_stream(int number, int from, int null_fd, struct error *err)
{
	auto_close int opened_fd = NO_FD;

	if (from < 0) {
		struct fd_path path = fd_path(null_fd);

		opened_fd = open(path.text, O_RDWR | O_CLOEXEC);
		if (opened_fd < 0)
			return err_set(err, ERR_SYSTEM, errno, "open /dev/null");
		from = opened_fd;
	}
	if (from == number) {
		opened_fd = NO_FD;
		if (fd_set_cloexec(number, false) < 0)
			return err_set(err, ERR_SYSTEM, EBADF, "set up standard streams");
		return 0;
	}
	if (dup2(from, number) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set up standard streams");
	return 0;
}

int child_open_streams(const int streams[3], int null_fd, const struct user_identity *identity,
		       struct error *err)
{
	for (int i = 0; i < 3; i++) {
		int r = open_stream(i, streams[i], null_fd, err);

		if (r < 0)
			return r;
		give_stream(i, identity);
	}
	return 0;
}

int child_open_terminal(int devpts_fd, uint16_t rows, uint16_t cols, int sync_sock,
			int *ret_terminal_fd, struct error *err)
{
	struct pty pty;
	int r;

	r = pty_open(devpts_fd, rows, cols, &pty);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open a terminal");
	*ret_terminal_fd = pty.slave_fd;
	r = sync_send(sync_sock, SYNC_CONSOLE, pty.master_fd);
	(void)close(pty.master_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "hand the terminal over");
	r = pty_make_controlling(pty.slave_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the terminal the controlling one");
	return 0;
}

int child_close_others(unsigned int keep_first, int *const keep[], size_t count, struct error *err)
{
	int next = 3 + (int)keep_first;
	const int parking = next + PARKING_GAP;

	/* Parked out of the way first, so that dup3() below never closes one of them. */
	for (size_t i = 0; i < count; i++) {
		int parked;

		if (*keep[i] < 0)
			continue;
		parked = fcntl(*keep[i], F_DUPFD_CLOEXEC, parking);
		if (parked < 0)
			return err_set(err, ERR_SYSTEM, errno, "keep a descriptor");
		*keep[i] = parked;
	}
	for (size_t i = 0; i < count; i++) {
		if (*keep[i] < 0)
			continue;
		if (dup3(*keep[i], next, O_CLOEXEC) < 0)
			return err_set(err, ERR_SYSTEM, errno, "keep a descriptor");
		*keep[i] = next++;
	}
	if (syscall(SYS_close_range, (unsigned int)next, ~0U, 0U) < 0)
		return err_set(err, ERR_SYSTEM, errno, "close inherited descriptors");
	return 0;
}
