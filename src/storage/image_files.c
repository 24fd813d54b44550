/* SPDX-License-Identifier: Apache-2.0 */
/* The files of images: layers/HEX/ and oci/blobs/sha256/HEX. */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/lock.h"
#include "base/sha256.h"
#include "storage/database_internal.h"
#include "storage/image_record.h"
#include "storage/store_internal.h"
#include "storage/usage.h"

static const char *hex_of(const char *digest)
{
	assert(digest_is_valid(digest));
	return digest + strlen("sha256:");
}

char *layer_diff_path(const char *chain_id)
{
	return xasprintf(LAYERS_DIR "/%s/diff", hex_of(chain_id));
}

char *blob_path(const char *digest)
{
	return xasprintf(BLOBS_DIR "/%s", hex_of(digest));
}

int image_store_begin(struct store *store, int *ret_fd, struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(store->root_fd, OCI_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s/" OCI_DIR "'", store->root);
	r = lock_fd_shared(fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock '%s/" OCI_DIR "'", store->root);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int look_at(struct store *store, const char *path, struct stat *ret_st, struct error *err)
{
	if (fstatat(store->root_fd, path, ret_st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return err_set(err, ERR_SYSTEM, errno, "look at '%s/%s'", store->root, path);
}

int layer_is_stored(struct store *store, const char *chain_id, struct error *err)
{
	auto_free char *path = layer_diff_path(chain_id);
	struct stat st;

	return look_at(store, path, &st, err);
}

int blob_is_stored(struct store *store, const char *digest, uint64_t size_bytes, struct error *err)
{
	auto_free char *path = blob_path(digest);
	struct stat st;
	int r;

	r = look_at(store, path, &st, err);
	if (r > 0 && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size_bytes))
		return err_set(err, ERR_INVALID, EBADMSG,
			       "blob %s is %lld bytes long in the store, not %llu; 'skiff system "
			       "fsck --repair' takes it away",
			       digest, (long long)st.st_size, (unsigned long long)size_bytes);
	return r;
}

int image_files_are_stored(struct store *store, const struct image_record *record,
			   struct error *err)
{
	auto_(strv_release) struct strv digests = {0};
	struct stat st;
	int r;

	r = db_collect(store->db, &digests, err, "SELECT blob FROM image_blob WHERE image = ?", "t",
		       record->id);
	for (size_t i = 0; r >= 0 && i < digests.count; i++) {
		auto_free char *path = blob_path(digests.items[i]);

		r = look_at(store, path, &st, err);
		if (r == 0)
			return 0;
	}
	for (size_t i = 0; r >= 0 && i < record->chain_ids.count; i++) {
		r = layer_is_stored(store, record->chain_ids.items[i], err);
		if (r == 0)
			return 0;
	}
	return r < 0 ? r : 1;
}

int layer_describe(struct store *store, const char *chain_id, uint64_t *ret_size_bytes,
		   char **ret_blob, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_free char *path = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT size_bytes, blob FROM layer WHERE chain_id = ?", "t", chain_id);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r > 0) {
		*ret_size_bytes = (uint64_t)sqlite3_column_int64(stmt, 0);
		*ret_blob = db_text_copy(stmt, 1);
		return 0;
	}
	/* Placed by somebody who has not recorded it yet. */
	path = layer_diff_path(chain_id);
	*ret_size_bytes = usage_of_tree(store->root_fd, path);
	*ret_blob = NULL;
	return 0;
}

static int place(struct store *store, int dir_fd, const char *from, const char *to,
		 struct error *err)
{
	if (renameat2(dir_fd, from, store->root_fd, to, RENAME_NOREPLACE) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_SYSTEM, errno, "move a file to '%s/%s'", store->root, to);
}

int layer_place(struct store *store, int dir_fd, const char *path, const char *chain_id,
		struct error *err)
{
	auto_free char *to = xasprintf(LAYERS_DIR "/%s", hex_of(chain_id));

	return place(store, dir_fd, path, to, err);
}

int blob_place(struct store *store, int dir_fd, const char *path, const char *digest,
	       struct error *err)
{
	auto_free char *to = blob_path(digest);

	return place(store, dir_fd, path, to, err);
}
