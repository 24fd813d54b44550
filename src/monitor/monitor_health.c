/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/monitor_health.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "monitor/health_probe.h"
#include "monitor/monitor_internal.h"
#include "sys/process.h"

static void save(struct monitor *m, const struct health *health, int state_fd)
{
	int r = health_save(health, m->container_fd, state_fd);

	if (r < 0)
		log_debug("monitor", "ignoring: write health: %s", errno_text(-r));
}

/* ---- when ---- */

static int64_t next_delay(const struct monitor *m)
{
	const struct monitor_health *h = &m->health;
	bool starting = h->health.status == HEALTH_STARTING &&
			clock_monotonic_ns() - m->started_monotonic_ns < h->check.start_period_ns;

	return starting ? h->check.start_interval_ns : h->check.interval_ns;
}

static void arm(struct monitor *m)
{
	int r = timer_arm(&m->health.next, &m->loop, next_delay(m));

	if (r < 0)
		log_debug("monitor", "ignoring: wait for the next health check: %s",
			  errno_text(-r));
}

static bool is_paused(const struct monitor *m)
{
	struct stat st;

	return fstatat(m->state_fd, STATE_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & STATE_MODE_PAUSED);
}

/* ---- what follows from a failure ---- */

static void kill_container(void *context)
{
	struct monitor *m = context;

	(void)process_signal(m->process.pidfd, SIGKILL);
}

static void stop_container(struct monitor *m)
{
	struct monitor_health *h = &m->health;
	int64_t timeout_ns = h->check.stop_timeout_s * INT64_C(1000000000);

	(void)process_signal(m->process.pidfd, h->check.stop_signal);
	h->kill.fire = kill_container;
	h->kill.context = m;
	if (h->check.stop_timeout_s >= 0 && timer_arm(&h->kill, &m->loop, timeout_ns) < 0)
		kill_container(m);
}

static void act(struct monitor *m)
{
	struct monitor_health *h = &m->health;

	switch (h->check.on_failure) {
	case HEALTH_ACTION_NONE:
		break;
	case HEALTH_ACTION_KILL:
		kill_container(m);
		break;
	case HEALTH_ACTION_RESTART:
		h->wants_restart = true;
		stop_container(m);
		break;
	case HEALTH_ACTION_STOP:
		h->wants_stop = true;
		stop_container(m);
		break;
	}
}

/* ---- one check ---- */

/* docker's "health_status: healthy". */
static void emit_status(const struct monitor *m)
{
	char action[64];

	(void)snprintf(action, sizeof(action), "health_status: %s",
		       health_status_name(m->health.health.status));
	monitor_emit(m, action, NULL);
}

/* The results so far are on disk, not in our memory. */
static void add_result(struct monitor *m, struct health_result *result)
{
	auto_(health_release) struct health whole = {0};
	struct monitor_health *h = &m->health;
	int exit_code = result->exit_code;
	bool has_changed;

	health_load(m->container_fd, &whole);
	whole.status = h->health.status;
	whole.failing_streak = h->health.failing_streak;
	has_changed = health_add(&whole, &h->check, m->started_ns, result);
	h->health.status = whole.status;
	h->health.failing_streak = whole.failing_streak;
	save(m, &whole, m->state_fd);
	client_list_send_health(&m->clients, whole.status, exit_code);
	if (has_changed)
		emit_status(m);
	if (has_changed && whole.status == HEALTH_UNHEALTHY)
		act(m);
}

static void forget_probe(struct monitor *m)
{
	struct monitor_health *h = &m->health;

	if (h->answer.fd >= 0)
		(void)event_want(&m->loop, &h->answer, 0);
	cleanup_close_fd(&h->answer.fd);
	h->probe = 0; /* reaped with everybody else */
}

static void handle_answer(struct event_source *source, uint32_t events)
{
	struct monitor *m = source->owner;
	struct health_result result = {0};
	int r = health_probe_finish(source->fd, &result);

	(void)events;
	if (r == -EAGAIN)
		return;
	forget_probe(m);
	if (r < 0) {
		result.start_ns = result.end_ns = clock_now_ns();
		result.exit_code = -1;
	}
	add_result(m, &result);
	free(result.output);
	arm(m);
	/* Checks may come more often than a calm begins by itself. */
	m->calm_at_once = true;
}

static int start_probe(struct monitor *m)
{
	struct monitor_health *h = &m->health;
	struct container_state state = {.cgroup_path = m->process.cgroup_path};
	const struct health_probe_request request = {
		.check = &h->check,
		.state = &state,
		.root = m->root,
		.container_fd = m->container_fd,
	};
	int r;

	r = process_id_of(m->process.pid, &state.init);
	if (r < 0)
		return r;
	r = health_probe_start(&request, &h->answer.fd);
	if (r < 0)
		return r;
	h->probe = r;
	h->answer = (struct event_source){.fd = h->answer.fd, .handle = handle_answer, .owner = m};
	return event_want(&m->loop, &h->answer, EPOLLIN);
}

void monitor_health_run(struct monitor *m)
{
	int r;

	if (m->health.probe > 0)
		return;
	timer_disarm(&m->health.next);
	r = start_probe(m);
	if (r < 0) {
		log_debug("monitor", "ignoring: start a health check: %s", errno_text(-r));
		forget_probe(m);
		arm(m);
	}
}

static void handle_due(void *context)
{
	struct monitor *m = context;

	if (is_paused(m))
		arm(m);
	else
		monitor_health_run(m);
}

/* ---- runs ---- */

static void save_status(struct monitor *m, int state_fd)
{
	auto_(health_release) struct health whole = {0};

	health_load(m->container_fd, &whole);
	whole.status = m->health.health.status;
	whole.failing_streak = m->health.health.failing_streak;
	save(m, &whole, state_fd);
}

void monitor_health_announce(struct monitor *m)
{
	if (m->health.check.test.count == 0)
		return;
	health_begin(&m->health.health);
	save_status(m, m->state_fd);
}

void monitor_health_begin(struct monitor *m)
{
	struct monitor_health *h = &m->health;

	if (h->health.status == HEALTH_NONE)
		return;
	h->wants_restart = h->wants_stop = false;
	h->next.fire = handle_due;
	h->next.context = m;
	arm(m);
}

/* As docker: what does not run is not healthy. */
void monitor_health_end(struct monitor *m)
{
	struct monitor_health *h = &m->health;

	if (h->health.status == HEALTH_NONE)
		return;
	timer_disarm(&h->next);
	timer_disarm(&h->kill);
	if (h->probe > 0)
		(void)kill(h->probe, SIGKILL);
	forget_probe(m);
	h->health.status = HEALTH_UNHEALTHY;
	save_status(m, NO_FD);
	h->health.status = HEALTH_NONE;
	(void)unlinkat(m->state_fd, STATE_HEALTH_NAME, 0);
}
