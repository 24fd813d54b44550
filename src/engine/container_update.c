/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_update.c - changing the limits of a container, at once when it runs
 *
 * The record is the truth, and what a start makes of it (OCI's linux.resources) is what the kernel is
 * told: so an update compares the resources of the old record with those of the new one and applies
 * the members that differ. The order is: cgroup, record; the next start makes config.json of the record. When the cgroup refuses a
 * part, the old values of everything that changed are put back.
 */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "engine/container_internal.h"
#include "engine/emit.h"
#include "engine/limit_option.h"
#include "engine/oci_config.h"
#include "runtime/spec.h"
#include "storage/container_record.h"
#include "sys/cgroup.h"

/* ---- what differs ---- */

/* Members that the kernel, or the conversion to v2, wants together. */
static const struct {
	const char *part, *key, *with;
} pairs[] = {
	{"memory", "limit", "swap"},
	{"cpu", "quota", "period"},
	{"cpu", "realtimeRuntime", "realtimePeriod"},
};

/* What the kernel has where no limit was set. What is not here cannot be taken back. */
static const struct {
	const char *part, *key;
	json_int_t value;
} unset_values[] = {
	{"memory", "limit", -1}, {"memory", "swap", -1},     {"memory", "reservation", -1},
	{"cpu", "shares", 1024}, {"cpu", "quota", -1},       {"cpu", "period", 100000},
	{"pids", "limit", -1},   {"blockIO", "weight", 100}, {"cpu", "realtimeRuntime", 0},
};

static bool differs(const json_t *from, const json_t *to, const char *part, const char *key)
{
	return !json_equal(json_object_get(json_object_get(from, part), key),
			   json_object_get(json_object_get(to, part), key));
}

static void copy_member(const json_t *to, const char *part, const char *key, json_t *changes)
{
	json_t *value = json_object_get(json_object_get(to, part), key);
	json_t *target = json_object_get(changes, part);

	if (!value)
		return;
	if (!target) {
		target = json_object();
		(void)json_object_set_new(changes, part, target);
	}
	(void)json_object_set(target, key, value);
}

/* Members of `to` that `from` has not or has otherwise; pairs come whole. */
static json_t *changed_resources(const json_t *from, const json_t *to)
{
	json_t *changes = json_object();
	const char *part, *key;
	json_t *members, *value;

	json_object_foreach ((json_t *)to, part, members)
		json_object_foreach (members, key, value)
			if (differs(from, to, part, key))
				copy_member(to, part, key, changes);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!differs(from, to, pairs[i].part, pairs[i].key) &&
		    !differs(from, to, pairs[i].part, pairs[i].with))
			continue;
		copy_member(to, pairs[i].part, pairs[i].key, changes);
		copy_member(to, pairs[i].part, pairs[i].with, changes);
	}
	return changes;
}

/* `resources` with the kernel's own values for what `other` sets and it does not. */
static json_t *with_unset_values(const json_t *resources, const json_t *other)
{
	json_t *all = json_deep_copy(resources);

	for (size_t i = 0; i < ARRAY_SIZE(unset_values); i++) {
		const char *part = unset_values[i].part, *key = unset_values[i].key;
		json_t *members = json_object_get(all, part);

		if (!json_object_get(json_object_get(other, part), key) ||
		    json_object_get(members, key))
			continue;
		if (!members) {
			members = json_object();
			(void)json_object_set_new(all, part, members);
		}
		(void)json_object_set_new(members, key, json_integer(unset_values[i].value));
	}
	return all;
}

/* ---- the cgroup ---- */

static int apply_changes(const struct cgroup *group, const json_t *changes, struct error *err)
{
	auto_(spec_release) struct spec spec = {0};
	auto_free char *what = NULL;
	int r;

	r = spec_parse_limits(changes, &spec, err);
	if (r < 0)
		return r;
	r = cgroup_apply(group, &spec.limits, &what);
	if (r == -EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, 0, "%s", what);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "%s", what);
	return 0;
}

static void take_back(const struct cgroup *group, const json_t *from, const json_t *to)
{
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *old = with_unset_values(from, to);
	auto_(json_decref) json_t *changes = changed_resources(to, old);

	if (apply_changes(group, changes, &ignored) < 0)
		log_debug("engine", "ignoring: take back limits: %s", err_message(&ignored));
}

static int update_cgroup(const char *path, const json_t *from, const json_t *to, struct error *err)
{
	auto_(json_decref) json_t *changes = changed_resources(from, to);
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r;

	if (json_object_size(changes) == 0)
		return 0;
	r = cgroup_host_open(&host);
	if (r == 0)
		r = cgroup_open(host, path, &group);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "open the cgroup '%s'", path);
	r = apply_changes(group, changes, err);
	if (r < 0)
		take_back(group, from, to);
	return r;
}

/* ---- the whole ---- */

static int resources_of(const struct container_config *config, json_t **ret_resources,
			struct error *err)
{
	auto_(json_decref) json_t *resources = json_object();
	int r;

	r = oci_limits(config, /* limit_swap= */ true, resources, err);
	if (r < 0)
		return r;
	*ret_resources = TAKE_PTR(resources);
	return 0;
}

static int update_running(const struct container *c, const json_t *from, const json_t *to,
			  struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_look_settled(c, &view, err);
	if (r < 0)
		return r;
	if (view.status == CONTAINER_DEAD && c->dir_fd < 0)
		return err_set(err, ERR_CONFLICT, 0,
			       "Container is marked for removal and cannot be \"update\".");
	return container_view_is_alive(&view) ? update_cgroup(view.state.cgroup_path, from, to, err)
					      : 0;
}

static int update_locked(struct engine *engine, const char *id, const struct limit_request *limits,
			 struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(json_decref) json_t *from = NULL;
	auto_(json_decref) json_t *to = NULL;
	auto_free char *record = NULL;
	struct store *store = NULL;
	int r;

	r = container_open(engine, id, &c, err);
	if (r < 0)
		return r;
	r = resources_of(&c.config, &from, err);
	if (r == 0)
		r = limit_request_merge(limits, &c.config, err);
	if (r == 0)
		r = resources_of(&c.config, &to, err);
	if (r == 0)
		r = update_running(&c, from, to, err);
	if (r == 0)
		r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	record = container_config_format(&c.config);
	return container_record_set_config(store, c.record.id, record, err);
}

int container_update(struct engine *engine, const char *selector,
		     const struct limit_request *limits, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_close int lock_fd = NO_FD;
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	lock_fd = container_lock(&c, err);
	if (lock_fd < 0)
		return lock_fd;
	/* Read anew: whoever had the lock before us may have changed it. */
	r = update_locked(engine, c.record.id, limits, err);
	if (r < 0)
		return err_wrap(err, r, "Cannot update container %s", c.record.id);
	emit_container(&c, "update", NULL);
	return 0;
}
