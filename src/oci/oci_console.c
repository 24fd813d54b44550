/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_console.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/process.h"
#include "sys/tty.h"

#define COPY_BYTES 16384

int oci_console_check(bool terminal, bool leaves, const char *socket_path, struct error *err)
{
	bool has_socket = socket_path && *socket_path;

	if (terminal && leaves && !has_socket)
		return err_set(err, ERR_INVALID, EINVAL,
			       "cannot allocate tty if runc will detach without setting console "
			       "socket (process.terminal needs --console-socket)");
	if (has_socket && (!terminal || !leaves))
		return err_set(err, ERR_INVALID, EINVAL,
			       "cannot use console socket if runc will not detach or allocate tty");
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The name goes along because callers read one; it is of no use outside of the container. */
int oci_console_send(const char *socket_path, int master_fd, struct error *err)
{
	static const char name[] = "/dev/ptmx";
	auto_close int sock = connect_to(socket_path);
	ssize_t n;

	if (sock < 0)
		return err_set(err, ERR_SYSTEM, -sock, "console socket '%s'", socket_path);
	n = fd_send(sock, name, strlen(name), &master_fd, 1);
	return n < 0 ? err_set(err, ERR_SYSTEM, (int)-n, "console socket '%s'", socket_path) : 0;
}

/* ---- in the foreground ---- */

void oci_block_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

struct foreground {
	int pidfd, master_fd, signal_fd;
	bool reads_input;
	struct tty_raw *raw;
};

static void follow_size(const struct foreground *f)
{
	struct tty_size size;

	if (f->master_fd >= 0 && tty_get_size(STDIN_FILENO, &size) == 0)
		(void)tty_set_size(f->master_fd, size);
}

static void pass_signal(const struct foreground *f)
{
	struct signalfd_siginfo info;

	if (read(f->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		follow_size(f);
	else if (info.ssi_signo != SIGCHLD)
		(void)process_signal(f->pidfd, (int)info.ssi_signo);
}

static bool copy_some(int from, int to)
{
	char buffer[COPY_BYTES];
	ssize_t n = read(from, buffer, sizeof(buffer));

	return n > 0 && fd_write_all(to, buffer, (size_t)n) == 0;
}

/* What was written before the end is still in the terminal. */
static void drain(const struct foreground *f)
{
	if (f->master_fd < 0)
		return;
	(void)fd_set_nonblock(f->master_fd, true);
	while (copy_some(f->master_fd, STDOUT_FILENO))
		;
}

static void serve(struct foreground *f)
{
	for (;;) {
		struct pollfd p[] = {
			{.fd = f->pidfd, .events = POLLIN},
			{.fd = f->signal_fd, .events = POLLIN},
			{.fd = f->master_fd, .events = POLLIN},
			{.fd = f->reads_input ? STDIN_FILENO : NO_FD, .events = POLLIN},
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents)
			pass_signal(f);
		if (p[2].revents && !copy_some(f->master_fd, STDOUT_FILENO) && p[0].revents)
			return;
		if (p[3].revents && !copy_some(STDIN_FILENO, f->master_fd))
			f->reads_input = false;
		if (p[0].revents)
			return;
		/* Its last user is gone and the process is not: nothing more will come. */
		if (p[2].revents & POLLHUP)
			(void)poll(p, 2, -1);
	}
}

int oci_foreground(int pidfd, int master_fd, struct error *err)
{
	auto_close int signal_fd = NO_FD;
	struct foreground f = {.pidfd = pidfd, .master_fd = master_fd};
	sigset_t all;
	int r;

	(void)sigfillset(&all);
	signal_fd = signalfd(-1, &all, SFD_CLOEXEC);
	if (signal_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "listen to signals");
	f.signal_fd = signal_fd;
	f.reads_input = master_fd >= 0;
	if (master_fd >= 0 && isatty(STDIN_FILENO)) {
		follow_size(&f);
		r = tty_raw_enter(STDIN_FILENO, &f.raw);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "set the terminal to raw mode");
	}
	serve(&f);
	drain(&f);
	if (f.raw)
		tty_raw_leave(f.raw);
	r = process_reap(pidfd);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "wait for the container") : r;
}
