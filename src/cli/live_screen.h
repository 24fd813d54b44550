/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live_screen.h - a view that is drawn again and again in the same place
 *
 *	live_screen_open(&screen, out, true);
 *	do
 *		live_screen_paint(&screen, text);
 *	while ((event = live_screen_wait(&screen, deadline_ns)) != LIVE_END);
 *	live_screen_close(&screen);
 *
 * On a terminal it has the alternate screen, so that what was there before comes back; each picture is
 * one write, line over line without clearing first, so nothing flickers. Elsewhere pictures follow
 * each other as plain text.
 *
 * Signals arrive at live_screen_wait() while it is open: those that end us (SIGINT, SIGTERM, SIGHUP,
 * SIGQUIT) as LIVE_END; Ctrl-Z gives the terminal back for the time of the stop. Not to be used
 * where other code waits for signals or children.
 */
#ifndef SKIFF_CLI_LIVE_SCREEN_H
#define SKIFF_CLI_LIVE_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

enum live_event {
	LIVE_TIME,   /* the deadline is reached */
	LIVE_REDRAW, /* the size has changed, or we were stopped meanwhile */
	LIVE_END,    /* a signal wants us to end: screen->signal */
};

struct live_screen {
	FILE *out; /* borrowed */
	int signal_fd;
	int signal; /* that ended it; 0 before */
	bool is_terminal;
	sigset_t old_mask;
};

/* `live` false: plain text also on a terminal; only the waiting is used. 0 or a negative errno. */
int live_screen_open(struct live_screen *screen, FILE *out, bool live);

/* Lines of UTF-8 text; what does not fit on the terminal is cut off. False when nobody reads it. */
bool live_screen_paint(struct live_screen *screen, const char *text);

/* Waits until a monotonic time at most. */
enum live_event live_screen_wait(struct live_screen *screen, int64_t deadline_ns);

/* Gives the terminal back. */
void live_screen_close(struct live_screen *screen);

#define LIVE_SCREEN_EMPTY ((struct live_screen){.signal_fd = NO_FD})

DEFINE_CLEANUP_VALUE(struct live_screen, live_screen_close);

#endif
