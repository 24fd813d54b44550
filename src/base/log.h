/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - debug messages
 *
 * SKIFF_DEBUG chooses what is written to standard error: "1" or "all" for everything, or a
 * comma-separated list of rooms ("runtime,monitor"). Nothing else is ever printed from below cli.
 * The room is the first word of the message by convention of the macro.
 *
 *	log_debug("runtime", "pivoted into %s", what);
 */
#ifndef SKIFF_BASE_LOG_H
#define SKIFF_BASE_LOG_H

#include <stdbool.h>

/* Reads SKIFF_DEBUG. Called once by main(). */
void log_init(void);

/* The stage that this process is in, shown in each line; a string literal. */
void log_set_stage(const char *stage);

bool log_enabled(const char *room);
void log_write(const char *room, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(room, ...)                                                                       \
	do {                                                                                       \
		if (log_enabled(room))                                                             \
			log_write(room, __VA_ARGS__);                                              \
	} while (0)

#endif
