/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_rooms;
static const char *log_stage = "skiff";

void log_init(void)
{
	const char *value = getenv("SKIFF_DEBUG");

	if (!value || !*value || strcmp(value, "0") == 0)
		log_rooms = NULL;
	else
		log_rooms = value;
}

void log_set_stage(const char *stage)
{
	log_stage = stage;
}

bool log_enabled(const char *room)
{
	size_t len = strlen(room);

	if (!log_rooms)
		return false;
	if (strcmp(log_rooms, "1") == 0 || strcmp(log_rooms, "all") == 0)
		return true;
	for (const char *p = log_rooms; *p;) {
		size_t part = strcspn(p, ",");

		if (part == len && memcmp(p, room, len) == 0)
			return true;
		p += part;
		if (*p)
			p++;
	}
	return false;
}

void log_write(const char *room, const char *fmt, ...)
{
	char line[1024];
	struct timespec now;
	va_list args;
	int n, used;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	used = snprintf(line, sizeof(line), "%ld.%06ld %s[%d] %s: ", (long)now.tv_sec,
			now.tv_nsec / 1000, log_stage, (int)getpid(), room);
	va_start(args, fmt);
	n = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, fmt, args);
	va_end(args);
	used += n < (int)sizeof(line) - used - 1 ? n : (int)sizeof(line) - used - 2;
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)used);
}
