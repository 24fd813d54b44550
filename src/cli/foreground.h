/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground.h - a container on our own standard streams: run, start -a, attach
 *
 *	fg = (struct foreground){.output = true, .errors = true, .sig_proxy = true};
 *	options = foreground_link_options(&fg);
 *	container_start(engine, id, link, &options, err);
 *	foreground_stream(call, &fg, link, &result, err);
 */
#ifndef SKIFF_CLI_FOREGROUND_H
#define SKIFF_CLI_FOREGROUND_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/command.h"
#include "engine/monitor_link.h"

struct foreground {
	bool input, output, errors; /* which of our streams are connected */
	bool sig_proxy;             /* signals that we get go to the container */
	bool client_removes;        /* --rm, and we are there to do it */
	const char *detach_keys;    /* NULL: ctrl-p,ctrl-q */
};

/* The monitor tells us the end of the container in any case. */
struct monitor_link_options foreground_link_options(const struct foreground *fg);

/* Until the container ends or the user detaches. */
int foreground_stream(const struct command_call *call, const struct foreground *fg,
		      struct monitor_link *link, struct stream_result *ret_result,
		      struct error *err);

/*
 * Reports that streaming failed; returns the exit status. When nobody reads our output any more
 * (skiff logs … | head) there is nothing to say, as with any program that SIGPIPE ends.
 */
int foreground_fail(const struct command_call *call, const struct error *err);

/* docker's words when a terminal is wanted for input and there is none. ERR_INVALID. */
int foreground_check_tty(bool tty, bool input, struct error *err);

/* For the option tables. */
int foreground_check_keys(const char *keys, struct error *err);

#endif
