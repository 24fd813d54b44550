/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/log_option.h"

#include <regex.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "runtime/launch.h"

#define MAX_FILES 1000
#define REGEX_MAX_BYTES 1024
#define BUFFER_BYTES ((uint64_t)1 << 20)
#define BUFFER_MAX_BYTES ((uint64_t)1 << 30)

enum driver_set {
	FILES = 1 << LOG_DRIVER_JSON_FILE | 1 << LOG_DRIVER_LOCAL,
	DETAILS = 1 << LOG_DRIVER_JSON_FILE | 1 << LOG_DRIVER_JOURNALD | 1 << LOG_DRIVER_SYSLOG,
	SYSLOG = 1 << LOG_DRIVER_SYSLOG,
	EVERY = FILES | DETAILS,
};

/* ---- values; each returns 0 or a negative errno ---- */

static int set_max_size(const char *value, struct launch *launch)
{
	if (strcmp(value, "-1") == 0) {
		launch->log_max_bytes = 0;
		return 0;
	}
	if (parse_size(value, &launch->log_max_bytes) < 0 || launch->log_max_bytes == 0 ||
	    launch->log_max_bytes > INT64_MAX)
		return -EINVAL;
	return 0;
}

static int set_max_file(const char *value, struct launch *launch)
{
	if (parse_u32(value, &launch->log_max_files) < 0 || launch->log_max_files < 1 ||
	    launch->log_max_files > MAX_FILES)
		return -EINVAL;
	return 0;
}

static int set_compress(const char *value, struct launch *launch)
{
	return parse_bool(value, &launch->log_compress);
}

static int set_mode(const char *value, struct launch *launch)
{
	launch->log_context.non_blocking = strcmp(value, "non-blocking") == 0;
	return launch->log_context.non_blocking || strcmp(value, "blocking") == 0 ? 0 : -EINVAL;
}

static int set_buffer(const char *value, struct launch *launch)
{
	uint64_t *bytes = &launch->log_context.buffer_bytes;

	return parse_size(value, bytes) < 0 || *bytes == 0 || *bytes > BUFFER_MAX_BYTES ? -EINVAL
											: 0;
}

static int set_address(const char *value, struct launch *launch)
{
	static const char *const schemes[] = {"unix:///", "unixgram:///", "udp://", "tcp://"};

	free(launch->log_context.address);
	launch->log_context.address = xstrdup(value);
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(value, schemes[i], strlen(schemes[i])) == 0)
			return 0;
	return -EINVAL;
}

static int set_facility(const char *value, struct launch *launch)
{
	static const char *const names[] = {
		"kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
		"uucp",   "cron",   "authpriv", "ftp",    NULL,     NULL,     NULL,     NULL,
		"local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7",
	};
	uint32_t *facility = &launch->log_context.facility;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && strcmp(names[i], value) == 0) {
			*facility = (uint32_t)i;
			return 0;
		}
	return parse_u32(value, facility) < 0 || *facility > 23 ? -EINVAL : 0;
}

static int set_format(const char *value, struct launch *launch)
{
	static const char *const names[] = {
		[SYSLOG_FORMAT_PLAIN] = "",
		[SYSLOG_FORMAT_RFC3164] = "rfc3164",
		[SYSLOG_FORMAT_RFC5424] = "rfc5424",
		[SYSLOG_FORMAT_RFC5424_MICRO] = "rfc5424micro",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], value) == 0) {
			launch->log_context.format = (enum syslog_format)i;
			return 0;
		}
	return -EINVAL;
}

/* Used at the start, when the container is known. */
static int check_text(const char *value, struct launch *launch)
{
	(void)value;
	(void)launch;
	return 0;
}

static int check_regex(const char *value, struct launch *launch)
{
	regex_t pattern;

	(void)launch;
	if (strlen(value) > REGEX_MAX_BYTES ||
	    regcomp(&pattern, value, REG_EXTENDED | REG_NOSUB) != 0)
		return -EINVAL;
	regfree(&pattern);
	return 0;
}

static const struct log_option {
	const char *key;
	int drivers; /* enum driver_set */
	int (*set)(const char *value, struct launch *launch);
} log_options[] = {
	{"compress", FILES, set_compress},
	{"env", DETAILS, check_text},
	{"env-regex", DETAILS, check_regex},
	{"labels", DETAILS, check_text},
	{"labels-regex", DETAILS, check_regex},
	{"max-buffer-size", EVERY, set_buffer},
	{"max-file", FILES, set_max_file},
	{"max-size", FILES, set_max_size},
	{"mode", EVERY, set_mode},
	{"syslog-address", SYSLOG, set_address},
	{"syslog-facility", SYSLOG, set_facility},
	{"syslog-format", SYSLOG, set_format},
	{"tag", DETAILS, check_text},
};

static int apply_option(const char *key, const char *value, struct launch *launch,
			struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(log_options); i++) {
		if (strcmp(log_options[i].key, key) != 0 ||
		    !(log_options[i].drivers & (1 << launch->log_driver)))
			continue;
		if (log_options[i].set(value, launch) == 0)
			return 0;
		return err_set(err, ERR_INVALID, 0, "invalid value for log opt '%s': '%s'", key,
			       value);
	}
	return err_set(err, ERR_INVALID, 0, "unknown log opt '%s' for %s log driver", key,
		       log_driver_name(launch->log_driver));
}

static int set_driver(const char *name, struct launch *launch, struct error *err)
{
	launch->log_driver = LOG_DRIVER_JSON_FILE;
	if (!name || !*name)
		return 0;
	for (enum log_driver driver = 0; driver < LOG_DRIVER_COUNT; driver++)
		if (strcmp(log_driver_name(driver), name) == 0) {
			launch->log_driver = driver;
			return 0;
		}
	return err_set(
		err, ERR_INVALID, 0,
		"logger: no log driver named '%s' is registered (json-file, local, journald, "
		"syslog and none are)",
		name);
}

static void set_defaults(struct launch *launch)
{
	bool local = launch->log_driver == LOG_DRIVER_LOCAL;

	launch->log_max_bytes = (uint64_t)(local ? 20 : 10) << 20;
	launch->log_max_files = local ? 5 : 3;
	launch->log_compress = true;
	launch->log_context.facility = 3; /* daemon */
	launch->log_context.buffer_bytes = BUFFER_BYTES;
	if (launch->log_driver == LOG_DRIVER_SYSLOG)
		launch->log_context.address = xstrdup("unix:///dev/log");
}

static bool is_given(const struct strv *options, const char *key)
{
	return strv_env_find(options, key) != NULL;
}

int log_options_apply(const char *driver, const struct strv *options, struct launch *launch,
		      struct error *err)
{
	int r;

	r = set_driver(driver, launch, err);
	if (r < 0)
		return r;
	set_defaults(launch);
	for (size_t i = 0; i < options->count; i++) {
		const char *equals = strchr(options->items[i], '=');
		auto_free char *key = NULL;

		if (!equals)
			return err_set(err, ERR_INVALID, 0, "invalid logging opt '%s'",
				       options->items[i]);
		key = xstrndup(options->items[i], (size_t)(equals - options->items[i]));
		r = apply_option(key, equals + 1, launch, err);
		if (r < 0)
			return r;
	}
	if (is_given(options, "max-buffer-size") && !launch->log_context.non_blocking)
		return err_set(err, ERR_INVALID, 0,
			       "logger: max-buffer-size option is only supported with "
			       "'mode=non-blocking'");
	return 0;
}
