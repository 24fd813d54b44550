/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/container_text.h"

#include <assert.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/human.h"

#define NS_PER_SECOND INT64_C(1000000000)

static const char *const state_names[] = {
	[CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",     [CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_ORPHANED] = "orphaned", [CONTAINER_EXITED] = "exited",
	[CONTAINER_DEAD] = "dead",
};
static_assert(ARRAY_SIZE(state_names) == CONTAINER_DEAD + 1, "a name for each state");

static const char *const health_notes[] = {
	[CONTAINER_HEALTH_NONE] = "",
	[CONTAINER_HEALTH_STARTING] = " (health: starting)",
	[CONTAINER_HEALTH_HEALTHY] = " (healthy)",
	[CONTAINER_HEALTH_UNHEALTHY] = " (unhealthy)",
};
static_assert(ARRAY_SIZE(health_notes) == CONTAINER_HEALTH_UNHEALTHY + 1, "a note for each health");

const char *container_state_name(enum container_status status)
{
	return state_names[status];
}

static void add_up(const struct container_summary *s, int64_t now_ns, const char *note,
		   struct strbuf *text)
{
	strbuf_adds(text, "Up ");
	human_duration(now_ns - s->started_ns, text);
	strbuf_adds(text, note);
}

static void add_ended(const struct container_summary *s, int64_t now_ns, const char *word,
		      struct strbuf *text)
{
	strbuf_addf(text, "%s (%d) ", word, s->exit_code);
	human_duration(now_ns - s->finished_ns, text);
	strbuf_adds(text, " ago");
}

void container_status_text(const struct container_summary *summary, int64_t now_ns,
			   struct strbuf *ret_text)
{
	switch (summary->status) {
	case CONTAINER_CREATED:
		strbuf_adds(ret_text, "Created");
		break;
	case CONTAINER_RUNNING:
		add_up(summary, now_ns, health_notes[summary->health], ret_text);
		break;
	case CONTAINER_PAUSED:
		add_up(summary, now_ns, " (Paused)", ret_text);
		break;
	case CONTAINER_ORPHANED:
		add_up(summary, now_ns, " (monitor lost)", ret_text);
		break;
	case CONTAINER_RESTARTING:
		add_ended(summary, now_ns, "Restarting", ret_text);
		break;
	case CONTAINER_EXITED:
		add_ended(summary, now_ns, "Exited", ret_text);
		break;
	case CONTAINER_DEAD:
		strbuf_adds(ret_text, "Dead (exit code lost)");
		break;
	}
}

void local_time_text(int64_t ns, struct strbuf *ret_text)
{
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	struct tm local;
	char text[64];

	if (!localtime_r(&seconds, &local) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z %Z", &local) == 0)
		return;
	strbuf_adds(ret_text, text);
}
