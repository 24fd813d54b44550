/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/health_option.h"

#include <signal.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/signal_name.h"
#include "engine/container.h"
#include "image/image_config.h"
#include "runtime/health_check.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define INTERVAL_NS (30 * NS_PER_SECOND)
#define TIMEOUT_NS (30 * NS_PER_SECOND)
#define START_INTERVAL_NS (5 * NS_PER_SECOND)
#define SHORTEST_NS INT64_C(1000000)
#define RETRIES 3

/* ---- create ---- */

static bool has_options(const struct create_request *q)
{
	return (q->health_cmd && *q->health_cmd) || q->health_interval || q->health_timeout ||
	       q->health_start_period || q->health_start_interval || q->health_retries;
}

static int set_duration(json_t *object, const char *key, const char *option, const char *text,
			struct error *err)
{
	int64_t ns;

	if (!text)
		return 0;
	if (parse_duration(text, &ns) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid argument \"%s\" for \"--%s\" flag: time: invalid duration "
			       "\"%s\"",
			       text, option, text);
	if (ns < 0)
		return err_set(err, ERR_INVALID, 0, "--%s cannot be negative", option);
	if (ns != 0 && ns < SHORTEST_NS)
		return err_set(err, ERR_INVALID, 0, "%s in Healthcheck cannot be less than 1ms",
			       key);
	if (ns != 0)
		(void)json_object_set_new(object, key, json_integer(ns));
	return 0;
}

static int set_options(const struct create_request *q, json_t *object, struct error *err)
{
	const struct {
		const char *key, *option, *text;
	} durations[] = {
		{"Interval", "health-interval", q->health_interval},
		{"Timeout", "health-timeout", q->health_timeout},
		{"StartPeriod", "health-start-period", q->health_start_period},
		{"StartInterval", "health-start-interval", q->health_start_interval},
	};
	int r;

	if (q->health_cmd && *q->health_cmd)
		(void)json_object_set_new(object, "Test",
					  json_pack("[s, s]", "CMD-SHELL", q->health_cmd));
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		r = set_duration(object, durations[i].key, durations[i].option, durations[i].text,
				 err);
		if (r < 0)
			return r;
	}
	if (q->health_retries < 0)
		return err_set(err, ERR_INVALID, 0, "--health-retries cannot be negative");
	if (q->health_retries > INT32_MAX)
		return err_set(err, ERR_INVALID, ERANGE, "--health-retries is too large");
	if (q->health_retries)
		(void)json_object_set_new(object, "Retries", json_integer(q->health_retries));
	return 0;
}

/* Members of the image's that make sense; its text comes from strangers. */
static json_t *image_members(const struct image_config *image)
{
	static const char *const numbers[] = {"Interval", "Timeout", "StartPeriod", "StartInterval",
					      "Retries"};
	auto_(strv_release) struct strv test = {0};
	json_t *object = json_object();

	if (!image->healthcheck)
		return object;
	json_get_strv(image->healthcheck, "Test", &test);
	if (test.count > 0)
		(void)json_object_set_new(object, "Test", json_from_strv(&test));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int64_t number = json_get_int(image->healthcheck, numbers[i], 0);

		if (number >= SHORTEST_NS || (number > 0 && i == ARRAY_SIZE(numbers) - 1))
			(void)json_object_set_new(object, numbers[i], json_integer(number));
	}
	return object;
}

static int merge_action(const struct create_request *q, struct container_config *config,
			struct error *err)
{
	enum health_action action;

	if (!q->health_on_failure)
		return 0;
	if (health_action_parse(q->health_on_failure, &action) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid health-on-failure action '%s': use one of 'none', 'kill', "
			       "'restart' or 'stop'",
			       q->health_on_failure);
	if (action == HEALTH_ACTION_NONE)
		return 0;
	if (!config->healthcheck)
		return err_set(err, ERR_INVALID, 0,
			       "cannot set on-failure action to %s without a health check",
			       q->health_on_failure);
	if (action == HEALTH_ACTION_RESTART && q->auto_remove)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: cannot specify both "
			       "--health-on-failure=restart and --rm");
	config->health_on_failure = xstrdup(q->health_on_failure);
	return 0;
}

int health_options_merge(const struct create_request *q, const struct image_config *image,
			 struct container_config *config, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	int r;

	if (q->no_healthcheck) {
		if (has_options(q))
			return err_set(err, ERR_INVALID, 0,
				       "--no-healthcheck conflicts with --health-* options");
		config->healthcheck = xstrdup("{\"Test\":[\"NONE\"]}");
		return 0;
	}
	object = image_members(image);
	r = set_options(q, object, err);
	if (r < 0)
		return r;
	if (json_object_get(object, "Test")) {
		config->healthcheck = json_text(object);
		strv_copy(&config->health_shell, &image->shell);
	}
	return merge_action(q, config, err);
}

/* ---- start ---- */

/* docker's three forms; what is none of them is no check. */
static void set_test(const json_t *object, const struct strv *shell, struct strv *ret_test)
{
	auto_(strv_release) struct strv test = {0};

	json_get_strv(object, "Test", &test);
	if (test.count < 2)
		return;
	if (strcmp(test.items[0], "CMD-SHELL") == 0) {
		if (shell->count > 0) {
			strv_add_all(ret_test, shell);
		} else {
			strv_add(ret_test, "/bin/sh");
			strv_add(ret_test, "-c");
		}
		strv_add(ret_test, test.items[1]);
	} else if (strcmp(test.items[0], "CMD") == 0) {
		for (size_t i = 1; i < test.count; i++)
			strv_add(ret_test, test.items[i]);
	}
}

static int set_stop(const struct container_config *config, struct health_check *check,
		    struct error *err)
{
	check->stop_signal = SIGTERM;
	check->stop_timeout_s = config->stop_timeout_set ? config->stop_timeout_s
							 : CONTAINER_STOP_TIMEOUT_S;
	if (!config->stop_signal)
		return 0;
	check->stop_signal = signal_name_parse(config->stop_signal, err);
	return check->stop_signal < 0 ? check->stop_signal : 0;
}

int health_options_apply(const struct container_config *config, struct health_check *ret_check,
			 struct error *err)
{
	auto_(health_check_release) struct health_check check = {0};
	auto_(json_decref) json_t *object = NULL;
	int r;

	if (!config->healthcheck)
		return 0;
	r = json_parse(config->healthcheck, strlen(config->healthcheck), "health check", &object,
		       err);
	if (r < 0)
		return r;
	set_test(object, &config->health_shell, &check.test);
	if (check.test.count == 0)
		return 0;
	check.interval_ns = json_get_int(object, "Interval", INTERVAL_NS);
	check.timeout_ns = json_get_int(object, "Timeout", TIMEOUT_NS);
	check.start_period_ns = json_get_int(object, "StartPeriod", 0);
	check.start_interval_ns = json_get_int(object, "StartInterval", START_INTERVAL_NS);
	check.retries = (uint32_t)json_get_int(object, "Retries", RETRIES);
	if (config->health_on_failure)
		(void)health_action_parse(config->health_on_failure, &check.on_failure);
	r = set_stop(config, &check, err);
	if (r < 0)
		return r;
	*ret_check = check;
	check = (struct health_check){0};
	return 0;
}
