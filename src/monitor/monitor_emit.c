/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "events/event_log.h"
#include "monitor/monitor_internal.h"

#define NS_PER_SECOND INT64_C(1000000000)

void monitor_emit(const struct monitor *m, const char *action, const struct event_attribute *more)
{
	const struct event event = {"container", action, m->id, m->event_attributes, more};

	event_emit(m->state, &event);
}

void monitor_emit_end(const struct monitor *m)
{
	char duration[24], exit_code[16];
	const struct event_attribute more[] = {
		{"execDuration", duration},
		{"exitCode", exit_code},
		{0},
	};

	(void)snprintf(duration, sizeof(duration), "%" PRId64,
		       (m->finished_ns - m->started_ns) / NS_PER_SECOND);
	(void)snprintf(exit_code, sizeof(exit_code), "%d", m->exit_code);
	if (m->oom_killed)
		monitor_emit(m, "oom", NULL);
	monitor_emit(m, "die", more);
}
