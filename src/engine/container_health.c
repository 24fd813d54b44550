/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "engine/container_internal.h"
#include "engine/monitor_link.h"
#include "runtime/health_check.h"

json_t *container_health_load(const struct container *c)
{
	auto_(error_release) struct error ignored = {0};
	auto_free char *text = NULL;
	json_t *object = NULL;
	size_t len;

	if (c->dir_fd < 0 ||
	    fd_read_file_at(c->dir_fd, HEALTH_FILE_NAME, JSON_MAX_BYTES, &text, &len) < 0 ||
	    json_parse(text, len, HEALTH_FILE_NAME, &object, &ignored) < 0)
		return NULL;
	return object;
}

enum container_health container_health_look(int state_fd)
{
	char text[16] = "";

	if (readlinkat(state_fd, STATE_HEALTH_NAME, text, sizeof(text) - 1) < 0)
		return CONTAINER_HEALTH_NONE;
	for (enum health_status status = HEALTH_STARTING; status < HEALTH_STATUS_COUNT; status++)
		if (strcmp(text, health_status_name(status)) == 0)
			return (enum container_health)status;
	return CONTAINER_HEALTH_NONE;
}

int container_healthcheck(struct engine *engine, const char *selector, bool *ret_healthy,
			  struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	struct monitor_health_result result;
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	if (view.status != CONTAINER_RUNNING)
		return err_set(err, ERR_CONFLICT, 0, "container %s is not running", c.record.id);
	r = monitor_link_check_health(c.state_fd, &result, err);
	if (r < 0)
		return r;
	if (result.status == HEALTH_NONE)
		return err_set(err, ERR_CONFLICT, 0, "container %s has no defined healthcheck",
			       c.record.id);
	*ret_healthy = result.exit_code == 0;
	return 0;
}
