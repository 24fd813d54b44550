/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/launch.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/fd.h"
#include "base/json.h"
#include "runtime/state.h"

static const char *const log_driver_names[] = {
	[LOG_DRIVER_JSON_FILE] = "json-file", [LOG_DRIVER_NONE] = "none",
	[LOG_DRIVER_LOCAL] = "local",         [LOG_DRIVER_JOURNALD] = "journald",
	[LOG_DRIVER_SYSLOG] = "syslog",
};
static_assert(ARRAY_SIZE(log_driver_names) == LOG_DRIVER_COUNT, "every driver has a name");

const char *log_driver_name(enum log_driver driver)
{
	return log_driver_names[driver];
}

static char *copy_text(const json_t *object, const char *key)
{
	return xstrdup_or_null(json_get_string(object, key, NULL));
}

static void parse_log_context(const json_t *log, struct log_context *context)
{
	int64_t format = json_get_int(log, "format", 0);

	json_get_strv(log, "attributes", &context->attributes);
	context->tag = copy_text(log, "tag");
	context->id = copy_text(log, "id");
	context->name = copy_text(log, "name");
	context->image = copy_text(log, "image");
	context->address = copy_text(log, "address");
	if (format > 0 && format < SYSLOG_FORMAT_COUNT)
		context->format = (enum syslog_format)format;
	context->facility = (uint32_t)json_get_int(log, "facility", 0);
	context->non_blocking = json_get_bool(log, "nonBlocking", false);
	context->buffer_bytes = (uint64_t)json_get_int(log, "bufferSize", 0);
}

static void format_log_context(const struct log_context *context, json_t *log)
{
	if (context->attributes.count)
		(void)json_object_set_new(log, "attributes", json_from_strv(&context->attributes));
	if (!context->id)
		return;
	json_set_string(log, "tag", context->tag);
	json_set_string(log, "id", context->id);
	json_set_string(log, "name", context->name);
	json_set_string(log, "image", context->image);
	json_set_string(log, "address", context->address);
	(void)json_object_set_new(log, "format", json_integer(context->format));
	(void)json_object_set_new(log, "facility", json_integer(context->facility));
	(void)json_object_set_new(log, "nonBlocking", json_boolean(context->non_blocking));
	(void)json_object_set_new(log, "bufferSize",
				  json_integer((json_int_t)context->buffer_bytes));
}

void log_context_release(struct log_context *context)
{
	strv_release(&context->attributes);
	free(context->tag);
	free(context->id);
	free(context->name);
	free(context->image);
	free(context->address);
	*context = (struct log_context){0};
}

static int parse_log(const json_t *log, struct launch *launch, struct error *err)
{
	const char *driver = json_get_string(log, "driver", "json-file");
	int64_t max_bytes = json_get_int(log, "maxSize", 0);
	int64_t max_files = json_get_int(log, "maxFiles", 1);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(log_driver_names); i++)
		if (strcmp(log_driver_names[i], driver) == 0)
			break;
	if (i == ARRAY_SIZE(log_driver_names) || max_bytes < 0 || max_files < 1 ||
	    max_files > 10000)
		return err_set(err, ERR_INTERNAL, 0, "%s: log settings are not valid",
			       LAUNCH_FILE_NAME);
	launch->log_driver = (enum log_driver)i;
	launch->log_max_bytes = (uint64_t)max_bytes;
	launch->log_max_files = (uint32_t)max_files;
	launch->log_compress = json_get_bool(log, "compress", false);
	parse_log_context(log, &launch->log_context);
	return 0;
}

static int parse_restart(const json_t *restart, struct launch *launch, struct error *err)
{
	int64_t max_retries = json_get_int(restart, "max", 0);

	if (max_retries < 0 || max_retries > INT32_MAX)
		return err_set(err, ERR_INTERNAL, 0, "%s: restart policy is not valid",
			       LAUNCH_FILE_NAME);
	if (restart_policy_parse(json_get_string(restart, "policy", NULL), &launch->restart, err) <
	    0)
		return err_wrap(err, -EINVAL, "%s", LAUNCH_FILE_NAME);
	launch->restart.max_retries = (uint32_t)max_retries;
	return 0;
}

