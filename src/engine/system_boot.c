/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/system_boot.h"

#include "engine/container_internal.h"
#include "engine/monitor_link.h"
#include "runtime/restart_policy.h"
#include "storage/store.h"

static bool is_wanted(const struct container *c, const struct container_view *view)
{
	auto_(error_release) struct error ignored = {0};
	struct restart_policy policy;

	/* Alive, or its monitor is about to do what we would. */
	if (container_view_is_alive(view) || view->monitor_alive ||
	    view->status == CONTAINER_CREATED)
		return false;
	if (restart_policy_parse(c->config.restart, &policy, &ignored) < 0)
		return false;
	switch (policy.kind) {
	case RESTART_NO:
		return false;
	case RESTART_ALWAYS:
		return true;
	case RESTART_UNLESS_STOPPED:
		return !view->exit.stopped_by_hand;
	case RESTART_ON_FAILURE:
		return view->exit.exit_code != 0 &&
		       (policy.max_retries == 0 || view->exit.restart_count < policy.max_retries);
	}
	return false;
}

static bool has_ended(const struct container_view *view)
{
	return !view->monitor_alive &&
	       (view->status == CONTAINER_DEAD || view->status == CONTAINER_EXITED);
}

static int start(const struct container *c, struct error *err)
{
	const struct monitor_link_options options = {0};
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	int r;

	r = monitor_link_spawn(&link, err);
	return r < 0 ? r : container_start(c->engine, c->record.id, &link, &options, err);
}

static int remove_remains(const struct container *c, struct error *err)
{
	const struct remove_request request = {.volumes = true};

	return container_remove(c->engine, c->record.id, &request, err);
}

static void boot_one(struct engine *engine, const char *id, system_boot_fn *report, void *context)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	auto_(error_release) struct error err = {0};
	int r;

	r = container_open(engine, id, &c, &err);
	if (r < 0 && err.kind == ERR_NOT_FOUND)
		return; /* removed meanwhile */
	if (r >= 0)
		r = container_look(&c, &view, &err);
	if (r >= 0 && c.config.auto_remove && has_ended(&view))
		r = remove_remains(&c, &err);
	else if (r >= 0 && is_wanted(&c, &view))
		r = start(&c, &err);
	else if (r >= 0)
		return;
	if (r < 0 || !c.config.auto_remove)
		report(c.record.name ? c.record.name : id, &err, context);
}

int system_boot(struct engine *engine, system_boot_fn *report, void *context, struct error *err)
{
	auto_(container_records_release) struct container_records records = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = container_record_list(store, &records, err);
	if (r < 0)
		return r;
	/* The newest is first; one that uses another's namespaces is newer than that. */
	for (size_t i = records.count; i-- > 0;)
		boot_one(engine, records.items[i].id, report, context);
	return 0;
}
