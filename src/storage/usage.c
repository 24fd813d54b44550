/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/usage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "storage/database_internal.h"
#include "storage/image_record.h"
#include "storage/store_internal.h"

/* Deeper directories are not counted: nothing of ours is. */
#define MAX_DEPTH 1024

#define BLOCK_BYTES 512
#define FIRST_SLOTS 256

/* ---- a tree ---- */

/* Inode numbers of files with several names that were counted; 0 is a free slot. */
struct inodes {
	ino_t *slots;
	size_t capacity, count;
};

static bool insert(struct inodes *set, ino_t inode)
{
	size_t at = (size_t)((uint64_t)inode * 0x9E3779B97F4A7C15U % set->capacity);

	while (set->slots[at] && set->slots[at] != inode)
		at = (at + 1) % set->capacity;
	if (set->slots[at])
		return false;
	set->slots[at] = inode;
	set->count++;
	return true;
}

/* True when it was not there. */
static bool inodes_add(struct inodes *set, ino_t inode)
{
	struct inodes larger = {.capacity = set->capacity ? 2 * set->capacity : FIRST_SLOTS};

	if (2 * set->count >= set->capacity) {
		larger.slots = xcalloc(larger.capacity, sizeof(larger.slots[0]));
		for (size_t i = 0; i < set->capacity; i++)
			if (set->slots[i])
				(void)insert(&larger, set->slots[i]);
		free(set->slots);
		*set = larger;
	}
	return insert(set, inode);
}

static uint64_t count(struct inodes *seen, int dir_fd, const char *name, unsigned int depth)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	uint64_t bytes;
	int fd;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !inodes_add(seen, st.st_ino))
		return 0;
	bytes = (uint64_t)st.st_blocks * BLOCK_BYTES;
	if (!S_ISDIR(st.st_mode) || depth >= MAX_DEPTH)
		return bytes;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		cleanup_close_fd(&fd);
	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			bytes += count(seen, dirfd(dir), entry->d_name, depth + 1);
	return bytes;
}

uint64_t usage_of_tree(int dir_fd, const char *name)
{
	struct inodes seen = {0};
	uint64_t bytes = count(&seen, dir_fd, name, 0);

	free(seen.slots);
	return bytes;
}

uint64_t usage_of_container(struct store *store, const char *id)
{
	auto_free char *path = xasprintf(CONTAINERS_DIR "/%s", id);

	return usage_of_tree(store->root_fd, path);
}

/* ---- the store ---- */

void usage_release(struct usage *usage)
{
	for (size_t i = 0; i < usage->image_count; i++)
		free(usage->images[i].id);
	for (size_t i = 0; i < usage->volume_count; i++)
		free(usage->volumes[i].name);
	free(usage->images);
	free(usage->volumes);
	*usage = (struct usage){0};
}

static int list_images(struct store *store, struct usage *usage, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(
		store->db, &stmt, err,
		"SELECT id, (SELECT count(*) FROM container AS c WHERE image = i.id OR EXISTS"
		" (SELECT 1 FROM container_image WHERE container = c.id AND image = i.id))"
		" FROM image AS i",
		"");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		usage->images = xreallocarray(usage->images, usage->image_count + 1,
					      sizeof(usage->images[0]));
		usage->images[usage->image_count++] = (struct usage_image){
			.id = db_text_copy(stmt, 0),
			.containers = (uint64_t)sqlite3_column_int64(stmt, 1),
		};
	}
	return r < 0 ? r : 0;
}

/* A layer or a blob, the images that have it, and what it costs: told to each of them. */
static void charge(struct usage *usage, const char *image_ids, uint64_t bytes)
{
	auto_(strv_release) struct strv ids = {0};
	bool used = false;

	strv_split(&ids, image_ids, ' ');
	for (size_t i = 0; i < usage->image_count; i++) {
		struct usage_image *image = &usage->images[i];

		if (!strv_has(&ids, image->id))
			continue;
		used = used || image->containers > 0;
		if (ids.count == 1)
			image->unique_bytes += bytes;
		else
			image->shared_bytes += bytes;
	}
	if (!used)
		usage->unused_image_bytes += bytes;
}

static char *layer_path(const char *chain_id)
{
	auto_free char *diff = layer_diff_path(chain_id);

	return xstrndup(diff, strlen(diff) - strlen("/diff"));
}

static int charge_all(struct store *store, const char *sql, char *(*path_of)(const char *digest),
		      struct usage *usage, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, sql, "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		auto_free char *path = path_of(db_text(stmt, 0));

		charge(usage, db_text(stmt, 1), usage_of_tree(store->root_fd, path));
	}
	return r < 0 ? r : 0;
}

static int list_volumes(struct store *store, struct usage *usage, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT name, (SELECT count(*) FROM container_volume WHERE volume = name)"
		       " FROM volume ORDER BY name",
		       "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		auto_free char *path = xasprintf(VOLUMES_DIR "/%s", db_text(stmt, 0));

		usage->volumes = xreallocarray(usage->volumes, usage->volume_count + 1,
					       sizeof(usage->volumes[0]));
		usage->volumes[usage->volume_count++] = (struct usage_volume){
			.name = db_text_copy(stmt, 0),
			.links = (uint64_t)sqlite3_column_int64(stmt, 1),
			.bytes = usage_of_tree(store->root_fd, path),
		};
	}
	return r < 0 ? r : 0;
}

/* What is in a directory of ours: itself belongs to the store. */
static uint64_t usage_below(struct store *store, const char *name)
{
	uint64_t all = usage_of_tree(store->root_fd, name);
	struct stat st;

	if (fstatat(store->root_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return all - (uint64_t)st.st_blocks * BLOCK_BYTES;
}

static void count_directories(struct store *store, struct usage *usage)
{
	uint64_t all = usage_of_tree(store->root_fd, "."), known;

	usage->images_bytes = usage_below(store, LAYERS_DIR) + usage_below(store, BLOBS_DIR) +
			      usage_below(store, PARTIAL_DIR);
	usage->containers_bytes = usage_below(store, CONTAINERS_DIR);
	usage->volumes_bytes = usage_below(store, VOLUMES_DIR);
	known = usage->images_bytes + usage->containers_bytes + usage->volumes_bytes;
	/* Somebody may have written in between. */
	usage->own_bytes = all > known ? all - known : 0;
}

int usage_read(struct store *store, struct usage *ret_usage, struct error *err)
{
	auto_(usage_release) struct usage usage = {0};
	int r;

	r = list_images(store, &usage, err);
	if (r >= 0)
		r = charge_all(store,
			       "SELECT layer, group_concat(image, ' ') FROM image_layer"
			       " GROUP BY layer",
			       layer_path, &usage, err);
	if (r >= 0)
		r = charge_all(
			store,
			"SELECT blob, group_concat(image, ' ') FROM image_blob GROUP BY blob",
			blob_path, &usage, err);
	if (r >= 0)
		r = list_volumes(store, &usage, err);
	if (r < 0)
		return r;
	count_directories(store, &usage);
	*ret_usage = usage;
	usage = (struct usage){0};
	return 0;
}

int usage_volumes_of_container(struct store *store, const char *id, uint64_t *ret_count,
			       struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT count(*) FROM container_volume WHERE container = ?", "t", id);
	if (r >= 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	*ret_count = (uint64_t)sqlite3_column_int64(stmt, 0);
	return 0;
}
