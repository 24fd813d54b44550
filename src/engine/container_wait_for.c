/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_wait_for.c - wait --condition
 *
 * theory: A condition is looked at whenever something has changed in one of the three directories that
 * tell of a container: its own in ROOT (exit.json), its own in STATE (state.json, health), and the one
 * that has it in STATE (it comes and goes). The watches are set before the first look, so nothing is
 * missed. Only a freeze says nothing when it is done: for that one there is a clock as well.
 */
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "engine/container_internal.h"

#define FREEZE_LOOK_MS 100

enum wait_kind {
	WAIT_NOT_RUNNING,
	WAIT_NEXT_EXIT,
	WAIT_REMOVED,
	WAIT_STATUS,
	WAIT_HEALTH,
};

/* docker's three, and podman's states; several names for one are podman's too. */
static const struct wait_condition {
	const char *name;
	enum wait_kind kind;
	int value; /* enum container_status or enum container_health */
} conditions[] = {
	{"not-running", WAIT_NOT_RUNNING, 0},
	{"next-exit", WAIT_NEXT_EXIT, 0},
	{"removed", WAIT_REMOVED, 0},
	{"configured", WAIT_STATUS, CONTAINER_CREATED},
	{"created", WAIT_STATUS, CONTAINER_CREATED},
	{"exited", WAIT_STATUS, CONTAINER_EXITED},
	{"stopped", WAIT_STATUS, CONTAINER_EXITED},
	{"paused", WAIT_STATUS, CONTAINER_PAUSED},
	{"restarting", WAIT_STATUS, CONTAINER_RESTARTING},
	{"running", WAIT_STATUS, CONTAINER_RUNNING},
	{"healthy", WAIT_HEALTH, CONTAINER_HEALTH_HEALTHY},
	{"unhealthy", WAIT_HEALTH, CONTAINER_HEALTH_UNHEALTHY},
};

struct waiting {
	struct engine *engine;
	char id[65];
	const struct wait_condition *wanted[ARRAY_SIZE(conditions)];
	size_t count;
	int notify_fd;
	int64_t finished_before_ns; /* of the run before, for next-exit */
	int exit_code;
};

static int find_condition(const char *name, const struct wait_condition **ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (strcmp(conditions[i].name, name) == 0) {
			*ret = &conditions[i];
			return 0;
		}
	return err_set(err, ERR_INVALID, 0, "invalid condition: \"%s\"", name);
}

int container_wait_check(const char *name, struct error *err)
{
	const struct wait_condition *condition;

	return find_condition(name, &condition, err);
}

static bool wants(const struct waiting *w, enum wait_kind kind, int value)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->wanted[i]->kind == kind && w->wanted[i]->value == value)
			return true;
	return false;
}

static bool is_true(const struct waiting *w, const struct wait_condition *condition,
		    const struct container *c, const struct container_view *v)
{
	switch (condition->kind) {
	case WAIT_NOT_RUNNING:
		return !container_view_is_alive(v) && v->status != CONTAINER_RESTARTING &&
		       !v->monitor_alive;
	case WAIT_NEXT_EXIT:
		return v->has_exit && v->exit.started_ns &&
		       v->exit.finished_ns != w->finished_before_ns;
	case WAIT_REMOVED:
		return false;
	case WAIT_STATUS:
		return (int)v->status == condition->value && (v->has_state || !v->monitor_alive);
	case WAIT_HEALTH:
		return c->state_fd >= 0 &&
		       (int)container_health_look(c->state_fd) == condition->value;
	}
	return false;
}

static void watch(const struct waiting *w, const char *path, uint32_t events)
{
	/* What is not there yet is told of by its parent. */
	(void)inotify_add_watch(w->notify_fd, path, events);
}

static void watch_all(const struct waiting *w)
{
	const uint32_t events = IN_MOVED_TO | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_DELETE_SELF;
	auto_free char *all = xasprintf("%s/containers", engine_state_path(w->engine));
	auto_free char *records = xasprintf("%s/containers", engine_root_path(w->engine));
	auto_free char *state = xasprintf("%s/%s", all, w->id);
	auto_free char *record = xasprintf("%s/%s", records, w->id);

	watch(w, all, IN_CREATE | IN_DELETE);
	watch(w, records, IN_DELETE);
	watch(w, state, events);
	watch(w, record, events);
}

/* 1 when a condition is true, 0 when none is. */
static int look(struct waiting *w, bool is_first, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_open(w->engine, w->id, &c, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND && !is_first) {
		error_release(err);
		return 1; /* removed: there is nothing else to wait for */
	}
	if (r >= 0)
		r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	if (is_first && view.has_exit)
		w->finished_before_ns = view.exit.finished_ns;
	if (view.has_exit)
		w->exit_code = view.exit.exit_code;
	for (size_t i = 0; i < w->count; i++)
		if (is_true(w, w->wanted[i], &c, &view))
			return 1;
	return 0;
}

static int wait_for_event(const struct waiting *w, struct error *err)
{
	struct pollfd set = {.fd = w->notify_fd, .events = POLLIN};
	int timeout_ms = wants(w, WAIT_STATUS, CONTAINER_PAUSED) ? FREEZE_LOOK_MS : -1;
	char events[4096];

	if (poll(&set, 1, timeout_ms) < 0 && errno != EINTR)
		return err_set(err, ERR_SYSTEM, errno, "wait");
	while (read(w->notify_fd, events, sizeof(events)) > 0)
		continue;
	return 0;
}

/* Only whoever is connected hears the exit code of a container that removes itself. */
static int wait_removed(struct waiting *w, struct error *err)
{
	int r = container_wait(w->engine, w->id, &w->exit_code, err);

	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		r = 0;
	}
	return r;
}

static int is_alive_now(struct engine *engine, const char *id, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_open(engine, id, &c, err);
	if (r >= 0)
		r = container_look(&c, &view, err);
	return r < 0 ? r : container_view_is_alive(&view);
}

int container_wait_for(struct engine *engine, const char *selector, const struct strv *names,
		       int *ret_exit_code, struct error *err)
{
	struct waiting w = {.engine = engine, .notify_fd = NO_FD};
	auto_close int notify_fd = NO_FD;
	bool is_first = true;
	int r;

	for (size_t i = 0; i < names->count && i < ARRAY_SIZE(conditions); i++) {
		r = find_condition(names->items[i], &w.wanted[w.count++], err);
		if (r < 0)
			return r;
	}
	r = container_resolve(engine, selector, w.id, err);
	if (r < 0)
		return r;
	if (w.count == 0 || wants(&w, WAIT_NOT_RUNNING, 0))
		return container_wait(engine, w.id, ret_exit_code, err);
	if (w.count == 1 && wants(&w, WAIT_NEXT_EXIT, 0)) {
		r = is_alive_now(engine, w.id, err);
		if (r < 0)
			return r;
		if (r > 0)
			return container_wait(engine, w.id, ret_exit_code, err);
	}
	notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (notify_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "wait");
	w.notify_fd = notify_fd;
	watch_all(&w);
	if (w.count == 1 && wants(&w, WAIT_REMOVED, 0)) {
		r = wait_removed(&w, err);
		if (r < 0)
			return r;
		is_first = false;
	}
	for (;; is_first = false) {
		r = look(&w, is_first, err);
		if (r != 0)
			break;
		r = wait_for_event(&w, err);
		if (r < 0)
			break;
		watch_all(&w);
	}
	if (r < 0)
		return r;
	*ret_exit_code = w.exit_code;
	return 0;
}
