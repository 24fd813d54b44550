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

void monitor_emit_mounts(const struct monitor *m)
{
	for (size_t i = 0; i < m->mounts.count; i++) {
		const struct launch_mount *mount = &m->mounts.items[i];
		const struct event_attribute more[] = {
			{"driver", "local"},
			{"container", m->id},
			{"destination", mount->destination},
			{"read/write", mount->read_only ? "false" : "true"},
			{"propagation", mount->propagation ? mount->propagation : ""},
			{0},
		};
		const struct event event = {"volume", "mount", mount->volume, NULL, more};

		if (mount->volume)
			event_emit(m->state, &event);
	}
}

static void emit_unmounts(const struct monitor *m)
{
	const struct event_attribute more[] = {{"driver", "local"}, {"container", m->id}, {0}};

	for (size_t i = 0; i < m->mounts.count; i++) {
		const struct event event = {"volume", "unmount", m->mounts.items[i].volume, NULL,
					    more};

		if (event.id)
			event_emit(m->state, &event);
	}
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
	emit_unmounts(m);
}
