/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tty.h - the terminal that we were started on
 *
 *	r = tty_raw_enter(STDIN_FILENO, &raw);   from now on every byte is the container's
 *	…
 *	tty_raw_leave(raw);                      as it was before
 *
 * A terminal left in raw mode is useless to the person in front of it, so its mode is restored
 * whatever becomes of us: tty_raw_enter() starts a small watchdog process that holds the terminal
 * and a pidfd of ours, and restores the mode when we die without having left, be it by SIGKILL.
 */
#ifndef SKIFF_SYS_TTY_H
#define SKIFF_SYS_TTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct tty_size {
	uint16_t rows, cols;
};

/* 0, or -ENOTTY when fd is not a terminal. */
int tty_get_size(int fd, struct tty_size *ret_size);

/* On either end of a terminal; the processes on it get SIGWINCH when the size changes. */
int tty_set_size(int fd, struct tty_size size);

struct tty_raw;

/* Remembers the mode of the terminal `fd` (borrowed until tty_raw_leave()), then sets raw mode. */
int tty_raw_enter(int fd, struct tty_raw **ret_raw);

/* Raw mode again, after a stop of ours during which somebody else had the terminal. */
int tty_raw_resume(struct tty_raw *raw);

/* The remembered mode for the time of a stop of ours. */
void tty_raw_suspend(struct tty_raw *raw);

/* Restores the mode, ends the watchdog and frees. NULL does nothing. */
void tty_raw_leave(struct tty_raw *raw);

DEFINE_CLEANUP(struct tty_raw *, tty_raw_leave);

#endif
