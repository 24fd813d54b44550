/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/audit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/lock.h"
#include "base/path.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

/* Faults told of one database; whoever has more has no database any more. */
#define MAX_FAULTS "100"

int audit_database(struct store *store, struct strv *ret_faults, struct error *err)
{
	int r;

	r = db_collect(store->db, ret_faults, err, "PRAGMA integrity_check(" MAX_FAULTS ")", "");
	if (r < 0)
		return r;
	if (ret_faults->count == 1 && strcmp(ret_faults->items[0], "ok") == 0)
		strv_remove(ret_faults, 0);
	return db_collect(
		store->db, ret_faults, err,
		"SELECT 'a row of ' || \"table\" || ' refers to what is not in ' || parent"
		" FROM pragma_foreign_key_check LIMIT " MAX_FAULTS,
		"");
}

/* ---- lists ---- */

void audit_layers_release(struct audit_layers *layers)
{
	for (size_t i = 0; i < layers->count; i++) {
		free(layers->items[i].chain_id);
		free(layers->items[i].diff_id);
		free(layers->items[i].blob);
	}
	free(layers->items);
	*layers = (struct audit_layers){0};
}

void audit_blobs_release(struct audit_blobs *blobs)
{
	for (size_t i = 0; i < blobs->count; i++)
		free(blobs->items[i].digest);
	free(blobs->items);
	*blobs = (struct audit_blobs){0};
}

int audit_layers_list(struct store *store, struct audit_layers *ret_layers, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(audit_layers_release) struct audit_layers layers = {0};
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT chain_id, diff_id, blob, size_bytes FROM layer", "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		layers.items =
			xreallocarray(layers.items, layers.count + 1, sizeof(layers.items[0]));
		layers.items[layers.count++] = (struct image_layer){
			.chain_id = db_text_copy(stmt, 0),
			.diff_id = db_text_copy(stmt, 1),
			.blob = db_text_copy(stmt, 2),
			.size_bytes = (uint64_t)sqlite3_column_int64(stmt, 3),
		};
	}
	if (r < 0)
		return r;
	*ret_layers = layers;
	layers = (struct audit_layers){0};
	return 0;
}

int audit_blobs_list(struct store *store, struct audit_blobs *ret_blobs, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(audit_blobs_release) struct audit_blobs blobs = {0};
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT digest, size_bytes FROM blob", "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		blobs.items = xreallocarray(blobs.items, blobs.count + 1, sizeof(blobs.items[0]));
		blobs.items[blobs.count++] = (struct image_blob){
			.digest = db_text_copy(stmt, 0),
			.size_bytes = (uint64_t)sqlite3_column_int64(stmt, 1),
		};
	}
	if (r < 0)
		return r;
	*ret_blobs = blobs;
	blobs = (struct audit_blobs){0};
	return 0;
}

int audit_layer_users(struct store *store, const char *chain_id, struct strv *ret_images,
		      struct error *err)
{
	return db_collect(
		store->db, ret_images, err,
		"SELECT DISTINCT coalesce((SELECT min(name) FROM tag WHERE image = u.image),"
		" u.image) FROM image_layer AS u WHERE layer = ? ORDER BY 1",
		"t", chain_id);
}

int audit_blob_users(struct store *store, const char *digest, struct strv *ret_images,
		     struct error *err)
{
	return db_collect(
		store->db, ret_images, err,
		"SELECT DISTINCT coalesce((SELECT min(name) FROM tag WHERE image = u.image),"
		" u.image) FROM image_blob AS u WHERE blob = ? ORDER BY 1",
		"t", digest);
}

int audit_layer_containers(struct store *store, const char *chain_id, struct strv *ret_ids,
			   struct error *err)
{
	return db_collect(store->db, ret_ids, err,
			  "SELECT id FROM container WHERE image IN"
			  " (SELECT image FROM image_layer WHERE layer = ?1) OR id IN"
			  " (SELECT container FROM container_image JOIN image_layer USING(image)"
			  "  WHERE layer = ?1)",
			  "t", chain_id);
}

/* ---- what nobody knows ---- */

