/* SPDX-License-Identifier: Apache-2.0 */
/* container_restart_policy.c - update --restart: the record, and the monitor of a container that runs */
#include "base/alloc.h"
#include "engine/container_internal.h"
#include "engine/monitor_link.h"
#include "runtime/restart_policy.h"
#include "storage/store.h"

static int save(struct container *c, const char *text, enum restart_kind kind, struct error *err)
{
	auto_free char *record = NULL;
	struct store *store;
	int r;

	r = engine_store(c->engine, &store, err);
	if (r < 0)
		return r;
	free(c->config.restart);
	c->config.restart = kind == RESTART_NO ? NULL : xstrdup(text);
	record = container_config_format(&c->config);
	return container_record_set_config(store, c->record.id, record, err);
}

/* One that has just ended, or whose monitor is gone, has the record and no more. */
static int tell_monitor(const struct container *c, const struct restart_policy *policy,
			struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_look_settled(c, &view, err);
	if (r < 0 || !view.monitor_alive)
		return r;
	r = monitor_link_set_restart(c->state_fd, policy, err);
	if (r < 0 && err->kind == ERR_CONFLICT) {
		error_release(err);
		return 0;
	}
	return r;
}

int container_update_restart(struct engine *engine, const char *selector, const char *text,
			     struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_close int lock_fd = NO_FD;
	struct restart_policy policy;
	char id[65];
	int r;

	r = restart_policy_parse(text, &policy, err);
	if (r < 0)
		return r;
	r = container_resolve(engine, selector, id, err);
	if (r < 0)
		return r;
	r = container_open(engine, id, &c, err);
	if (r < 0)
		return r;
	lock_fd = container_lock(&c, err);
	if (lock_fd < 0)
		return lock_fd;
	container_release(&c); /* it was read before we had the lock */
	r = container_open(engine, id, &c, err);
	if (r < 0)
		return r;
	if (c.config.auto_remove && policy.kind != RESTART_NO)
		return err_set(err, ERR_INVALID, 0,
			       "Restart policy cannot be updated because AutoRemove is enabled for "
			       "the container");
	r = save(&c, text, policy.kind, err);
	return r < 0 ? r : tell_monitor(&c, &policy, err);
}
