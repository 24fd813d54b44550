/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/process.h"

struct tty_raw {
	int fd; /* borrowed */
	struct termios original;
	pid_t watchdog;
};

int tty_get_size(int fd, struct tty_size *ret_size)
{
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) < 0)
		return -errno;
	*ret_size = (struct tty_size){.rows = ws.ws_row, .cols = ws.ws_col};
	return 0;
}

int tty_set_size(int fd, struct tty_size size)
{
	struct winsize ws = {.ws_row = size.rows, .ws_col = size.cols};

	return ioctl(fd, TIOCSWINSZ, &ws) < 0 ? -errno : 0;
}

/* TCSADRAIN would wait for a terminal that nobody reads; what was written stays written anyway. */
static int set_mode(int fd, const struct termios *mode)
{
	int r;

	do
		r = tcsetattr(fd, TCSANOW, mode);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Moves fd to `number`, where it survives the closing of everything above. */
static bool move_fd(int fd, int number)
{
	return fd == number || dup2(fd, number) == number;
}

/*
 * The watchdog: its own session, so that neither the terminal's signals nor a kill of our process
 * group reaches it; no descriptor but the two, so that no pipe of ours stays open because of it.
 * A terminal is only changed from the background by who blocks SIGTTOU (tcsetattr(3)).
 */
static _Noreturn void watch(int tty_fd, int parent_fd, const struct termios *original)
{
	struct pollfd parent;
	sigset_t all;
	int spare_fd;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "skiff-tty", 0, 0, 0);

	spare_fd = fcntl(parent_fd, F_DUPFD_CLOEXEC, 2);
	if (!move_fd(tty_fd, 0) || !move_fd(spare_fd, 1))
		_exit(1);
	(void)syscall(SYS_close_range, 2U, ~0U, 0U);

	parent = (struct pollfd){.fd = 1, .events = POLLIN};
	while (poll(&parent, 1, -1) < 0 && errno == EINTR)
		continue;
	_exit(set_mode(0, original) < 0 ? 1 : 0);
}

static int start_watchdog(struct tty_raw *raw)
{
	auto_close int self_fd = NO_FD;
	pid_t pid;

	self_fd = process_open(getpid());
	if (self_fd < 0)
		return self_fd;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		watch(raw->fd, self_fd, &raw->original);
	raw->watchdog = pid;
	return 0;
}

static void end_watchdog(struct tty_raw *raw)
{
	if (raw->watchdog <= 0)
		return;
	(void)kill(raw->watchdog, SIGKILL);
	while (waitpid(raw->watchdog, NULL, 0) < 0 && errno == EINTR)
		continue;
	raw->watchdog = 0;
}

int tty_raw_enter(int fd, struct tty_raw **ret_raw)
{
	struct tty_raw *raw;
	int r;

	raw = xcalloc(1, sizeof(*raw));
	raw->fd = fd;
	r = tcgetattr(fd, &raw->original) < 0 ? -errno : start_watchdog(raw);
	if (r == 0)
		r = tty_raw_resume(raw);
	if (r < 0) {
		end_watchdog(raw);
		free(raw);
		return r;
	}
	*ret_raw = raw;
	return 0;
}

int tty_raw_resume(struct tty_raw *raw)
{
	struct termios mode = raw->original;

	cfmakeraw(&mode);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	return set_mode(raw->fd, &mode);
}

void tty_raw_suspend(struct tty_raw *raw)
{
	(void)set_mode(raw->fd, &raw->original);
}

void tty_raw_leave(struct tty_raw *raw)
{
	if (!raw)
		return;
	tty_raw_suspend(raw);
	end_watchdog(raw);
	free(raw);
}
