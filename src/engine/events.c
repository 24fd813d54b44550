/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/events.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/filter.h"
#include "events/event_reader.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* ---- docker's object ---- */

static const struct template_field actor_fields[] = {
	{"ID", &template_string},
	{"Attributes", &template_string_map},
	{0},
};

static const struct template_type actor_type = {
	TEMPLATE_STRUCT,
	"events.Actor",
	.fields = actor_fields,
};

static const struct template_field event_fields[] = {
	{"Status", &template_string, "status", .optional = true},
	{"ID", &template_string, "id", .optional = true},
	{"From", &template_string, "from", .optional = true},
	{"Type", &template_string},
	{"Action", &template_string},
	{"Actor", &actor_type},
	{"Scope", &template_string, "scope", .optional = true},
	{"Time", &template_int64, "time", .optional = true},
	{"TimeNano", &template_int64, "timeNano", .optional = true},
	{0},
};

const struct template_type event_type = {
	TEMPLATE_STRUCT,
	"events.Message",
	.fields = event_fields,
};

static json_t *docker_event(const json_t *line)
{
	const char *type = json_get_string(line, "Type", ""), *id = json_get_string(line, "ID", "");
	const char *action = json_get_string(line, "Action", "");
	const json_t *attributes = json_object_get(line, "Attributes");
	int64_t ns = json_get_int(line, "timeNano", 0);
	json_t *event = json_object(), *actor = json_object();

	if (strcmp(type, "container") == 0 || strcmp(type, "image") == 0) {
		json_set_string(event, "status", action);
		json_set_string(event, "id", id);
	}
	if (strcmp(type, "container") == 0)
		json_set_string(event, "from", json_get_string(attributes, "image", ""));
	json_set_string(event, "Type", type);
	json_set_string(event, "Action", action);
	json_set_string(actor, "ID", id);
	(void)json_object_set_new(actor, "Attributes",
				  attributes ? json_incref((json_t *)(uintptr_t)attributes)
					     : json_object());
	(void)json_object_set_new(event, "Actor", actor);
	json_set_string(event, "scope", "local");
	(void)json_object_set_new(event, "time", json_integer(ns / NS_PER_SECOND));
	(void)json_object_set_new(event, "timeNano", json_integer(ns));
	return event;
}

/* ---- which ones ---- */

static const char *const keys[] = {"config", "container", "daemon", "event",  "image",
				   "label",  "network",   "node",   "plugin", "scope",
				   "secret", "service",   "type",   "volume", NULL};

/* health_status, exec_create and exec_start go on with a colon and more. */
static bool action_matches(const struct filters *filters, const char *action)
{
	static const char *const longer[] = {"health_status", "exec_create", "exec_start"};

	for (size_t i = 0; i < filters_count(filters, "event"); i++)
		for (size_t n = 0; n < ARRAY_SIZE(longer); n++)
			if (strcmp(filters_value(filters, "event", i), longer[n]) == 0)
				return filters_match_prefix(filters, "event", action);
	return filters_match_text(filters, "event", action);
}

/* Without its tag. */
static char *repository_of(const char *name)
{
	const char *slash = strrchr(name, '/'), *colon = strrchr(slash ? slash : name, ':');

	return colon ? xstrndup(name, (size_t)(colon - name)) : xstrdup(name);
}

static bool image_matches(const struct filters *filters, const char *type, const char *id,
			  const json_t *attributes)
{
	const char *key = strcmp(type, "image") == 0 ? "name" : "image";
	const char *name = json_get_string(attributes, key, "");
	auto_free char *repository = repository_of(name), *id_repository = repository_of(id);

	return filters_match_text(filters, "image", id) ||
	       filters_match_text(filters, "image", name) ||
	       filters_match_text(filters, "image", repository) ||
	       filters_match_text(filters, "image", id_repository);
}

static bool labels_match(const struct filters *filters, const json_t *attributes)
{
	auto_(strv_release) struct strv labels = {0};
	const char *key;
	json_t *value;

	if (!filters_has(filters, "label"))
		return true;
	json_object_foreach ((json_t *)(uintptr_t)attributes, key, value)
		strv_addf(&labels, "%s=%s", key, json_string_value(value) ?: "");
	return filters_match_labels(filters, "label", &labels);
}

/* Of the kinds of objects that have their own key: by the beginning of the id or name. */
static bool object_matches(const struct filters *filters, const char *type, const char *id,
			   const json_t *attributes)
{
	static const char *const kinds[] = {"config", "container", "daemon",  "network", "node",
					    "plugin", "secret",    "service", "volume"};
	const char *name = json_get_string(attributes, "name", "");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!filters_has(filters, kinds[i]))
			continue;
		if (strcmp(type, kinds[i]) != 0 || !(filters_match_prefix(filters, kinds[i], id) ||
						     filters_match_prefix(filters, kinds[i], name)))
			return false;
	}
	return true;
}