int launch_load(int container_dir_fd, struct launch *ret_launch, struct error *err)
{
	auto_(launch_release) struct launch launch = {0};
	auto_(json_decref) json_t *object = NULL;
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = fd_read_file_at(container_dir_fd, LAUNCH_FILE_NAME, JSON_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read %s", LAUNCH_FILE_NAME);
	r = json_parse(text, len, LAUNCH_FILE_NAME, &object, err);
	if (r < 0)
		return r;
	json_get_strv(object, "lowers", &launch.lowers);
	json_get_strv(object, "groups", &launch.groups);
	launch_mounts_from_json(json_object_get(object, "mounts"), &launch.mounts);
	launch.volatile_upper = json_get_bool(object, "volatileUpper", false);
	launch.user = xstrdup_or_null(json_get_string(object, "user", NULL));
	launch.init = xstrdup_or_null(json_get_string(object, "init", NULL));
	launch.seccomp = xstrdup_or_null(json_get_string(object, "seccomp", NULL));
	launch.tty = json_get_bool(object, "tty", false);
	launch.open_stdin = json_get_bool(object, "openStdin", false);
	launch.stdin_once = json_get_bool(object, "stdinOnce", false);
	launch.auto_remove = json_get_bool(object, "autoRemove", false);
	r = parse_log(json_object_get(object, "log"), &launch, err);
	if (r < 0)
		return r;
	r = health_check_from_json(json_object_get(object, "health"), &launch.health, err);
	if (r < 0)
		return err_wrap(err, r, "%s", LAUNCH_FILE_NAME);
	r = runtime_secrets_from_json(json_object_get(object, "secrets"), &launch.secrets,
				      &launch.secret_count, err);
	if (r < 0)
		return err_wrap(err, r, "%s", LAUNCH_FILE_NAME);
	r = parse_restart(json_object_get(object, "restart"), &launch, err);
	if (r < 0)
		return r;
	if (json_object_get(object, "event"))
		launch.event_attributes = json_text(json_object_get(object, "event"));
	launch.network = json_incref(json_object_get(object, "network"));
	*ret_launch = launch;
	launch = (struct launch){0};
	return 0;
}

static json_t *format_launch(const struct launch *launch)
{
	json_t *object = json_object();
	json_t *log = json_object();

	(void)json_object_set_new(object, "lowers", json_from_strv(&launch->lowers));
	(void)json_object_set_new(object, "volatileUpper", json_boolean(launch->volatile_upper));
	json_set_string(object, "user", launch->user);
	(void)json_object_set_new(object, "groups", json_from_strv(&launch->groups));
	json_set_string(object, "init", launch->init);
	json_set_string(object, "seccomp", launch->seccomp);
	if (launch->mounts.count)
		(void)json_object_set_new(object, "mounts", launch_mounts_to_json(&launch->mounts));
	(void)json_object_set_new(object, "tty", json_boolean(launch->tty));
	(void)json_object_set_new(object, "openStdin", json_boolean(launch->open_stdin));
	(void)json_object_set_new(object, "stdinOnce", json_boolean(launch->stdin_once));
	(void)json_object_set_new(object, "autoRemove", json_boolean(launch->auto_remove));
	json_set_string(log, "driver", log_driver_names[launch->log_driver]);
	(void)json_object_set_new(log, "maxSize", json_integer((json_int_t)launch->log_max_bytes));
	(void)json_object_set_new(log, "maxFiles", json_integer((json_int_t)launch->log_max_files));
	(void)json_object_set_new(log, "compress", json_boolean(launch->log_compress));
	format_log_context(&launch->log_context, log);
	(void)json_object_set_new(object, "log", log);
	if (launch->health.test.count)
		(void)json_object_set_new(object, "health", health_check_to_json(&launch->health));
	if (launch->secret_count)
		(void)json_object_set_new(object, "secrets",
					  runtime_secrets_to_json(launch->secrets,
								  launch->secret_count));
	if (launch->restart.kind != RESTART_NO)
		(void)json_object_set_new(
			object, "restart",
			json_pack("{s:s, s:I}", "policy", restart_policy_name(launch->restart.kind),
				  "max", (json_int_t)launch->restart.max_retries));
	if (launch->event_attributes)
		(void)json_object_set_new(object, "event",
					  json_loads(launch->event_attributes, 0, NULL));
	if (launch->network)
		(void)json_object_set(object, "network", launch->network);
	return object;
}

int launch_save(int container_dir_fd, const struct launch *launch, struct error *err)
{
	auto_(json_decref) json_t *object = format_launch(launch);
	auto_free char *text = json_text(object);
	int r;

	r = atomic_file_write(container_dir_fd, LAUNCH_FILE_NAME, text, strlen(text), 0600,
			      /* sync= */ false);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write %s", LAUNCH_FILE_NAME);
	return 0;
}

void launch_release(struct launch *launch)
{
	strv_release(&launch->lowers);
	strv_release(&launch->groups);
	launch_mounts_release(&launch->mounts);
	free(launch->user);
	free(launch->init);
	free(launch->seccomp);
	log_context_release(&launch->log_context);
	free(launch->event_attributes);
	json_decref(launch->network);
	health_check_release(&launch->health);
	for (size_t i = 0; i < launch->secret_count; i++)
		runtime_secret_release(&launch->secrets[i]);
	free(launch->secrets);
	*launch = (struct launch){0};
}
