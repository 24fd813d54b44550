/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/health_check.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

#define SIGNAL_MAX 64

static const char *const status_names[] = {
	[HEALTH_NONE] = "none",
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};
static_assert(ARRAY_SIZE(status_names) == HEALTH_STATUS_COUNT, "every status has a name");

const char *health_status_name(enum health_status status)
{
	return status_names[status];
}

static const char *const action_names[] = {
	[HEALTH_ACTION_NONE] = "none",
	[HEALTH_ACTION_KILL] = "kill",
	[HEALTH_ACTION_RESTART] = "restart",
	[HEALTH_ACTION_STOP] = "stop",
};
static_assert(ARRAY_SIZE(action_names) == HEALTH_ACTION_COUNT, "every action has a name");

const char *health_action_name(enum health_action action)
{
	return action_names[action];
}

int health_action_parse(const char *text, enum health_action *ret_action)
{
	for (size_t i = 0; i < HEALTH_ACTION_COUNT; i++)
		if (strcmp(action_names[i], text) == 0) {
			*ret_action = (enum health_action)i;
			return 0;
		}
	return -EINVAL;
}

static void set_int(json_t *object, const char *key, int64_t value)
{
	(void)json_object_set_new(object, key, json_integer(value));
}

json_t *health_check_to_json(const struct health_check *check)
{
	json_t *object;

	if (check->test.count == 0)
		return NULL;
	object = json_object();
	(void)json_object_set_new(object, "test", json_from_strv(&check->test));
	set_int(object, "interval", check->interval_ns);
	set_int(object, "timeout", check->timeout_ns);
	set_int(object, "startPeriod", check->start_period_ns);
	set_int(object, "startInterval", check->start_interval_ns);
	set_int(object, "retries", check->retries);
	json_set_string(object, "onFailure", health_action_name(check->on_failure));
	set_int(object, "stopSignal", check->stop_signal);
	set_int(object, "stopTimeout", check->stop_timeout_s);
	return object;
}

static bool is_plausible(const struct health_check *check, int64_t retries, int64_t stop_signal)
{
	return check->test.count > 0 && check->interval_ns > 0 && check->timeout_ns > 0 &&
	       check->start_period_ns >= 0 && check->start_interval_ns > 0 && retries >= 1 &&
	       retries <= INT32_MAX && stop_signal >= 1 && stop_signal <= SIGNAL_MAX;
}

int health_check_from_json(const json_t *object, struct health_check *ret_check, struct error *err)
{
	auto_(health_check_release) struct health_check check = {0};
	int64_t retries, stop_signal;

	if (!object)
		return 0;
	json_get_strv(object, "test", &check.test);
	check.interval_ns = json_get_int(object, "interval", 0);
	check.timeout_ns = json_get_int(object, "timeout", 0);
	check.start_period_ns = json_get_int(object, "startPeriod", 0);
	check.start_interval_ns = json_get_int(object, "startInterval", 0);
	retries = json_get_int(object, "retries", 0);
	stop_signal = json_get_int(object, "stopSignal", 0);
	check.stop_timeout_s = json_get_int(object, "stopTimeout", 0);
	if (!is_plausible(&check, retries, stop_signal) ||
	    health_action_parse(json_get_string(object, "onFailure", ""), &check.on_failure) < 0)
		return err_set(err, ERR_INTERNAL, 0, "health check is not valid");
	check.retries = (uint32_t)retries;
	check.stop_signal = (int)stop_signal;
	*ret_check = check;
	check = (struct health_check){0};
	return 0;
}

void health_check_release(struct health_check *check)
{
	strv_release(&check->test);
	*check = (struct health_check){0};
}
