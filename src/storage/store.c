/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/random.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

int store_make_directories(struct store *store, struct error *err)
{
	static const char *const names[] = {
		STAGING_DIR, CONTAINERS_DIR, LAYERS_DIR, VOLUMES_DIR,
		OCI_DIR,     "oci/blobs",    BLOBS_DIR,
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(store->root_fd, names[i], 0700) < 0 && errno != EEXIST)
			return err_set(err, ERR_SYSTEM, errno, "create '%s/%s'", store->root,
				       names[i]);
	return 0;
}

static int make_root(const char *root, struct error *err)
{
	int r = path_mkdir_private(root);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "create the store '%s'", root) : 0;
}

/* Nobody else may read layers (setuid files) or change anything below. */
static int check_root(const char *root, int fd, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at the store '%s'", root);
	if (st.st_uid != geteuid())
		return err_set(err, ERR_DENIED, 0, "the store '%s' belongs to user %u, not to us",
			       root, st.st_uid);
	if (st.st_mode & 0022)
		return err_set(err, ERR_DENIED, 0, "the store '%s' is writable by others (mode %o)",
			       root, st.st_mode & 07777);
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make the store '%s' private", root);
	return 0;
}

static int open_root(const char *root, struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		r = make_root(root, err);
		if (r < 0)
			return r;
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the store '%s'", root);
	r = check_root(root, fd, err);
	if (r < 0)
		return r;
	return TAKE_FD(fd);
}

int store_open(const char *root, struct store **ret_store, struct error *err)
{
	auto_(store_close) struct store *store = NULL;
	int r;

	if (root[0] != '/')
		return err_set(err, ERR_INVALID, 0, "the store '%s' must be an absolute path",
			       root);
	store = xcalloc(1, sizeof(*store));
	store->root = xstrdup(root);
	store->root_fd = NO_FD;
	store->write_lock_fd = NO_FD;
	store->root_fd = open_root(root, err);
	if (store->root_fd < 0)
		return store->root_fd;
	r = db_open(store, &store->db, err);
	if (r < 0)
		return err_wrap(err, r, "open the store '%s'", root);
	*ret_store = TAKE_PTR(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->db)
		(void)sqlite3_close(store->db);
	cleanup_close_fd(&store->write_lock_fd);
	cleanup_close_fd(&store->root_fd);
	free(store->root);
	free(store);
}

int store_root_fd(const struct store *store)
{
	return store->root_fd;
}

const char *store_root_path(const struct store *store)
{
	return store->root;
}

/*
 * A descriptor of its own, never passed on: a copy of root_fd in a monitor would keep the lock of
 * a command that was killed.
 */
int store_write_lock(struct store *store, struct error *err)
{
	int r;

	if (store->write_lock_fd < 0) {
		store->write_lock_fd =
			openat(store->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (store->write_lock_fd < 0)
			return err_set(err, ERR_SYSTEM, errno, "open the store '%s'", store->root);
	}
	r = lock_fd(store->write_lock_fd, /* wait= */ true);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "lock the store '%s'", store->root) : 0;
}

void store_write_unlock(struct store *store)
{
	(void)lock_release(store->write_lock_fd);
}

int store_locked_dir_new(struct store *store, const char *name, int *ret_fd, struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;
	int r;

	/* A sweep may take the directory between its birth and its lock: then it is made again. */
	for (;;) {
		if (mkdirat(store->root_fd, name, 0700) < 0)
			return err_set(err, ERR_SYSTEM, errno, "create '%s/%s'", store->root, name);
		cleanup_close_fd(&fd);
		fd = openat(store->root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_set(err, ERR_SYSTEM, errno, "open '%s/%s'", store->root, name);
		r = lock_fd(fd, /* wait= */ true);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "lock '%s/%s'", store->root, name);
		if (fstat(fd, &st) < 0)
			return err_set(err, ERR_SYSTEM, errno, "look at '%s/%s'", store->root,
				       name);
		if (st.st_nlink > 0)
			break;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int store_staging_new(struct store *store, char **ret_name, int *ret_fd, struct error *err)
{
	auto_free char *name = NULL;
	uint8_t bytes[8];
	char digits[2 * sizeof(bytes) + 1];
	int r;

	random_bytes(bytes, sizeof(bytes));
	hex_format(bytes, sizeof(bytes), digits);
	name = xasprintf(STAGING_DIR "/%s", digits);
	r = store_locked_dir_new(store, name, ret_fd, err);
	if (r < 0)
		return r;
	*ret_name = TAKE_PTR(name);
	return 0;
}
