/* SPDX-License-Identifier: Apache-2.0 */
/* The object of docker's image inspect. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "engine/image_internal.h"
#include "image/image_config.h"

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void set_text(json_t *object, const char *key, const char *text)
{
	json_set_string(object, key, text ? text : "");
}

/* docker prints null for a list that the image does not have. */
static void set_list(json_t *object, const char *key, const struct strv *list)
{
	set(object, key, list->count ? json_from_strv(list) : json_null());
}

/* {"80/tcp": {}} */
static json_t *set_of(const struct strv *list)
{
	json_t *object = json_object();

	for (size_t i = 0; i < list->count; i++)
		set(object, list->items[i], json_object());
	return object;
}

static json_t *labels_of(const struct strv *labels)
{
	json_t *object = json_object();

	for (size_t i = 0; i < labels->count; i++) {
		const char *equals = strchr(labels->items[i], '=');
		auto_free char *key =
			xstrndup(labels->items[i], (size_t)(equals - labels->items[i]));

		json_set_string(object, key, equals + 1);
	}
	return object;
}

static json_t *config_object(const struct image_config *config)
{
	json_t *object = json_object();

	set_text(object, "User", config->user);
	if (config->exposed_ports.count)
		set(object, "ExposedPorts", set_of(&config->exposed_ports));
	set_list(object, "Env", &config->env);
	set_list(object, "Cmd", &config->cmd);
	if (config->healthcheck)
		set(object, "Healthcheck", json_incref(config->healthcheck));
	set(object, "Volumes", config->volumes.count ? set_of(&config->volumes) : json_null());
	set_text(object, "WorkingDir", config->working_dir);
	set_list(object, "Entrypoint", &config->entrypoint);
	set_list(object, "OnBuild", &config->on_build);
	set(object, "Labels", config->labels.count ? labels_of(&config->labels) : json_null());
	if (config->stop_signal)
		set_text(object, "StopSignal", config->stop_signal);
	if (config->stop_timeout_s >= 0)
		set(object, "StopTimeout", json_integer(config->stop_timeout_s));
	if (config->shell.count)
		set(object, "Shell", json_from_strv(&config->shell));
	return object;
}

static json_t *familiar_names(const struct strv *list)
{
	json_t *names = json_array();

	for (size_t i = 0; i < list->count; i++) {
		auto_free char *familiar = image_familiar_name(list->items[i]);

		(void)json_array_append_new(names, json_string(familiar));
	}
	return names;
}

/* Where the layers lie, topmost first, as overlay takes them. */
static json_t *driver_object(const struct engine *engine, const struct image_record *record)
{
	json_t *object = json_object(), *data = json_object();
	auto_(strbuf_release) struct strbuf lower = {0};

	for (size_t i = record->chain_ids.count; i > 0; i--) {
		auto_free char *path = layer_diff_path(record->chain_ids.items[i - 1]);

		strbuf_addf(&lower, "%s%s/%s", lower.len ? ":" : "", engine_root_path(engine),
			    path);
	}
	set_text(data, "LowerDir", strbuf_text(&lower));
	set(object, "Data", data);
	set_text(object, "Name", "overlay");
	return object;
}

static json_t *rootfs_object(const struct image_config *config)
{
	json_t *object = json_object();

	set_text(object, "Type", "layers");
	set(object, "Layers", json_from_strv(&config->diff_ids));
	return object;
}

static const char *last_comment(const struct image_config *config)
{
	size_t count = json_array_size(config->history);

	if (count == 0)
		return "";
	return json_get_string(json_array_get(config->history, count - 1), "comment", "");
}

static json_t *image_object(const struct engine *engine, const struct image_record *record,
			    const struct image_config *config)
{
	json_t *object = json_object();
	char created[CLOCK_TEXT_SIZE];

	clock_format(config->created_ns, created);
	set_text(object, "Id", record->id);
	set(object, "RepoTags", familiar_names(&record->names));
	set(object, "RepoDigests", familiar_names(&record->repo_digests));
	set_text(object, "Parent", "");
	set_text(object, "Comment", last_comment(config));
	set_text(object, "Created", created);
	set_text(object, "DockerVersion", "");
	set_text(object, "Author", config->author);
	set(object, "Config", config_object(config));
	set_text(object, "Architecture", config->architecture);
	if (config->variant)
		set_text(object, "Variant", config->variant);
	set_text(object, "Os", config->os);
	set(object, "Size", json_integer((json_int_t)record->size_bytes));
	set(object, "GraphDriver", driver_object(engine, record));
	set(object, "RootFS", rootfs_object(config));
	return object;
}

int image_inspect_platform(struct engine *engine, const char *selector, const char *platform,
			   json_t **ret_object, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(image_config_release) struct image_config config = {0};
	int r;

	r = image_find(engine, selector, &record, err);
	if (r < 0)
		return r;
	r = image_config_parse(record.config, strlen(record.config), &config, err);
	if (r >= 0 && platform)
		r = image_require_platform(selector, &config, platform, err);
	if (r >= 0)
		r = image_add_digests(engine, &record, err);
	if (r < 0)
		return r;
	*ret_object = image_object(engine, &record, &config);
	return 0;
}

int image_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		  struct error *err)
{
	return image_inspect_platform(engine, selector, NULL, ret_object, err);
}
