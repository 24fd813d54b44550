/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/disk_usage.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/image.h"
#include "storage/usage.h"

void disk_usage_release(struct disk_usage *usage)
{
	image_records_release(&usage->image_records);
	free(usage->image_usages);
	container_list_release(&usage->container_list);
	free(usage->container_usages);
	for (size_t i = 0; i < usage->volume_count; i++)
		free(usage->volume_usages[i].name);
	free(usage->volume_usages);
	*usage = (struct disk_usage){0};
}

static const struct usage_image *find_image(const struct usage *raw, const char *id)
{
	for (size_t i = 0; i < raw->image_count; i++)
		if (strcmp(raw->images[i].id, id) == 0)
			return &raw->images[i];
	return NULL;
}

static int fill_images(struct engine *engine, const struct usage *raw, struct disk_usage *usage,
		       struct error *err)
{
	int r;

	r = image_list(engine, &usage->image_records, err);
	if (r < 0)
		return r;
	usage->image_usages =
		xcalloc(usage->image_records.count + 1, sizeof(usage->image_usages[0]));
	for (size_t i = 0; i < usage->image_records.count; i++) {
		const struct usage_image *image = find_image(raw, usage->image_records.items[i].id);

		if (!image)
			continue;
		usage->image_usages[i] = (struct image_usage){
			.unique_bytes = image->unique_bytes,
			.shared_bytes = image->shared_bytes,
			.containers = image->containers,
		};
		usage->images.active += image->containers > 0;
	}
	usage->images.count = usage->image_records.count;
	usage->images.bytes = raw->images_bytes;
	usage->images.reclaimable_bytes = raw->unused_image_bytes;
	return 0;
}

static bool is_active(enum container_status status)
{
	return status == CONTAINER_RUNNING || status == CONTAINER_PAUSED ||
	       status == CONTAINER_RESTARTING || status == CONTAINER_ORPHANED;
}

static int fill_containers(struct engine *engine, struct store *store, const struct usage *raw,
			   struct disk_usage *usage, struct error *err)
{
	const struct list_request request = {.all = true, .last = -1};
	int r;

	r = container_list(engine, &request, &usage->container_list, err);
	if (r < 0)
		return r;
	usage->container_usages =
		xcalloc(usage->container_list.count + 1, sizeof(usage->container_usages[0]));
	for (size_t i = 0; i < usage->container_list.count; i++) {
		const struct container_summary *summary = &usage->container_list.items[i];
		struct container_usage *container = &usage->container_usages[i];

		container->bytes = usage_of_container(store, summary->id);
		r = usage_volumes_of_container(store, summary->id, &container->volumes, err);
		if (r < 0)
			return r;
		usage->containers.active += is_active(summary->status);
		if (!is_active(summary->status))
			usage->containers.reclaimable_bytes += container->bytes;
	}
	usage->containers.count = usage->container_list.count;
	usage->containers.bytes = raw->containers_bytes;
	return 0;
}

static void fill_volumes(struct usage *raw, struct disk_usage *usage)
{
	usage->volume_count = raw->volume_count;
	usage->volume_usages = xcalloc(raw->volume_count + 1, sizeof(usage->volume_usages[0]));
	for (size_t i = 0; i < raw->volume_count; i++) {
		struct usage_volume *volume = &raw->volumes[i];

		usage->volume_usages[i] = (struct volume_usage){
			.name = TAKE_PTR(volume->name),
			.bytes = volume->bytes,
			.links = volume->links,
		};
		usage->volumes.active += volume->links > 0;
		if (volume->links == 0)
			usage->volumes.reclaimable_bytes += volume->bytes;
	}
	usage->volumes.count = raw->volume_count;
	usage->volumes.bytes = raw->volumes_bytes;
}

int disk_usage_read(struct engine *engine, struct disk_usage *ret_usage, struct error *err)
{
	auto_(disk_usage_release) struct disk_usage usage = {0};
	auto_(usage_release) struct usage raw = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = usage_read(store, &raw, err);
	if (r >= 0)
		r = fill_images(engine, &raw, &usage, err);
	if (r >= 0)
		r = fill_containers(engine, store, &raw, &usage, err);
	if (r < 0)
		return r;
	fill_volumes(&raw, &usage);
	usage.own_bytes = raw.own_bytes;
	*ret_usage = usage;
	usage = (struct disk_usage){0};
	return 0;
}
