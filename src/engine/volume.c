/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volume.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/emit.h"
#include "engine/filter.h"
#include "engine/volume_internal.h"
#include "engine/volume_options.h"
#include "storage/store.h"
#include "storage/volume.h"

#define DRIVER "local"
#define ANONYMOUS_LABEL "com.docker.volume.anonymous"

/* ---- coming and going ---- */

int volume_make(struct engine *engine, const struct volume_new *new_volume, char **ret_name,
		bool *ret_created, struct error *err)
{
	const struct event_attribute more[] = {{"driver", DRIVER}, {0}};
	struct store *store;
	int r;

	r = volume_options_check(new_volume->options, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0)
		r = volume_create(store, new_volume, ret_name, ret_created, err);
	if (r >= 0 && *ret_created)
		emit_event(engine, "volume", *ret_name, "create", more);
	return r;
}

int volume_destroy(struct engine *engine, const char *name, struct error *err)
{
	const struct event_attribute more[] = {{"driver", DRIVER}, {0}};
	struct store *store;
	int r = engine_store(engine, &store, err);

	if (r >= 0)
		r = volume_remove(store, name, err);
	if (r >= 0)
		emit_event(engine, "volume", name, "destroy", more);
	return r;
}

/* "key" alone is "key=". */
static int copy_pairs(const struct strv *texts, const char *what, struct strv *ret_pairs,
		      struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];

		if (!*text || *text == '=')
			return err_set(err, ERR_INVALID, 0, "invalid %s '%s': empty name", what,
				       text);
		strv_addf(ret_pairs, "%s%s", text, strchr(text, '=') ? "" : "=");
	}
	return 0;
}

int volumes_create(struct engine *engine, const struct volume_create_request *request,
		   char **ret_name, struct error *err)
{
	auto_(strv_release) struct strv labels = {0}, options = {0};
	const struct volume_new new_volume = {
		.name = request->name,
		.labels = &labels,
		.options = &options,
	};
	bool created;
	int r;

	r = copy_pairs(request->labels, "label", &labels, err);
	if (r >= 0)
		r = copy_pairs(request->options, "option", &options, err);
	if (r < 0)
		return r;
	if (!request->name)
		strv_add(&labels, ANONYMOUS_LABEL "=");
	r = volume_make(engine, &new_volume, ret_name, &created, err);
	return r < 0 && request->name ? err_wrap(err, r, "create %s", request->name) : r;
}

int volumes_update(struct engine *engine, const char *name, struct error *err)
{
	auto_(volume_record_release) struct volume_record record = {0};
	struct store *store;
	int r = engine_store(engine, &store, err);

	if (r >= 0)
		r = volume_find(store, name, &record, err);
	if (r >= 0)
		r = err_set(err, ERR_INVALID, 0,
			    "volume update only valid for cluster volumes, but swarm is "
			    "unavailable");
	return r;
}

/* ---- looking ---- */

void volume_summaries_release(struct volume_summaries *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		free(list->items[i].mountpoint);
		strv_release(&list->items[i].labels);
	}
	free(list->items);
	*list = (struct volume_summaries){0};
}

static char *mountpoint_of(struct store *store, const char *name)
{
	auto_free char *path = volume_data_path(name);

	return xasprintf("%s/%s", store_root_path(store), path);
}

static bool is_wanted(const struct filters *filters, bool dangling,
		      const struct volume_record *record)
{
	if (filters_has(filters, "dangling") && dangling != (record->user_count == 0))
		return false;
	return filters_match_text(filters, "driver", DRIVER) &&
	       filters_match_pattern(filters, "name", record->name) &&
	       filters_match_labels(filters, "label", &record->labels);
}

int volumes_list(struct engine *engine, const struct strv *texts, struct volume_summaries *ret_list,
		 struct error *err)
{
	static const char *const keys[] = {"dangling", "driver", "label", "name", NULL};
	auto_(volume_records_release) struct volume_records records = {0};
	auto_(filters_release) struct filters filters = {0};
	struct volume_summaries list = {0};
	struct store *store;
	bool dangling = false;
	int r;

