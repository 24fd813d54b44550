/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/inspect_internal.h"

#define NO_TIME "0001-01-01T00:00:00Z"

static void set_time(json_t *object, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_SIZE];

	if (ns)
		clock_format(ns, text);
	inspect_set_text(object, key, ns ? text : NO_TIME);
}

/* docker's members of Health, and the status of a check that has not run yet. */
static void set_health(const struct container *c, json_t *o)
{
	json_t *health = c->config.healthcheck ? container_health_load(c) : NULL;

	if (health)
		inspect_set(o, "Health", health);
}

static json_t *inspect_state(const struct container *c, const struct container_view *v)
{
	bool alive = container_view_is_alive(v);
	bool restarting = v->status == CONTAINER_RESTARTING;
	json_t *o = json_object();

	inspect_set_text(o, "Status", container_status_name(v->status));
	inspect_set_bool(o, "Running", alive || restarting);
	inspect_set_bool(o, "Paused", v->status == CONTAINER_PAUSED);
	inspect_set_bool(o, "Restarting", restarting);
	inspect_set_bool(o, "OOMKilled", !alive && v->exit.oom_killed);
	inspect_set_bool(o, "Dead", v->status == CONTAINER_DEAD);
	inspect_set_int(o, "Pid", alive ? v->state.init.pid : 0);
	inspect_set_int(o, "ExitCode", alive ? 0 : v->exit.exit_code);
	inspect_set_text(o, "Error", alive ? NULL : v->exit.error);
	set_time(o, "StartedAt", alive ? v->state.started_ns : v->exit.started_ns);
	set_time(o, "FinishedAt", alive || !v->exit.started_ns ? 0 : v->exit.finished_ns);
	set_health(c, o);
	return o;
}

/* ---- the object ---- */

static void set_command(const struct container *container, json_t *o)
{
	auto_(strv_release) struct strv all = {0};

	strv_add_all(&all, &container->config.entrypoint);
	strv_add_all(&all, &container->config.cmd);
	inspect_set_text(o, "Path", all.items[0]);
	strv_remove(&all, 0);
	inspect_set(o, "Args", json_from_strv(&all));
}

static void set_file(const struct container *container, json_t *o, const char *key,
		     const char *owner_id, const char *name)
{
	auto_free char *path = xasprintf("%s/containers/%s/%s", engine_root_path(container->engine),
					 owner_id, name);

	inspect_set_text(o, key, path);
}

/* With another container's network come its names. */
static void set_files(const struct container *container, json_t *o)
{
	const char *id = container->record.id;
	const char *network = container->config.network_mode;
	const char *names_of = strncmp(network, "container:", 10) == 0 ? network + 10 : id;
	const char *driver = container->config.log_driver;

	set_file(container, o, "ResolvConfPath", names_of, "resolv.conf");
	set_file(container, o, "HostnamePath", names_of, "hostname");
	set_file(container, o, "HostsPath", names_of, "hosts");
	/* As docker: only of json-file does it tell where. */
	if (driver && strcmp(driver, "json-file") != 0)
		inspect_set_text(o, "LogPath", NULL);
	else
		set_file(container, o, "LogPath", id, LOG_FILE_NAME);
}

static json_t *graph_driver(const struct container *container)
{
	const char *root = engine_root_path(container->engine);
	const struct strv *layers = &container->config.layers;
	auto_(strv_release) struct strv lowers = {0};
	auto_free char *joined = NULL;
	auto_free char *upper = xasprintf("%s/containers/%s/upper", root, container->record.id);
	auto_free char *work = xasprintf("%s/containers/%s/work", root, container->record.id);

	for (size_t i = layers->count; i-- > 0;) {
		auto_free char *path = container_layer_path(layers->items[i]);

		strv_addf(&lowers, "%s/%s", root, path);
	}
	joined = strv_join(&lowers, ":");
	return json_pack("{s:s, s:{s:s, s:s, s:s}}", "Name", "overlay", "Data", "LowerDir", joined,
			 "UpperDir", upper, "WorkDir", work);
}

static json_t *inspect_object(const struct container *container, const struct container_view *view,
			      json_t *network_settings)
{
	const struct container_record *record = &container->record;
	auto_free char *name = xasprintf("/%s", record->name);
	json_t *o = json_object();

	inspect_set_text(o, "Id", record->id);
	set_time(o, "Created", record->created_ns);
	set_command(container, o);
	inspect_set(o, "State", inspect_state(container, view));
	inspect_set_text(o, "Image", record->image_id);
	set_files(container, o);
	inspect_set_text(o, "Name", name);
	inspect_set_int(o, "RestartCount",
			view->has_state ? view->state.restart_count : view->exit.restart_count);
	inspect_set_text(o, "Driver", "overlay");
	inspect_set_text(o, "Platform", "linux");
	inspect_set_text(o, "MountLabel", NULL);
	inspect_set_text(o, "ProcessLabel", NULL);
	inspect_set_text(o, "AppArmorProfile", NULL);
	inspect_set(o, "ExecIDs", json_null());
	inspect_set(o, "HostConfig", inspect_host_config(container));
	inspect_set(o, "GraphDriver", graph_driver(container));
	inspect_set(o, "Mounts", inspect_mounts(container));
	inspect_set(o, "Config", inspect_config(container));
	inspect_set(o, "NetworkSettings", network_settings);
	return o;
}

int container_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		      struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	json_t *network_settings;
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	r = inspect_network_settings(&c, &view, &network_settings, err);
	if (r < 0)
		return r;
	*ret_object = inspect_object(&c, &view, network_settings);
	return 0;
}
