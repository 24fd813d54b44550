/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/health.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/fd.h"
#include "runtime/state.h"

#define TEMPORARY_NAME ".tmp-health"
#define FILE_MAX_BYTES (256U << 10)

void health_begin(struct health *health)
{
	health->status = HEALTH_STARTING;
	health->failing_streak = 0;
}

static void keep(struct health *health, struct health_result *result)
{
	if (health->count == HEALTH_RESULTS_MAX) {
		free(health->results[0].output);
		health->count--;
		memmove(&health->results[0], &health->results[1],
			health->count * sizeof(health->results[0]));
	}
	health->results[health->count++] = *result;
	*result = (struct health_result){0};
}

bool health_add(struct health *health, const struct health_check *check, int64_t run_started_ns,
		struct health_result *result)
{
	enum health_status before = health->status;
	bool excused = before == HEALTH_STARTING &&
		       result->start_ns - run_started_ns < check->start_period_ns;

	if (result->exit_code == 0) {
		health->failing_streak = 0;
		health->status = HEALTH_HEALTHY;
	} else if (!excused && ++health->failing_streak >= check->retries) {
		health->status = HEALTH_UNHEALTHY;
	}
	keep(health, result);
	return health->status != before;
}

/* ---- files ---- */

static void set_time(json_t *object, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(ns, text);
	json_set_string(object, key, text);
}

static json_t *format(const struct health *health)
{
	json_t *object = json_object(), *log = json_array();

	for (size_t i = 0; i < health->count; i++) {
		const struct health_result *result = &health->results[i];
		json_t *item = json_object();

		set_time(item, "Start", result->start_ns);
		set_time(item, "End", result->end_ns);
		(void)json_object_set_new(item, "ExitCode", json_integer(result->exit_code));
		json_set_string(item, "Output", result->output ? result->output : "");
		(void)json_array_append_new(log, item);
	}
	json_set_string(object, "Status", health_status_name(health->status));
	(void)json_object_set_new(object, "FailingStreak", json_integer(health->failing_streak));
	(void)json_object_set_new(object, "Log", log);
	return object;
}

static int save_link(const struct health *health, int state_fd)
{
	(void)unlinkat(state_fd, TEMPORARY_NAME, 0);
	if (symlinkat(health_status_name(health->status), state_fd, TEMPORARY_NAME) < 0 ||
	    renameat(state_fd, TEMPORARY_NAME, state_fd, STATE_HEALTH_NAME) < 0)
		return -errno;
	return 0;
}

int health_save(const struct health *health, int container_fd, int state_fd)
{
	auto_(json_decref) json_t *object = format(health);
	auto_free char *text = json_text(object);
	int r;

	r = atomic_file_write(container_fd, HEALTH_FILE_NAME, text, strlen(text), 0600,
			      /* sync= */ false);
	return r < 0 || state_fd < 0 ? r : save_link(health, state_fd);
}

static void load_result(const json_t *item, struct health *health)
{
	struct health_result result = {
		.exit_code = (int)json_get_int(item, "ExitCode", 0),
		.output = xstrdup(json_get_string(item, "Output", "")),
	};

	(void)clock_parse(json_get_string(item, "Start", ""), &result.start_ns);
	(void)clock_parse(json_get_string(item, "End", ""), &result.end_ns);
	keep(health, &result);
}

void health_load(int container_fd, struct health *ret_health)
{
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *object = NULL;
	auto_free char *text = NULL;
	const json_t *item;
	size_t len, i;

	if (fd_read_file_at(container_fd, HEALTH_FILE_NAME, FILE_MAX_BYTES, &text, &len) < 0 ||
	    json_parse(text, len, HEALTH_FILE_NAME, &object, &ignored) < 0)
		return;
	json_array_foreach (json_object_get(object, "Log"), i, item)
		load_result(item, ret_health);
}

void health_release(struct health *health)
{
	for (size_t i = 0; i < health->count; i++)
		free(health->results[i].output);
	*health = (struct health){0};
}