	r = filters_parse(texts, keys, &filters, err);
	if (r >= 0)
		r = filters_get_bool(&filters, "dangling", false, &dangling, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0)
		r = volume_list(store, &records, err);
	if (r < 0)
		return r;
	list.items = xcalloc(records.count + 1, sizeof(*list.items));
	for (size_t i = 0; i < records.count; i++) {
		struct volume_record *record = &records.items[i];
		struct volume_summary *item = &list.items[list.count];

		if (!is_wanted(&filters, dangling, record))
			continue;
		list.count++;
		item->mountpoint = mountpoint_of(store, record->name);
		item->name = TAKE_PTR(record->name);
		item->user_count = record->user_count;
		strv_copy(&item->labels, &record->labels);
	}
	*ret_list = list;
	return 0;
}

static json_t *labels_object(const struct strv *labels)
{
	json_t *object;

	if (labels->count == 0)
		return json_null();
	object = json_object();
	for (size_t i = 0; i < labels->count; i++) {
		size_t len = strcspn(labels->items[i], "=");
		auto_free char *key = xstrndup(labels->items[i], len);

		json_set_string(object, key, labels->items[i] + len + 1);
	}
	return object;
}

int volumes_inspect(struct engine *engine, const char *name, json_t **ret_object, struct error *err)
{
	auto_(volume_record_release) struct volume_record record = {0};
	auto_free char *mountpoint = NULL;
	char created[CLOCK_TEXT_SIZE];
	struct store *store;
	json_t *object;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = volume_find(store, name, &record, err);
	if (r < 0)
		return r;
	mountpoint = mountpoint_of(store, name);
	/* Whole seconds, as docker has them. */
	clock_format(record.created_ns / 1000000000 * 1000000000, created);
	object = json_object();
	json_set_string(object, "CreatedAt", created);
	json_set_string(object, "Driver", DRIVER);
	(void)json_object_set_new(object, "Labels", labels_object(&record.labels));
	json_set_string(object, "Mountpoint", mountpoint);
	json_set_string(object, "Name", name);
	(void)json_object_set_new(object, "Options", labels_object(&record.options));
	json_set_string(object, "Scope", "local");
	*ret_object = object;
	return 0;
}

int volumes_remove(struct engine *engine, const char *name, struct error *err)
{
	return volume_destroy(engine, name, err);
}

void volume_prune_result_release(struct volume_prune_result *result)
{
	strv_release(&result->names);
	*result = (struct volume_prune_result){0};
}

/* One that a container took meanwhile stays, without a word. */
static int prune_one(struct engine *engine, struct store *store, const char *name,
		     struct volume_prune_result *result, struct error *err)
{
	uint64_t bytes = volume_bytes(store, name);
	int r = volume_destroy(engine, name, err);

	if (r >= 0) {
		strv_add(&result->names, name);
		result->bytes += bytes;
		return 0;
	}
	if (err->kind != ERR_CONFLICT && err->kind != ERR_NOT_FOUND)
		return r;
	error_release(err);
	return 0;
}

int volumes_prune(struct engine *engine, bool all, const struct strv *texts,
		  struct volume_prune_result *ret_result, struct error *err)
{
	static const char *const keys[] = {"all", "label", "label!", NULL};
	auto_(volume_prune_result_release) struct volume_prune_result result = {0};
	auto_(volume_records_release) struct volume_records records = {0};
	auto_(filters_release) struct filters filters = {0};
	struct store *store;
	bool asked;
	int r;

	r = filters_parse(texts, keys, &filters, err);
	if (r >= 0)
		r = filters_get_bool(&filters, "all", false, &asked, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0)
		r = volume_list(store, &records, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < records.count; i++) {
		const struct volume_record *record = &records.items[i];

		if (record->user_count == 0 && (all || asked || record->anonymous) &&
		    filters_match_labels(&filters, "label", &record->labels) &&
		    filters_match_no_labels(&filters, "label!", &record->labels))
			r = prune_one(engine, store, record->name, &result, err);
	}
	if (r < 0)
		return r;
	emit_prune(engine, "volume", result.bytes);
	*ret_result = result;
	result = (struct volume_prune_result){0};
	return 0;
}