static bool event_matches(const struct filters *filters, const json_t *line)
{
	const char *type = json_get_string(line, "Type", ""), *id = json_get_string(line, "ID", "");
	const json_t *attributes = json_object_get(line, "Attributes");

	return filters_match_text(filters, "type", type) &&
	       filters_match_text(filters, "scope", "local") &&
	       action_matches(filters, json_get_string(line, "Action", "")) &&
	       image_matches(filters, type, id, attributes) && labels_match(filters, attributes) &&
	       object_matches(filters, type, id, attributes);
}

/* ---- history ---- */

struct past {
	json_t **lines;
	size_t count, capacity;
};

static void past_release(struct past *past)
{
	for (size_t i = 0; i < past->count; i++)
		json_decref(past->lines[i]);
	free(past->lines);
}

DEFINE_CLEANUP_VALUE(struct past, past_release);

static void past_add(struct past *past, json_t *line)
{
	if (past->count == past->capacity) {
		past->capacity = past->capacity ? past->capacity * 2 : 64;
		past->lines = xreallocarray(past->lines, past->capacity, sizeof(*past->lines));
	}
	past->lines[past->count++] = line;
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = json_get_int(*(json_t *const *)a, "timeNano", 0);
	int64_t y = json_get_int(*(json_t *const *)b, "timeNano", 0);

	return (x > y) - (x < y);
}

/* ---- handing over ---- */

struct watch {
	const struct events_request *request;
	struct filters filters;
	struct event_reader *reader;
	json_t *names; /* id -> name, of containers that were renamed */
};

static void watch_release(struct watch *watch)
{
	filters_release(&watch->filters);
	event_reader_close(watch->reader);
	json_decref(watch->names);
}

DEFINE_CLEANUP_VALUE(struct watch, watch_release);

/* The monitor of a container that was renamed while it runs knows its old name only. */
static void apply_rename(const struct watch *watch, const json_t *line)
{
	json_t *attributes = json_object_get(line, "Attributes");
	const char *id = json_get_string(line, "ID", "");

	if (strcmp(json_get_string(line, "Type", ""), "container") != 0)
		return;
	if (strcmp(json_get_string(line, "Action", ""), "rename") == 0)
		(void)json_object_set(watch->names, id, json_object_get(attributes, "name"));
	else if (json_object_get(watch->names, id))
		(void)json_object_set(attributes, "name", json_object_get(watch->names, id));
}

/* False: it is the last one. */
static bool deliver(const struct watch *watch, const json_t *line)
{
	const struct events_request *request = watch->request;
	auto_(json_decref) json_t *event = NULL;
	int64_t ns = json_get_int(line, "timeNano", 0);

	apply_rename(watch, line);
	if (request->until_ns && ns > request->until_ns)
		return false;
	if (ns < request->since_ns || !event_matches(&watch->filters, line))
		return true;
	event = docker_event(line);
	return request->each(request->context, event);
}

/* What is in the files: sorted, since it is all there. */
static bool deliver_past(const struct watch *watch)
{
	auto_(past_release) struct past past = {0};
	json_t *line;

	while (event_reader_next(watch->reader, &line) > 0)
		past_add(&past, line);
	if (!watch->request->since_ns)
		return true;
	if (past.count)
		qsort(past.lines, past.count, sizeof(json_t *), compare_times);
	for (size_t i = 0; i < past.count; i++)
		if (!deliver(watch, past.lines[i]))
			return false;
	return true;
}

static bool deliver_new(const struct watch *watch)
{
	json_t *line;

	event_reader_drain(watch->reader);
	while (event_reader_next(watch->reader, &line) > 0) {
		bool more = deliver(watch, line);

		json_decref(line);
		if (!more)
			return false;
	}
	return true;
}

/* 1: there may be more; 0: the time is over. */
static int wait_for_more(const struct watch *watch)
{
	struct pollfd fd = {.fd = event_reader_fd(watch->reader), .events = POLLIN};
	int64_t left_ms = -1;

	if (watch->request->until_ns) {
		left_ms = (watch->request->until_ns - clock_now_ns() + NS_PER_MS - 1) / NS_PER_MS;
		if (left_ms <= 0)
			return 0;
	}
	if (poll(&fd, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) < 0 && errno != EINTR)
		return -errno;
	return 1;
}

int events_follow(struct engine *engine, const struct events_request *request, struct error *err)
{
	auto_(watch_release) struct watch watch = {.request = request, .names = json_object()};
	int r;

	r = filters_parse(&request->filters, keys, &watch.filters, err);
	if (r >= 0)
		r = engine_state_fd(engine, err);
	if (r < 0)
		return r;
	r = event_reader_open(engine_state_path(engine), &watch.reader);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the events in '%s'",
			       engine_state_path(engine));
	if (!deliver_past(&watch))
		return 0;
	while ((r = wait_for_more(&watch)) > 0)
		if (!deliver_new(&watch))
			return 0;
	(void)deliver_new(&watch);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "wait for events") : 0;
}
