/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_filter.h"

#include <assert.h>
#include <regex.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/container_config.h"
#include "engine/container_internal.h"
#include "engine/image.h"

#define PATTERN_MAX_BYTES 1024
#define FILTERS_MAX 256

enum filter_key {
	FILTER_STATUS,
	FILTER_NAME,
	FILTER_ID,
	FILTER_LABEL,
	FILTER_ANCESTOR,
	FILTER_EXITED,
	FILTER_BEFORE,
	FILTER_SINCE,
	FILTER_VOLUME,
};
#define FILTER_KEY_COUNT 9

static const char *const key_names[] = {
	[FILTER_STATUS] = "status", [FILTER_NAME] = "name",         [FILTER_ID] = "id",
	[FILTER_LABEL] = "label",   [FILTER_ANCESTOR] = "ancestor", [FILTER_EXITED] = "exited",
	[FILTER_BEFORE] = "before", [FILTER_SINCE] = "since",       [FILTER_VOLUME] = "volume",
};
static_assert(ARRAY_SIZE(key_names) == FILTER_KEY_COUNT, "every key has a name");

struct filter_item {
	enum filter_key key;
	char *value;
	regex_t pattern; /* of names and ids */
	bool has_pattern;
	int64_t number; /* exit code, or time of creation */
	char *image_id; /* of an ancestor that is an image here */
};

struct container_filter {
	struct filter_item *items;
	size_t count;
	bool used[FILTER_KEY_COUNT];
};

static int compile_pattern(struct filter_item *item, struct error *err)
{
	/* Docker shows names with a slash, and its patterns may count on it. */
	const char *pattern = item->value[0] == '/' ? item->value + 1 : item->value;
	auto_free char *anchored = NULL;

	if (strncmp(pattern, "^/", 2) == 0)
		anchored = xasprintf("^%s", pattern + 2);
	if (strlen(pattern) > PATTERN_MAX_BYTES ||
	    regcomp(&item->pattern, anchored ? anchored : pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err, ERR_INVALID, 0, "invalid filter '%s=%s'", key_names[item->key],
			       item->value);
	item->has_pattern = true;
	return 0;
}

static int check_status(const struct filter_item *item, struct error *err)
{
	static const enum container_status all[] = {
		CONTAINER_CREATED,  CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING,
		CONTAINER_ORPHANED, CONTAINER_EXITED,  CONTAINER_DEAD,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(container_status_name(all[i]), item->value) == 0)
			return 0;
	if (strcmp(item->value, "removing") == 0)
		return 0; /* nothing is ever seen in it here */
	return err_set(err, ERR_INVALID, 0, "invalid filter 'status=%s'", item->value);
}

/* The time of creation of the container that `before` or `since` names. */
static int find_created(struct engine *engine, struct filter_item *item, struct error *err)
{
	auto_(container_record_release) struct container_record record = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = container_record_find(store, item->value, &record, err);
	if (r >= 0)
		item->number = record.created_ns;
	return r;
}

/* An ancestor that is no image here still matches by the name containers were made with. */
static void find_image(struct engine *engine, struct filter_item *item)
{
	auto_(image_record_release) struct image_record image = {0};
	auto_(error_release) struct error ignored = {0};
	struct store *store;

	if (engine_store(engine, &store, &ignored) >= 0 &&
	    image_record_find(store, item->value, &image, &ignored) >= 0)
		item->image_id = TAKE_PTR(image.id);
}

static int prepare_item(struct engine *engine, struct filter_item *item, struct error *err)
{
	switch (item->key) {
	case FILTER_STATUS:
		return check_status(item, err);
	case FILTER_NAME:
	case FILTER_ID:
		return compile_pattern(item, err);
	case FILTER_EXITED:
		if (parse_i64(item->value, &item->number) < 0)
			return err_set(err, ERR_INVALID, 0, "invalid filter 'exited=%s'",
				       item->value);
		return 0;
	case FILTER_BEFORE:
	case FILTER_SINCE:
		return find_created(engine, item, err);
	case FILTER_ANCESTOR:
		find_image(engine, item);
		return 0;
	case FILTER_LABEL:
	case FILTER_VOLUME:
		return 0;
	}
	return 0;
}

static int add_item(struct engine *engine, struct container_filter *filter, const char *text,
		    struct error *err)
{
	const char *equals = strchr(text, '=');
	struct filter_item *item;

	if (!equals)
		return err_set(err, ERR_INVALID, 0,
			       "invalid argument \"%s\" for \"-f, --filter\" flag: bad format of "
			       "filter (expected name=value)",
			       text);
	for (size_t i = 0; i < FILTER_KEY_COUNT; i++) {
		if (strlen(key_names[i]) != (size_t)(equals - text) ||
		    strncmp(key_names[i], text, (size_t)(equals - text)) != 0)
			continue;
		item = &filter->items[filter->count++];
		*item = (struct filter_item){
			.key = (enum filter_key)i,
			.value = xstrdup(equals + 1),
		};
		filter->used[i] = true;
		return prepare_item(engine, item, err);
	}
	return err_set(err, ERR_INVALID, 0, "invalid filter '%.*s'", (int)(equals - text), text);
}

int container_filter_new(struct engine *engine, const struct strv *texts,
			 struct container_filter **ret_filter, struct error *err)
{
	auto_(container_filter_free) struct container_filter *filter = xcalloc(1, sizeof(*filter));
	int r;

	if (texts->count > FILTERS_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "more than %d filters", FILTERS_MAX);
	filter->items = xcalloc(texts->count, sizeof(*filter->items));
	for (size_t i = 0; i < texts->count; i++) {
		r = add_item(engine, filter, texts->items[i], err);
		if (r < 0)
			return r;
	}
	*ret_filter = TAKE_PTR(filter);
	return 0;
}

void container_filter_free(struct container_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++) {
		free(filter->items[i].value);
		free(filter->items[i].image_id);
		if (filter->items[i].has_pattern)
			regfree(&filter->items[i].pattern);
	}
	free(filter->items);
	free(filter);
}

