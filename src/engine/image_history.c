/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_history.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/image_internal.h"

void image_history_release(struct image_history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		free(history->items[i].id);
		free(history->items[i].created_by);
		free(history->items[i].comment);
	}
	free(history->items);
	*history = (struct image_history){0};
}

static int layer_size(struct store *store, const struct image_record *record, size_t number,
		      uint64_t *ret_bytes, struct error *err)
{
	auto_free char *blob = NULL;

	if (number >= record->chain_ids.count)
		return 0;
	return layer_describe(store, record->chain_ids.items[number], ret_bytes, &blob, err);
}

/* The configuration has the first step first. */
static int list_steps(struct store *store, const struct image_record *record, const json_t *steps,
		      struct image_history *history, struct error *err)
{
	size_t count = json_array_size(steps), layer = 0, i;
	const json_t *step;

	history->items = xcalloc(count + 1, sizeof(history->items[0]));
	history->count = count;
	json_array_foreach (steps, i, step) {
		struct history_step *item = &history->items[count - 1 - i];
		int r;

		item->created_by = xstrdup(json_get_string(step, "created_by", ""));
		item->comment = xstrdup(json_get_string(step, "comment", ""));
		(void)clock_parse(json_get_string(step, "created", ""), &item->created_ns);
		if (json_get_bool(step, "empty_layer", false))
			continue;
		r = layer_size(store, record, layer++, &item->size_bytes, err);
		if (r < 0)
			return r;
	}
	if (count > 0)
		history->items[0].id = xstrdup(record->id);
	return 0;
}

int image_history(struct engine *engine, const char *selector, const char *platform,
		  struct image_history *ret_history, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(image_config_release) struct image_config config = {0};
	auto_(image_history_release) struct image_history history = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = image_find(engine, selector, &record, err);
	if (r >= 0)
		r = image_config_parse(record.config, strlen(record.config), &config, err);
	if (r >= 0 && platform)
		r = image_require_platform(selector, &config, platform, err);
	if (r >= 0)
		r = list_steps(store, &record, config.history, &history, err);
	if (r < 0)
		return r;
	*ret_history = history;
	history = (struct image_history){0};
	return 0;
}
