/* SPDX-License-Identifier: Apache-2.0 */
/* pty.h - terminals from a devpts instance that is given by descriptor */
#ifndef SKIFF_SYS_PTY_H
#define SKIFF_SYS_PTY_H

#include <stdint.h>

struct pty {
	int master_fd, slave_fd; /* owned by the caller */
};

/*
 * Allocates a terminal from the devpts mounted at devpts_fd, unlocks it, sets its size (rows 0:
 * left at 0x0) and opens its other end without a path (TIOCGPTPEER, Linux 4.13).
 */
int pty_open(int devpts_fd, uint16_t rows, uint16_t cols, struct pty *ret_pty);

/* Makes the terminal the controlling one of a new session of the caller. */
int pty_make_controlling(int slave_fd);

#endif
