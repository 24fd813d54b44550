/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "base/random.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"
#include "storage/usage.h"

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

/* A JSON array; NULL for an empty list. */
static char *list_text(const struct strv *list)
{
	auto_(json_decref) json_t *array = list && list->count ? json_from_strv(list) : NULL;

	return array ? json_text(array) : NULL;
}

/* Inside the transaction: a removal of the same volume is before us or after us. */
static int make_volume(struct store *store, const char *name, bool anonymous,
		       const struct volume_new *new_volume, bool *ret_created, struct error *err)
{
	auto_free char *labels = list_text(new_volume->labels);
	auto_free char *options = list_text(new_volume->options);
	auto_free char *directory = xasprintf(VOLUMES_DIR "/%s", name);
	auto_free char *data = volume_data_path(name);
	int r;

	r = db_run(store->db, err,
		   "INSERT OR IGNORE INTO volume(name, anonymous, created_ns, labels, options)"
		   " VALUES(?, ?, ?, ?, ?)",
		   "tiitt", name, (int64_t)anonymous, clock_now_ns(), labels, options);
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
	return volume_create(store, &(struct volume_new){.name = name}, ret_name, ret_created, err);
}

int volume_create(struct store *store, const struct volume_new *new_volume, char **ret_name,
		  bool *ret_created, struct error *err)
{
	const char *name = new_volume->name;
	auto_(db_rollback) struct db_transaction transaction = {0};
	char random_name[HEX_ID_LEN + 1];
	bool anonymous = !name, created = false;
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
	r = make_volume(store, name, anonymous, new_volume, &created, err);
	if (r < 0)
		return r;
	r = db_commit(&transaction, err);
	if (r < 0)
		return r;
	*ret_name = xstrdup(name);
	*ret_created = created;
	return 0;
}

/* Docker names the containers. */
static int in_use(struct store *store, const char *name, struct error *err)
{
	auto_(strv_release) struct strv ids = {0};
	auto_free char *text = NULL;
	int r;

	r = db_collect(store->db, &ids, err,
		       "SELECT container FROM container_volume WHERE volume = ?", "t", name);
	if (r < 0)
		return r;
	text = strv_join(&ids, ", ");
	return err_set(err, ERR_CONFLICT, 0, "remove %s: volume is in use - [%s]", name, text);
}

static int forget_volume(struct store *store, const char *name, struct error *err)
{
	int r;

	r = db_run(store->db, err, "DELETE FROM volume WHERE name = ?", "t", name);
	if (r < 0 && db_failed_foreign_key(store->db))
		return in_use(store, name, err);
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

/* ---- looking ---- */

#define COLUMNS                                                                                    \
	"name, anonymous, created_ns, labels,"                                                     \
	" (SELECT count(*) FROM container_volume WHERE volume = name), options"

void volume_record_release(struct volume_record *record)
{
	free(record->name);
	strv_release(&record->labels);
	strv_release(&record->options);
	*record = (struct volume_record){0};
}

void volume_records_release(struct volume_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		volume_record_release(&records->items[i]);
	free(records->items);
	*records = (struct volume_records){0};
}

/* A column with a JSON array, or NULL. */
static int read_list(sqlite3_stmt *stmt, int column, struct strv *ret_list, struct error *err)
{
	auto_(json_decref) json_t *holder = json_object();
	const char *text = db_text(stmt, column);
	json_t *list;
	int r;

	if (!*text)
		return 0;
	r = json_parse(text, strlen(text), "record of a volume", &list, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(holder, "list", list);
	json_get_strv(holder, "list", ret_list);
	return 0;
}

static int read_row(sqlite3_stmt *stmt, struct volume_record *record, struct error *err)
{
	int r;

	*record = (struct volume_record){
		.name = db_text_copy(stmt, 0),
		.anonymous = sqlite3_column_int(stmt, 1) != 0,
		.created_ns = sqlite3_column_int64(stmt, 2),
		.user_count = (uint64_t)sqlite3_column_int64(stmt, 4),
	};
	r = read_list(stmt, 3, &record->labels, err);
	return r < 0 ? r : read_list(stmt, 5, &record->options, err);
}

int volume_list(struct store *store, struct volume_records *ret_records, struct error *err)
{
	auto_(volume_records_release) struct volume_records records = {0};
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT " COLUMNS " FROM volume ORDER BY name", "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		records.items =
			xreallocarray(records.items, records.count + 1, sizeof(*records.items));
		r = read_row(stmt, &records.items[records.count++], err);
	}
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct volume_records){0};
	return 0;
}

int volume_find(struct store *store, const char *name, struct volume_record *ret_record,
		struct error *err)
{
	auto_(volume_record_release) struct volume_record record = {0};
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT " COLUMNS " FROM volume WHERE name = ?", "t",
		       name);
	if (r >= 0)
		r = db_step(stmt, err);
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "get %s: no such volume", name);
	if (r > 0)
		r = read_row(stmt, &record, err);
	if (r < 0)
		return r;
	*ret_record = record;
	record = (struct volume_record){0};
	return 0;
}

uint64_t volume_bytes(struct store *store, const char *name)
{
	auto_free char *path = volume_data_path(name);

	return usage_of_tree(store->root_fd, path);
}
