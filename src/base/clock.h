/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - points in time as nanoseconds since 1970 (UTC), and their texts */
#ifndef SKIFF_BASE_CLOCK_H
#define SKIFF_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ns(void);       /* CLOCK_REALTIME */
int64_t clock_monotonic_ns(void); /* CLOCK_MONOTONIC */

/* "2026-11-23T15:19:02.123456789Z", as Go's RFC3339Nano prints it (trailing zeros dropped). */
#define CLOCK_TEXT_SIZE 40
void clock_format(int64_t ns, char ret_text[CLOCK_TEXT_SIZE]);

/* RFC 3339 with any offset and fraction. 0 or -EINVAL. */
int clock_parse(const char *text, int64_t *ret_ns);

/*
 * What --since and --until take: RFC 3339 (also without offset or time: local time), seconds
 * since 1970 with a fraction, or a duration before `now_ns` ("10m"). 0 or -EINVAL.
 */
int clock_parse_user(const char *text, int64_t now_ns, int64_t *ret_ns);

#endif
