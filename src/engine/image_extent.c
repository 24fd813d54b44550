/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_extent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "engine/image_internal.h"
#include "image/image_config.h"
#include "image/platform.h"

void image_extent_release(struct image_extent *extent)
{
	free(extent->platform);
	*extent = (struct image_extent){0};
}

/* What is missing takes no room: `system fsck` is for that. */
static void add_blob(struct store *store, const char *digest, uint64_t *bytes)
{
	auto_free char *path = blob_path(digest);
	struct stat st;

	if (fstatat(store_root_fd(store), path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*bytes += (uint64_t)st.st_size;
}

static int count_content(struct store *store, const struct image_record *record, uint64_t *bytes,
			 struct error *err)
{
	int r = 0;

	add_blob(store, record->id, bytes);
	if (record->manifest_digest)
		add_blob(store, record->manifest_digest, bytes);
	for (size_t i = 0; r >= 0 && i < record->chain_ids.count; i++) {
		auto_free char *blob = NULL;
		uint64_t unpacked;

		r = layer_describe(store, record->chain_ids.items[i], &unpacked, &blob, err);
		if (r >= 0 && blob)
			add_blob(store, blob, bytes);
	}
	return r;
}

static int name_platform(const struct image_record *record, char **ret_platform, struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	struct platform platform;
	int r;

	r = image_config_parse(record->config, strlen(record->config), &config, err);
	if (r < 0)
		return r;
	platform = (struct platform){config.os, config.architecture, config.variant};
	*ret_platform = platform_format(&platform);
	return 0;
}

int image_extent(struct engine *engine, const struct image_record *record,
		 struct image_extent *ret_extent, struct error *err)
{
	auto_(image_extent_release) struct image_extent extent = {0};
	auto_(strv_release) struct strv users = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = name_platform(record, &extent.platform, err);
	if (r >= 0)
		r = count_content(store, record, &extent.content_bytes, err);
	if (r >= 0)
		r = image_record_users(store, record->id, &users, err);
	if (r < 0)
		return r;
	extent.disk_bytes = extent.content_bytes + record->size_bytes;
	extent.in_use = users.count > 0;
	*ret_extent = extent;
	extent = (struct image_extent){0};
	return 0;
}