bool container_filter_wants_all(const struct container_filter *filter)
{
	return filter->used[FILTER_STATUS] || filter->used[FILTER_EXITED];
}

/* "key" or "key=value" among "key=value"s. */
static bool has_label(const struct strv *labels, const char *wanted)
{
	size_t len = strlen(wanted);
	bool with_value = strchr(wanted, '=') != NULL;

	for (size_t i = 0; i < labels->count; i++) {
		if (strncmp(labels->items[i], wanted, len) != 0)
			continue;
		if (labels->items[i][len] == (with_value ? '\0' : '='))
			return true;
	}
	return false;
}

/* A volume's name, a bind's source, or where either is mounted. */
static bool has_volume(const struct container_record *record, const char *wanted)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(error_release) struct error ignored = {0};

	if (container_config_parse(record->config, &config, &ignored) < 0)
		return false;
	for (size_t i = 0; i < config.mounts.count; i++) {
		const struct mount_spec *spec = &config.mounts.items[i];

		if (strcmp(spec->target, wanted) == 0 ||
		    (spec->source && strcmp(spec->source, wanted) == 0))
			return true;
	}
	return false;
}

static bool is_ancestor(const struct filter_item *item, const struct container_record *record)
{
	if (item->image_id && record->image_id && strcmp(item->image_id, record->image_id) == 0)
		return true;
	return record->image_ref && strcmp(record->image_ref, item->value) == 0;
}

static bool record_matches(const struct filter_item *item, const struct container_record *record,
			   const struct strv *labels)
{
	switch (item->key) {
	case FILTER_NAME:
		return regexec(&item->pattern, record->name, 0, NULL, 0) == 0;
	case FILTER_ID:
		return regexec(&item->pattern, record->id, 0, NULL, 0) == 0;
	case FILTER_LABEL:
		return has_label(labels, item->value);
	case FILTER_ANCESTOR:
		return is_ancestor(item, record);
	case FILTER_BEFORE:
		return record->created_ns < item->number;
	case FILTER_SINCE:
		return record->created_ns > item->number;
	case FILTER_VOLUME:
		return has_volume(record, item->value);
	case FILTER_STATUS:
	case FILTER_EXITED:
		return true;
	}
	return true;
}

/* Asks every item of one key; labels all must match, of others one must. */
static bool key_matches(const struct container_filter *filter, enum filter_key key,
			const struct container_record *record, const struct strv *labels)
{
	bool all = key == FILTER_LABEL;

	for (size_t i = 0; i < filter->count; i++)
		if (filter->items[i].key == key &&
		    record_matches(&filter->items[i], record, labels) != all)
			return !all;
	return all;
}

bool container_filter_matches_record(const struct container_filter *filter,
				     const struct container_record *record)
{
	auto_(strv_release) struct strv labels = {0};

	if (filter->count == 0)
		return true;
	if (filter->used[FILTER_LABEL])
		container_config_labels(record->config, &labels);
	for (size_t key = 0; key < FILTER_KEY_COUNT; key++)
		if (filter->used[key] &&
		    !key_matches(filter, (enum filter_key)key, record, &labels))
			return false;
	return true;
}

static bool status_matches(const struct filter_item *item, const struct container_summary *s)
{
	if (item->key == FILTER_STATUS) {
		/* An orphan runs, as far as docker's words go. */
		if (s->status == CONTAINER_ORPHANED && strcmp(item->value, "running") == 0)
			return true;
		return strcmp(container_status_name(s->status), item->value) == 0;
	}
	return s->status == CONTAINER_EXITED && s->exit_code == item->number;
}

bool container_filter_matches(const struct container_filter *filter,
			      const struct container_summary *summary)
{
	static const enum filter_key keys[] = {FILTER_STATUS, FILTER_EXITED};

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		bool found = !filter->used[keys[k]];

		for (size_t i = 0; i < filter->count && !found; i++)
			found = filter->items[i].key == keys[k] &&
				status_matches(&filter->items[i], summary);
		if (!found)
			return false;
	}
	return true;
}
