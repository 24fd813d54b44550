/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_prune.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/emit.h"
#include "engine/image_internal.h"
#include "engine/prune_filter.h"
#include "storage/kept.h"
#include "storage/partial_blob.h"

void image_prune_result_release(struct image_prune_result *result)
{
	strv_release(&result->lines);
	*result = (struct image_prune_result){0};
}

static int image_is_wanted(const struct image_record *record, const struct prune_filter *filter,
			   bool all, struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	int r;

	if (!all && record->names.count > 0)
		return 0;
	r = image_config_parse(record->config, strlen(record->config), &config, err);
	if (r < 0)
		return err_wrap(err, r, "image %s", record->id);
	return prune_filter_matches(filter, record->created_ns, &config.labels);
}

static int prune_one(struct store *store, const struct image_record *record,
		     struct image_prune_result *result, struct error *err)
{
	auto_(image_removal_release) struct image_removal gone = {0};
	int r;

	r = image_record_remove(store, record->id, /* forget= */ false, &gone, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < record->names.count; i++) {
		auto_free char *name = image_familiar_name(record->names.items[i]);

		strv_addf(&result->lines, "untagged: %s", name);
	}
	strv_addf(&result->lines, "deleted: %s", record->id);
	for (size_t i = 0; i < gone.chain_ids.count; i++)
		strv_addf(&result->lines, "deleted: %s", gone.chain_ids.items[i]);
	result->bytes += gone.bytes;
	return 0;
}

static void emit_removed(struct engine *engine, const struct image_record *record)
{
	for (size_t i = 0; i < record->names.count; i++)
		emit_image(engine, record->id, record->id, "untag");
	emit_image(engine, record->id, record->id, "delete");
}

static int prune_records(struct engine *engine, struct store *store,
			 const struct prune_filter *filter, bool all,
			 struct image_prune_result *result, struct error *err)
{
	auto_(image_records_release) struct image_records records = {0};
	int r;

	r = image_record_list(store, &records, err);
	for (size_t i = 0; r >= 0 && i < records.count; i++) {
		r = image_is_wanted(&records.items[i], filter, all, err);
		if (r <= 0)
			continue;
		r = prune_one(store, &records.items[i], result, err);
		if (r >= 0)
			emit_removed(engine, &records.items[i]);
		/* A container uses it, or somebody else removed it: not ours to prune. */
		if (r < 0 && (err->kind == ERR_CONFLICT || err->kind == ERR_NOT_FOUND)) {
			error_release(err);
			r = 0;
		}
	}
	return r < 0 ? r : 0;
}

int image_prune(struct engine *engine, const struct image_prune_request *request,
		struct image_prune_result *ret_result, struct error *err)
{
	auto_(image_prune_result_release) struct image_prune_result result = {0};
	auto_(prune_filter_release) struct prune_filter filter = {0};
	struct store *store;
	uint64_t swept = 0;
	bool dangling = true;
	int r;

	r = prune_filter_parse(request->filters, /* with_dangling= */ true, &filter, err);
	if (r >= 0) /* docker's other way to say --all */
		r = filters_get_bool(&filter.filters, "dangling", true, &dangling, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = prune_records(engine, store, &filter, request->all || !dangling, &result, err);
	/* What unfinished pulls have left for their next try is nobody's image either. */
	if (r >= 0)
		r = kept_forget(store, /* all= */ true, err);
	if (r >= 0)
		partial_blobs_remove(store, INT64_MAX, &result.bytes);
	if (r >= 0)
		r = store_sweep(store, &swept, err);
	if (r < 0)
		return r;
	result.bytes += swept;
	emit_prune(engine, "image", result.bytes);
	*ret_result = result;
	result = (struct image_prune_result){0};
	return 0;
}
