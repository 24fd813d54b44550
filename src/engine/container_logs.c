/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/container_internal.h"
#include "engine/logs.h"
#include "runtime/launch.h"

static bool is_local(const char *driver)
{
	return driver && strcmp(driver, log_driver_name(LOG_DRIVER_LOCAL)) == 0;
}

/* What journald and syslog were given is theirs to show. */
static bool is_readable(const char *driver)
{
	return !driver || is_local(driver) ||
	       strcmp(driver, log_driver_name(LOG_DRIVER_JSON_FILE)) == 0;
}

int container_logs(struct engine *engine, const char *selector, const struct logs_request *request,
		   struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	if (!is_readable(c.config.log_driver))
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "configured logging driver does not support reading");
	if (c.dir_fd < 0)
		return err_set(err, ERR_NOT_FOUND, 0, "the directory of container %s is missing",
			       c.record.name);
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	/* Nobody writes any more when the monitor is gone, whatever still runs. */
	return logs_read(c.dir_fd, view.monitor_alive ? c.state_fd : NO_FD,
			 is_local(c.config.log_driver), request, err);
}