static DIR *open_listing(struct store *store, const char *name)
{
	int fd = openat(store->root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		cleanup_close_fd(&fd);
	return dir;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_locked(int dir_fd, const char *name)
{
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && lock_fd(fd, /* wait= */ false) < 0;
}

/*
 * Names in `directory` for which `known` (a query with one parameter, "PREFIX" and the name) has no
 * row; `lockable`: directories that somebody holds are somebody's.
 */
struct kind {
	const char *directory, *prefix, *known;
	bool lockable;
};

static int list_strays_of(struct store *store, const struct kind *kind, struct strv *paths,
			  struct error *err)
{
	auto_closedir DIR *dir = open_listing(store, kind->directory);
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	struct dirent *entry;
	int r;

	r = db_prepare(store->db, &stmt, err, kind->known, "");
	while (r >= 0 && dir && (entry = readdir(dir))) {
		auto_free char *key = xasprintf("%s%s", kind->prefix, entry->d_name);

		/* First the lock: its holder may have made the record when he gives it back. */
		if (is_dot(entry->d_name) ||
		    (kind->lockable && is_locked(dirfd(dir), entry->d_name)))
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
		r = db_step(stmt, err);
		if (r == 0)
			strv_addf(paths, "%s/%s", kind->directory, entry->d_name);
		(void)sqlite3_clear_bindings(stmt);
	}
	return r < 0 ? r : 0;
}

/* What a store has at its top, and below oci/. */
static int list_foreign(struct store *store, struct strv *paths)
{
	static const char *const top[] = {
		STAGING_DIR,
		CONTAINERS_DIR,
		LAYERS_DIR,
		VOLUMES_DIR,
		OCI_DIR,
		"cache",
		"manifests", /* lists that are put together here: the engine's affair */
		DATABASE_NAME,
		DATABASE_NAME "-wal",
		DATABASE_NAME "-shm",
		DATABASE_NAME "-journal",
	};
	auto_closedir DIR *dir = open_listing(store, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		bool ours = is_dot(entry->d_name);

		for (size_t i = 0; i < ARRAY_SIZE(top); i++)
			ours = ours || strcmp(entry->d_name, top[i]) == 0;
		if (!ours)
			strv_add(paths, entry->d_name);
	}
	return 0;
}

int audit_strays(struct store *store, struct strv *ret_paths, bool *ret_busy, struct error *err)
{
	static const struct kind always[] = {
		{STAGING_DIR, "", "SELECT 1 WHERE ? IS NULL", true},
		{CONTAINERS_DIR, "", "SELECT 1 FROM container WHERE id = ?", true},
		{VOLUMES_DIR, "", "SELECT 1 FROM volume WHERE name = ?", false},
		{OCI_DIR, "", "SELECT 1 WHERE ? IN ('blobs', 'partial')", false},
		{OCI_DIR "/blobs", "", "SELECT 1 WHERE ? = 'sha256'", false},
	};
	static const struct kind of_images[] = {
		{LAYERS_DIR, "sha256:", "SELECT 1 FROM layer WHERE chain_id = ?", false},
		{BLOBS_DIR, "sha256:", "SELECT 1 FROM blob WHERE digest = ?", false},
	};
	auto_close int oci_fd = NO_FD;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(always); i++)
		r = list_strays_of(store, &always[i], ret_paths, err);
	if (r < 0)
		return r;
	/* A loader's layers have their names a moment before they have records. */
	oci_fd = openat(store->root_fd, OCI_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (oci_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s/" OCI_DIR "'", store->root);
	*ret_busy = lock_fd(oci_fd, /* wait= */ false) < 0;
	for (size_t i = 0; r >= 0 && !*ret_busy && i < ARRAY_SIZE(of_images); i++)
		r = list_strays_of(store, &of_images[i], ret_paths, err);
	return r < 0 ? r : list_foreign(store, ret_paths);
}

static void keep_missing(struct store *store, const char *directory, const struct strv *names,
			 struct strv *missing)
{
	for (size_t i = 0; i < names->count; i++) {
		auto_free char *path = xasprintf("%s/%s", directory, names->items[i]);
		struct stat st;

		if (fstatat(store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			strv_add(missing, names->items[i]);
	}
}

int audit_lost_directories(struct store *store, struct strv *ret_containers,
			   struct strv *ret_volumes, struct error *err)
{
	auto_(strv_release) struct strv containers = {0}, volumes = {0};
	int r;

	r = db_collect(store->db, &containers, err, "SELECT id FROM container", "");
	if (r >= 0)
		r = db_collect(store->db, &volumes, err, "SELECT name FROM volume", "");
	if (r < 0)
		return r;
	keep_missing(store, CONTAINERS_DIR, &containers, ret_containers);
	keep_missing(store, VOLUMES_DIR, &volumes, ret_volumes);
	return 0;
}

/* ---- setting right ---- */

/* What was there, of whatever kind, is in the new one's place afterwards. */
static int replace(struct store *store, int dir_fd, const char *path, const char *to,
		   struct error *err)
{
	if (renameat2(dir_fd, path, store->root_fd, to, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno == ENOENT && renameat(dir_fd, path, store->root_fd, to) == 0)
		return 0;
	return err_set(err, ERR_SYSTEM, errno, "move a file to '%s/%s'", store->root, to);
}

int layer_replace(struct store *store, int dir_fd, const char *path, const char *chain_id,
		  struct error *err)
{
	auto_free char *diff = layer_diff_path(chain_id);
	auto_free char *to = xstrndup(diff, strlen(diff) - strlen("/diff"));

	return replace(store, dir_fd, path, to, err);
}

int blob_replace(struct store *store, int dir_fd, const char *path, const char *digest,
		 struct error *err)
{
	auto_free char *to = blob_path(digest);

	return replace(store, dir_fd, path, to, err);
}

static int move_blobs(struct store *store, const struct strv *digests, int staging_fd,
		      struct error *err)
{
	for (size_t i = 0; i < digests->count; i++) {
		auto_free char *path = blob_path(digests->items[i]);

		if (renameat(store->root_fd, path, staging_fd, path_basename(path)) < 0 &&
		    errno != ENOENT)
			return err_set(err, ERR_SYSTEM, errno, "remove '%s/%s'", store->root, path);
	}
	return 0;
}

int blobs_discard(struct store *store, const struct strv *digests, struct error *err)
{
	auto_free char *staging = NULL;
	auto_close int staging_fd = NO_FD, oci_fd = NO_FD;
	int r;

	r = store_staging_new(store, &staging, &staging_fd, err);
	if (r < 0)
		return r;
	oci_fd = openat(store->root_fd, OCI_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (oci_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s/" OCI_DIR "'", store->root);
	r = lock_fd(oci_fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock '%s/" OCI_DIR "'", store->root);
	r = move_blobs(store, digests, staging_fd, err);
	cleanup_close_fd(&oci_fd);
	(void)path_remove_tree(store->root_fd, staging);
	return r;
}
