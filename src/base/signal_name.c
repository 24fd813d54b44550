/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signal_name.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

/* What the kernel counts from; the C library keeps the first two for itself. */
#define SIGNAL_RTMIN 34
#define SIGNAL_RTMAX 64

static int parse_realtime(const char *text)
{
	uint32_t offset = 0;
	bool from_max = strncasecmp(text, "RTMAX", 5) == 0;

	if (!from_max && strncasecmp(text, "RTMIN", 5) != 0)
		return -EINVAL;
	text += 5;
	if (*text) {
		if (*text != (from_max ? '-' : '+') || parse_u32(text + 1, &offset) < 0 ||
		    offset > SIGNAL_RTMAX - SIGNAL_RTMIN)
			return -EINVAL;
	}
	return from_max ? SIGNAL_RTMAX - (int)offset : SIGNAL_RTMIN + (int)offset;
}

static int parse_name(const char *text)
{
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int n = 1; n < SIGNAL_RTMIN; n++) {
		const char *name = sigabbrev_np(n);

		if (name && strcasecmp(name, text) == 0)
			return n;
	}
	if (strcasecmp(text, "IOT") == 0)
		return SIGABRT;
	if (strcasecmp(text, "CLD") == 0)
		return SIGCHLD;
	if (strcasecmp(text, "IO") == 0)
		return SIGIO;
	return parse_realtime(text);
}

int signal_name_parse(const char *text, struct error *err)
{
	uint32_t number;
	int r;

	if (parse_u32(text, &number) == 0)
		r = number >= 1 && number <= SIGNAL_RTMAX ? (int)number : -EINVAL;
	else
		r = parse_name(text);
	if (r < 0)
		return err_set(err, ERR_INVALID, 0, "invalid signal: %s", text);
	return r;
}
