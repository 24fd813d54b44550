/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/random.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

#define NAME_MAX_LEN 200

static bool name_is_valid(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name);

	if (len < 2 || len > NAME_MAX_LEN || !strchr(alnum, name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!strchr(alnum, name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}

char *volume_data_path(const char *name)
{
	return xasprintf(VOLUMES_DIR "/%s/_data", name);
}

static int make_directory(struct store *store, const char *path, mode_t mode, struct error *err)
{
	if (mkdirat(store->root_fd, path, mode) < 0 && errno != EEXIST)
		return err_set(err, ERR_SYSTEM, errno, "create '%s/%s'", store->root, path);
	return 0;
}

/* Inside the transaction: a removal of the same volume is before us or after us. */
static int make_volume(struct store *store, const char *name, bool anonymous, bool *ret_created,
		       struct error *err)
{
	auto_free char *directory = xasprintf(VOLUMES_DIR "/%s", name);
	auto_free char *data = volume_data_path(name);
	int r;

	r = db_run(store->db, err, "INSERT OR IGNORE INTO volume VALUES(?, ?, ?)", "tii", name,
		   (int64_t)anonymous, clock_now_ns());
	if (r < 0)
		return r;
	*ret_created = sqlite3_changes(store->db) > 0;
	r = make_directory(store, directory, 0700, err);
	if (r < 0)
		return r;
	return make_directory(store, data, 0755, err);
}

int volume_ensure(struct store *store, const char *name, char **ret_name, bool *ret_created,
		  struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	char random_name[HEX_ID_LEN + 1];
	bool anonymous = !name, created;
	int r;

	if (anonymous) {
		random_hex_id(random_name);
		name = random_name;
	} else if (!name_is_valid(name)) {
		return err_set(err, ERR_INVALID, 0,
			       "volume name '%s' is not valid: only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
			       "allowed, 2 to %d of them; use an absolute path for a directory of "
			       "the host",
			       name, NAME_MAX_LEN);
	}
	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = make_volume(store, name, anonymous, &created, err);
	if (r < 0)
		return r;
	r = db_commit(&transaction, err);
	if (r < 0)
		return r;
	*ret_name = xstrdup(name);
	*ret_created = created;
	return 0;
}

static int forget_volume(struct store *store, const char *name, struct error *err)
{
	int r;

	r = db_run(store->db, err, "DELETE FROM volume WHERE name = ?", "t", name);
	if (r < 0 && db_failed_foreign_key(store->db))
		return err_set(err, ERR_CONFLICT, 0, "volume '%s' is in use", name);
	if (r < 0)
		return r;
	if (sqlite3_changes(store->db) == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such volume: %s", name);
	return 0;
}

/*
 * The directory moves away inside the transaction, so that a volume of the same name made a moment
 * later has its own. Killed before the commit, an empty volume remains where a full one was to go.
 */
int volume_remove(struct store *store, const char *name, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	auto_free char *staging = NULL, *directory = NULL, *doomed = NULL;
	auto_close int staging_fd = NO_FD;
	int r;

	if (!name_is_valid(name))
		return err_set(err, ERR_NOT_FOUND, 0, "No such volume: %s", name);
	r = store_staging_new(store, &staging, &staging_fd, err);
	if (r < 0)
		return r;
	directory = xasprintf(VOLUMES_DIR "/%s", name);
	doomed = xasprintf("%s/volume", staging);
	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = forget_volume(store, name, err);
	if (r >= 0 && renameat(store->root_fd, directory, store->root_fd, doomed) < 0 &&
	    errno != ENOENT)
		r = err_set(err, ERR_SYSTEM, errno, "remove volume '%s'", name);
	if (r >= 0) {
		r = db_commit(&transaction, err);
		if (r < 0)
			(void)renameat(store->root_fd, doomed, store->root_fd, directory);
	}
	/* Whatever happened, the staging directory goes; what it fails to is swept later. */
	(void)path_remove_tree(store->root_fd, staging);
	return r;
}
