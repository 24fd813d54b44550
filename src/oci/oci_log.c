/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "oci/oci.h"

static bool is_json(const struct oci_globals *globals)
{
	return globals->log_format && strcmp(globals->log_format, "json") == 0;
}

int oci_log_check(const struct oci_globals *globals, struct error *err)
{
	const char *format = globals->log_format;

	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return err_set(err, ERR_INVALID, EINVAL, "invalid log-format: %s", format);
	return 0;
}

static char *format_line(const struct oci_globals *globals, const char *level, const char *message)
{
	auto_(json_decref) json_t *object = json_object(), *quoted = NULL;
	auto_free char *text = NULL;
	char now[CLOCK_TEXT_SIZE];

	clock_format(clock_now_ns(), now);
	json_set_string(object, "level", level);
	json_set_string(object, "msg", message);
	json_set_string(object, "time", now);
	if (is_json(globals)) {
		text = json_text(object);
		return xasprintf("%s\n", text);
	}
	quoted = json_string(message);
	text = json_text(quoted);
	return xasprintf("time=\"%s\" level=%s msg=%s\n", now, level, text);
}

void oci_log_say(const struct oci_globals *globals, const char *level, const char *message)
{
	auto_free char *line = NULL;
	auto_close int fd = NO_FD;

	(void)fprintf(stderr, OCI_ARGV0 ": %s\n", message);
	if (!globals->log || !*globals->log)
		return;
	fd = open(globals->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	line = format_line(globals, level, message);
	/* Nobody is left to tell that this failed: ignoring. */
	if (fd >= 0)
		(void)fd_write_all(fd, line, strlen(line));
}

void oci_warn(const struct oci_call *call, const struct error *err)
{
	oci_log_say(call->globals, "warning", err_message(err));
}
