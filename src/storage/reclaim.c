/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing files that no record speaks of.
 *
 * Three kinds, three proofs that nobody is about to need them:
 *
 * - staging/X and containers/ID: their makers hold an flock on the directory from its birth until
 *   it is done with, or until the record exists. Whoever gets the lock looks for the record, then
 *   removes while holding it.
 * - layers/X and blobs: these are complete from the moment they have their name. Loaders hold a
 *   shared lock on oci/ from before their first look at what is there until their record is
 *   committed; files move out (into staging/) only under the exclusive lock, which is tried, never
 *   waited for. A loader sweeps at its own end what others had to leave because of it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/random.h"
#include "storage/database_internal.h"
#include "storage/kept.h"
#include "storage/partial_blob.h"
#include "storage/secret_record.h"
#include "storage/store_internal.h"
#include "storage/usage.h"

#define NS_PER_S INT64_C(1000000000)

static DIR *open_listing(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		(void)close(fd);
	return dir;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void remove_counted(int dir_fd, const char *name, uint64_t *bytes)
{
	uint64_t size = usage_of_tree(dir_fd, name);
	int r = path_remove_tree(dir_fd, name);

	if (r < 0)
		log_debug("storage", "ignoring that '%s' could not be removed: %s", name,
			  errno_text(-r));
	else
		*bytes += size;
}

/* ---- layers and blobs ---- */

/* Moves each entry of `directory` for which `known` has no row into the staging directory. */
static int move_orphans(struct store *store, const char *directory, const char *known,
			int staging_fd, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_closedir DIR *dir = open_listing(store->root_fd, directory);
	struct dirent *entry;
	int r;

	r = db_prepare(store->db, &stmt, err, known, "");
	while (r >= 0 && dir && (entry = readdir(dir))) {
		auto_free char *digest = xasprintf("sha256:%s", entry->d_name);

		if (is_dot(entry->d_name))
			continue;
		(void)sqlite3_reset(stmt);
		(void)sqlite3_bind_text(stmt, 1, digest, -1, SQLITE_STATIC);
		r = db_step(stmt, err);
		if (r == 0 && renameat(dirfd(dir), entry->d_name, staging_fd, entry->d_name) < 0 &&
		    errno != ENOENT)
			log_debug("storage", "ignoring that '%s' could not be moved: %s",
				  entry->d_name, errno_text(errno));
		(void)sqlite3_clear_bindings(stmt);
	}
	return r < 0 ? r : 0;
}

/* A layer's directory and a blob may have the same digest: each kind has its own place. */
static const struct {
	const char *directory, *known, *into;
} kinds[] = {
	{LAYERS_DIR, "SELECT 1 FROM layer WHERE chain_id = ?", "layers"},
	{BLOBS_DIR, "SELECT 1 FROM blob WHERE digest = ?", "blobs"},
};

static int make_places(int staging_fd, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (mkdirat(staging_fd, kinds[i].into, 0700) < 0)
			return err_set(err, ERR_SYSTEM, errno, "create a staging directory");
	return 0;
}

static int move_all_orphans(struct store *store, int staging_fd, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(kinds); i++) {
		auto_close int into_fd = NO_FD;

		into_fd = openat(staging_fd, kinds[i].into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (into_fd < 0)
			return err_set(err, ERR_SYSTEM, errno, "open a staging directory");
		r = move_orphans(store, kinds[i].directory, kinds[i].known, into_fd, err);
	}
	return r;
}

static int open_and_lock(struct store *store, const char *name, bool wait, struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(store->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s/%s'", store->root, name);
	r = lock_fd(fd, wait);
	if (r == -EWOULDBLOCK)
		return r;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock '%s/%s'", store->root, name);
	return TAKE_FD(fd);
}

int store_reclaim(struct store *store, uint64_t *ret_bytes, struct error *err)
{
	auto_free char *staging = NULL;
	auto_close int staging_fd = NO_FD, turn_fd = NO_FD, exclusive_fd = NO_FD;
	uint64_t bytes = 0, own_bytes;
	int r;

	*ret_bytes = 0;
	/* One after the other: each sees what the one before it made unneeded. Held for renames. */
	turn_fd = open_and_lock(store, LAYERS_DIR, /* wait= */ true, err);
	if (turn_fd < 0)
		return turn_fd;
	exclusive_fd = open_and_lock(store, OCI_DIR, /* wait= */ false, err);
	if (exclusive_fd == -EWOULDBLOCK)
		return 0;
	if (exclusive_fd < 0)
		return exclusive_fd;
	r = store_staging_new(store, &staging, &staging_fd, err);
	if (r < 0)
		return r;
	r = make_places(staging_fd, err);
	own_bytes = usage_of_tree(store->root_fd, staging);
	if (r >= 0)
		r = move_all_orphans(store, staging_fd, err);
	cleanup_close_fd(&exclusive_fd);
	cleanup_close_fd(&turn_fd);
	remove_counted(store->root_fd, staging, &bytes);
	/* Our own directories were not there before. */
	*ret_bytes = bytes > own_bytes ? bytes - own_bytes : 0;
	return r;
}

/* ---- staging and container directories ---- */

static bool container_is_known(struct store *store, const char *id)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(error_release) struct error ignored = {0};
	int r;

	r = db_prepare(store->db, &stmt, &ignored, "SELECT 1 FROM container WHERE id = ?", "t", id);
	if (r >= 0)
		r = db_step(stmt, &ignored);
	/* When in doubt it is known. */
	return r != 0;
}

static bool always_unknown(struct store *store, const char *name)
{
	(void)store;
	(void)name;
	return false;
}

static void sweep_directory(struct store *store, const char *directory,
			    bool (*is_known)(struct store *store, const char *name),
			    uint64_t *bytes)
{
	auto_closedir DIR *dir = open_listing(store->root_fd, directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		auto_close int fd = NO_FD;

		if (is_dot(entry->d_name))
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && lock_fd(fd, /* wait= */ false) < 0)
			continue;
		if (!is_known(store, entry->d_name))
			remove_counted(dirfd(dir), entry->d_name, bytes);
	}
}

int store_sweep(struct store *store, uint64_t *ret_bytes, struct error *err)
{
	uint64_t bytes = 0, reclaimed;
	int r;

	sweep_directory(store, STAGING_DIR, always_unknown, &bytes);
	sweep_directory(store, CONTAINERS_DIR, container_is_known, &bytes);
	partial_blobs_remove(store, clock_now_ns() / NS_PER_S - PARTIAL_BLOB_KEEP_S, &bytes);
	r = secret_record_sweep(store, err);
	if (r >= 0)
		r = kept_forget(store, /* all= */ false, err);
	if (r >= 0)
		r = store_reclaim(store, &reclaimed, err);
	if (r < 0)
		return r;
	*ret_bytes = bytes + reclaimed;
	return 0;
}
