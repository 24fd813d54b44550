/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"

bool terminal_is(int fd)
{
	return isatty(fd) == 1;
}

struct terminal_size terminal_size(void)
{
	static const int fds[] = {STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO};
	struct winsize ws;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (ioctl(fds[i], TIOCGWINSZ, &ws) == 0)
			return (struct terminal_size){ws.ws_row, ws.ws_col};
	return (struct terminal_size){0, 0};
}
