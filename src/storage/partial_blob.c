/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/partial_blob.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "storage/image_record.h"
#include "storage/store_internal.h"

#define NS_PER_S INT64_C(1000000000)

void partial_blob_close(struct partial_blob *blob)
{
	cleanup_close_fd(&blob->fd);
	free(blob->path);
	*blob = PARTIAL_BLOB_EMPTY;
}

static int failed(const struct store *store, const char *what, const char *path, struct error *err)
{
	return err_set(err, ERR_SYSTEM, errno, "%s '%s/%s'", what, store->root, path);
}

static int open_file(struct store *store, const char *path, int flags)
{
	return openat(store->root_fd, path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int partial_blob_open(struct store *store, const char *digest, struct partial_blob *ret_blob,
		      struct error *err)
{
	auto_(partial_blob_close) struct partial_blob blob = PARTIAL_BLOB_EMPTY;

	blob.path = xasprintf(PARTIAL_DIR "/%s", digest + strlen("sha256:"));
	blob.fd = open_file(store, blob.path, O_RDONLY | O_CREAT);
	if (blob.fd < 0 && errno == ENOENT) {
		/* The directory is made with the first of them: older stores have none. */
		if (mkdirat(store->root_fd, PARTIAL_DIR, 0700) < 0 && errno != EEXIST)
			return failed(store, "create", PARTIAL_DIR, err);
		blob.fd = open_file(store, blob.path, O_RDONLY | O_CREAT);
	}
	if (blob.fd < 0)
		return failed(store, "open", blob.path, err);
	*ret_blob = blob;
	blob = PARTIAL_BLOB_EMPTY;
	return 0;
}

/* Whoever had the lock may have removed the file, or given it its name among the blobs. */
static bool is_current(struct store *store, const struct partial_blob *blob)
{
	struct stat ours, there;

	return fstat(blob->fd, &ours) == 0 &&
	       fstatat(store->root_fd, blob->path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int partial_blob_lock(struct store *store, struct partial_blob *blob, struct error *err)
{
	int r = lock_fd(blob->fd, /* wait= */ false);

	if (r == -EWOULDBLOCK)
		return 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock '%s/%s'", store->root, blob->path);
	if (!is_current(store, blob))
		return -ESTALE;
	return 1;
}

int partial_blob_open_append(struct store *store, const struct partial_blob *blob,
			     struct error *err)
{
	int fd = open_file(store, blob->path, O_WRONLY | O_APPEND);

	return fd < 0 ? failed(store, "open", blob->path, err) : fd;
}

int partial_blob_size(const struct partial_blob *blob, uint64_t *ret_bytes, struct error *err)
{
	struct stat st;

	if (fstat(blob->fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at '%s'", blob->path);
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

int partial_blob_place(struct store *store, struct partial_blob *blob, const char *digest,
		       struct error *err)
{
	int r = blob_place(store, store->root_fd, blob->path, digest, err);

	if (r < 0)
		return r;
	/* It was there already: ours is not needed. */
	return partial_blob_discard(store, blob, err);
}

int partial_blob_discard(struct store *store, struct partial_blob *blob, struct error *err)
{
	if (unlinkat(store->root_fd, blob->path, 0) < 0 && errno != ENOENT)
		return failed(store, "remove", blob->path, err);
	return 0;
}

/* ---- sweeping ---- */

static void remove_one(int dir_fd, const char *name, int64_t before_s, uint64_t *bytes)
{
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int64_t future_s = clock_now_ns() / NS_PER_S + PARTIAL_BLOB_KEEP_S;
	struct stat st;

	if (fd < 0 || lock_fd(fd, /* wait= */ false) < 0 || fstat(fd, &st) < 0)
		return;
	if (st.st_mtim.tv_sec >= before_s && st.st_mtim.tv_sec <= future_s)
		return;
	if (unlinkat(dir_fd, name, 0) < 0)
		log_debug("storage", "ignoring that '%s' could not be removed: %s", name,
			  errno_text(errno));
	else
		*bytes += (uint64_t)st.st_blocks * 512;
}

void partial_blobs_remove(struct store *store, int64_t before_s, uint64_t *bytes)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	int fd;

	fd = openat(store->root_fd, PARTIAL_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir)
		(void)close(fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			remove_one(dirfd(dir), entry->d_name, before_s, bytes);
}
