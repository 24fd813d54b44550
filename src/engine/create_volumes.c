/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "engine/create_internal.h"
#include "engine/emit.h"
#include "engine/volume_internal.h"
#include "storage/volume.h"

static int make_one(struct engine *engine, struct store *store, struct mount_spec *spec,
		    bool *ret_created, struct error *err)
{
	const struct volume_new new_volume = {
		.name = spec->source,
		.labels = &spec->labels,
		.options = &spec->driver_options,
	};
	auto_(volume_record_release) struct volume_record record = {0};
	char *name;
	int r;

	r = volume_make(engine, &new_volume, &name, ret_created, err);
	if (r < 0)
		return r;
	free(spec->source);
	spec->source = name;
	/* One that was there has options of its own. */
	if (*ret_created) {
		strv_copy(&spec->volume_options, &spec->driver_options);
		return 0;
	}
	r = volume_find(store, name, &record, err);
	if (r >= 0)
		strv_copy(&spec->volume_options, &record.options);
	return r;
}

int create_volumes(struct engine *engine, struct mount_list *mounts, struct strv *ret_names,
		   struct strv *ret_anonymous, struct error *err)
{
	struct store *store;
	bool created;
	int r;

	r = engine_store(engine, &store, err);
	for (size_t i = 0; r >= 0 && i < mounts->count; i++) {
		struct mount_spec *spec = &mounts->items[i];

		if (spec->kind != MOUNT_KIND_VOLUME)
			continue;
		r = make_one(engine, store, spec, &created, err);
		if (r < 0)
			break;
		if (spec->anonymous && created)
			strv_add(ret_anonymous, spec->source);
		strv_add(ret_names, spec->source);
	}
	return r < 0 ? r : 0;
}
