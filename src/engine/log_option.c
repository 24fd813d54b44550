/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/log_option.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "runtime/launch.h"

#define DEFAULT_MAX_BYTES ((uint64_t)10 << 20)
#define DEFAULT_MAX_FILES 3
#define MAX_FILES 1000

static int apply_option(const char *key, const char *value, struct launch *launch,
			struct error *err)
{
	if (strcmp(key, "max-size") == 0) {
		if (strcmp(value, "-1") == 0) {
			launch->log_max_bytes = 0;
			return 0;
		}
		if (parse_size(value, &launch->log_max_bytes) == 0 && launch->log_max_bytes > 0 &&
		    launch->log_max_bytes <= INT64_MAX)
			return 0;
	} else if (strcmp(key, "max-file") == 0) {
		if (parse_u32(value, &launch->log_max_files) == 0 && launch->log_max_files >= 1 &&
		    launch->log_max_files <= MAX_FILES)
			return 0;
	} else if (strcmp(key, "compress") == 0) {
		if (parse_bool(value, &launch->log_compress) == 0)
			return 0;
	} else {
		return err_set(err, ERR_INVALID, 0, "unknown log opt '%s' for json-file log driver",
			       key);
	}
	return err_set(err, ERR_INVALID, 0, "invalid value for log opt '%s': '%s'", key, value);
}

int log_options_apply(const char *driver, const struct strv *options, struct launch *launch,
		      struct error *err)
{
	int r;

	launch->log_driver = LOG_DRIVER_JSON_FILE;
	launch->log_max_bytes = DEFAULT_MAX_BYTES;
	launch->log_max_files = DEFAULT_MAX_FILES;
	launch->log_compress = true;
	if (driver && strcmp(driver, "none") == 0) {
		launch->log_driver = LOG_DRIVER_NONE;
		if (options->count)
			return err_set(err, ERR_INVALID, 0,
				       "unknown log opt '%s' for none log driver",
				       options->items[0]);
		return 0;
	}
	if (driver && *driver && strcmp(driver, "json-file") != 0)
		return err_set(err, ERR_INVALID, 0,
			       "logger: no log driver named '%s' is registered (json-file and none "
			       "are)",
			       driver);
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
	return 0;
}
