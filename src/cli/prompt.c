/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* What a terminal hands over as one line. */
#define LINE_MAX_BYTES 4096

/* 1 a line can be read, 0 a signal wants to be delivered, or a negative errno. */
static int wait_for_line(int signal_fd)
{
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = signal_fd, .events = POLLIN},
	};

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return fds[1].revents ? 0 : 1;
}

static int read_line(int signal_fd, char *line, size_t size)
{
	ssize_t n;
	int r;

	r = wait_for_line(signal_fd);
	if (r <= 0)
		return r < 0 ? r : -EINTR;
	n = read(STDIN_FILENO, line, size - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

static int read_hidden(const sigset_t *signals, bool secret, char *line, size_t size)
{
	auto_close int signal_fd = signalfd(-1, signals, SFD_CLOEXEC);
	struct termios before, hidden;
	int r;

	if (signal_fd < 0 || tcgetattr(STDIN_FILENO, &before) < 0)
		return -errno;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ECHONL;
	if (secret && tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		return -errno;
	r = read_line(signal_fd, line, size);
	if (secret)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	return r;
}

int prompt_line(FILE *out, const char *question, bool secret, char **ret_line)
{
	char line[LINE_MAX_BYTES];
	sigset_t signals, before;
	int r;

	if (!isatty(STDIN_FILENO))
		return -ENOTTY;
	(void)fputs(question, out);
	(void)fflush(out);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGQUIT);
	(void)sigaddset(&signals, SIGTSTP);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	do {
		r = read_hidden(&signals, secret, line, sizeof(line));
		/* The signal was held back until the terminal was as before; now it does its work. */
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	} while (r == -EINTR);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (r >= 0)
		*ret_line = xstrdup(line);
	explicit_bzero(line, sizeof(line));
	return r;
}
