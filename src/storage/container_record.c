/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/container_record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/strbuf.h"
#include "storage/database_internal.h"
#include "storage/id_range_internal.h"
#include "storage/network_internal.h"
#include "storage/store_internal.h"

#define COLUMNS "id, name, image, image_ref, command, created_ns, config"

/* Candidates of an ambiguous prefix that are named in the message. */
#define MAX_CANDIDATES 8

#define SHORT_ID_LEN 12

void container_record_release(struct container_record *record)
{
	free(record->id);
	free(record->name);
	free(record->image_id);
	free(record->image_ref);
	free(record->command);
	free(record->config);
	*record = (struct container_record){0};
}

void container_records_release(struct container_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		container_record_release(&records->items[i]);
	free(records->items);
	*records = (struct container_records){0};
}

static void read_row(sqlite3_stmt *stmt, struct container_record *ret_record)
{
	*ret_record = (struct container_record){
		.id = db_text_copy(stmt, 0),
		.name = db_text_copy(stmt, 1),
		.image_id = db_text_copy(stmt, 2),
		.image_ref = db_text_copy(stmt, 3),
		.command = db_text_copy(stmt, 4),
		.created_ns = sqlite3_column_int64(stmt, 5),
		.config = db_text_copy(stmt, 6),
	};
}

static int name_taken(struct store *store, const char *name, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT id FROM container WHERE name = ?", "t", name);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_CONFLICT, 0, "the container's id is already in use");
	return err_set(err, ERR_CONFLICT, 0,
		       "Conflict. The container name \"/%s\" is already in use by container "
		       "\"%s\". You have to remove (or rename) that container to be able to reuse "
		       "that name.",
		       name, db_text(stmt, 0));
}

static int insert_row(struct store *store, const struct container_record *record, struct error *err)
{
	int r;

	r = db_run(store->db, err, "INSERT INTO container(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?)",
		   "tttttit", record->id, record->name, record->image_id, record->image_ref,
		   record->command, record->created_ns, record->config);
	if (r >= 0)
		return 0;
	if (db_failed_unique(store->db))
		return name_taken(store, record->name, err);
	if (db_failed_foreign_key(store->db))
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s",
			       record->image_ref ? record->image_ref : record->image_id);
	return r;
}

/* Removed since it was looked up: as if it had never been there. */
static int insert_mounted_image(struct store *store, const char *id, const char *image,
				struct error *err)
{
	int r = db_run(store->db, err, "INSERT OR IGNORE INTO container_image VALUES(?, ?)", "tt",
		       id, image);

	if (r < 0 && db_failed_foreign_key(store->db))
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", image);
	return r;
}

int container_record_insert(struct store *store, const struct container_record *record,
			    const struct strv *volumes, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = insert_row(store, record, err);
	for (size_t i = 0; r >= 0 && volumes && i < volumes->count; i++) {
		r = db_run(store->db, err, "INSERT OR IGNORE INTO container_volume VALUES(?, ?)",
			   "tt", record->id, volumes->items[i]);
		if (r < 0 && db_failed_foreign_key(store->db))
			return err_set(err, ERR_NOT_FOUND, 0, "No such volume: %s",
				       volumes->items[i]);
	}
	for (size_t i = 0; r >= 0 && record->mounted_images && i < record->mounted_images->count;
	     i++)
		r = insert_mounted_image(store, record->id, record->mounted_images->items[i], err);
	for (size_t i = 0; r >= 0 && i < record->endpoint_count; i++)
		r = endpoint_insert_row(store, record->id, &record->endpoints[i], err);
	if (r >= 0 && record->ids)
		r = id_range_insert_rows(store, record->id, record->ids, err);
	if (r < 0)
		return r;
	return db_commit(&transaction, err);
}

static int find_by_name(struct store *store, const char *name, struct container_record *ret_record,
			struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT " COLUMNS " FROM container WHERE name = ?",
		       "t", name);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r > 0)
		read_row(stmt, ret_record);
	return r;
}

static int ambiguous(sqlite3_stmt *stmt, const char *prefix, const struct container_record *first,
		     struct error *err)
{
	auto_(strbuf_release) struct strbuf names = {0};
	size_t count = 1;
	int r = 1;

	strbuf_addf(&names, "%.*s (%s)", SHORT_ID_LEN, first->id, first->name);
	for (; r > 0 && count < MAX_CANDIDATES; count++) {
		strbuf_addf(&names, ", %.*s (%s)", SHORT_ID_LEN, db_text(stmt, 0),
			    db_text(stmt, 1));
		r = db_step(stmt, err);
		if (r < 0)
			return r;
	}
	return err_set(err, ERR_CONFLICT, 0, "Multiple IDs found with provided prefix: %s: %s%s",
		       prefix, strbuf_text(&names), r > 0 ? ", …" : "");
}

/* 1 found, 0 not there. All ids that begin with P are those from P up to, not including, "Pg". */
static int find_by_prefix(struct store *store, const char *prefix,
			  struct container_record *ret_record, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(container_record_release) struct container_record found = {0};
	auto_free char *end = xasprintf("%sg", prefix);
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT " COLUMNS " FROM container WHERE id >= ? AND id < ? ORDER BY id",
		       "tt", prefix, end);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r <= 0)
		return r;
	read_row(stmt, &found);
	r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r > 0)
		return ambiguous(stmt, prefix, &found, err);
	*ret_record = found;
	found = (struct container_record){0};
	return 1;
}

int container_record_find(struct store *store, const char *selector,
			  struct container_record *ret_record, struct error *err)
{
	const char *name = selector[0] == '/' ? selector + 1 : selector;
	size_t len = strlen(selector);
	bool is_id = len == HEX_ID_LEN && hex_is(selector, len);
	int r;

	r = is_id ? 0 : find_by_name(store, name, ret_record, err);
	if (r == 0 && len > 0 && len <= HEX_ID_LEN && hex_is(selector, len))
		r = find_by_prefix(store, selector, ret_record, err);
	if (r == 0 && is_id)
		r = find_by_name(store, name, ret_record, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such container: %s", selector);
	return 0;
}

int container_record_list(struct store *store, struct container_records *ret_records,
			  struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(container_records_release) struct container_records records = {0};
	size_t capacity = 0;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT " COLUMNS " FROM container ORDER BY created_ns DESC, rowid DESC",
		       "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		if (records.count == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			records.items =
				xreallocarray(records.items, capacity, sizeof(records.items[0]));
		}
		read_row(stmt, &records.items[records.count++]);
	}
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct container_records){0};
	return 0;
}

/* After an UPDATE or DELETE that must have met exactly one row. */
static int check_changed(struct store *store, const char *id, struct error *err)
{
	if (sqlite3_changes(store->db) == 1)
		return 0;
	return err_set(err, ERR_NOT_FOUND, 0, "No such container: %s", id);
}

int container_record_rename(struct store *store, const char *id, const char *name,
			    struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "UPDATE container SET name = ? WHERE id = ?", "tt", name, id);
	if (r < 0 && db_failed_unique(store->db))
		return name_taken(store, name, err);
	if (r < 0)
		return r;
	r = check_changed(store, id, err);
	if (r < 0)
		return r;
	return db_commit(&transaction, err);
}

int container_record_set_config(struct store *store, const char *id, const char *config,
				struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "UPDATE container SET config = ? WHERE id = ?", "tt", config,
		   id);
	if (r < 0)
		return r;
	r = check_changed(store, id, err);
	if (r < 0)
		return r;
	return db_commit(&transaction, err);
}

/* *ret_forgotten: its image, when that was only kept for its containers; else NULL. */
static int delete_row(struct store *store, const char *id, char **ret_forgotten, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_free char *forgotten = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "DELETE FROM container WHERE id = ? RETURNING"
		       " (SELECT i.id FROM image AS i WHERE i.id = container.image AND forgotten)",
		       "t", id);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such container: %s", id);
	forgotten = db_text_copy(stmt, 0);
	r = db_step(stmt, err);
	if (r < 0)
		return r;
	*ret_forgotten = TAKE_PTR(forgotten);
	return 0;
}

/* Anonymous volumes that only this container refers to. */
static int own_volumes(struct store *store, const char *id, struct strv *ret_volumes,
		       struct error *err)
{
	return db_collect(store->db, ret_volumes, err,
			  "SELECT volume FROM container_volume AS mine"
			  " JOIN volume ON volume.name = mine.volume"
			  " WHERE container = ? AND anonymous AND NOT EXISTS"
			  " (SELECT 1 FROM container_volume AS other"
			  "  WHERE other.volume = mine.volume"
			  "  AND other.container <> mine.container)",
			  "t", id);
}

/* Images mounted into it that were only kept for their containers. */
static int forgotten_mounts(struct store *store, const char *id, struct strv *ret_images,
			    struct error *err)
{
	return db_collect(store->db, ret_images, err,
			  "SELECT image FROM container_image AS c JOIN image AS i ON i.id = c.image"
			  " WHERE container = ? AND forgotten",
			  "t", id);
}

/* 1 when the image went with its last container. */
static int delete_forgotten(struct store *store, const char *image, struct error *err)
{
	int r;

	r = db_run(store->db, err,
		   "DELETE FROM image WHERE id = ?1 AND NOT EXISTS"
		   " (SELECT 1 FROM container WHERE image = ?1)"
		   " AND NOT EXISTS (SELECT 1 FROM container_image WHERE image = ?1)",
		   "t", image);
	if (r < 0 || sqlite3_changes(store->db) == 0)
		return r;
	r = db_forget_unused(store->db, err);
	return r < 0 ? r : 1;
}

int container_record_delete(struct store *store, const char *id, struct strv *ret_volumes,
			    struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	auto_(strv_release) struct strv volumes = {0};
	auto_(strv_release) struct strv mounted = {0};
	auto_free char *forgotten = NULL;
	bool freed_files = false;
	uint64_t bytes;
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0 && ret_volumes)
		r = own_volumes(store, id, &volumes, err);
	if (r >= 0)
		r = forgotten_mounts(store, id, &mounted, err);
	if (r >= 0)
		r = delete_row(store, id, &forgotten, err);
	if (r >= 0 && forgotten && !strv_has(&mounted, forgotten))
		strv_add(&mounted, forgotten);
	for (size_t i = 0; r >= 0 && i < mounted.count; i++) {
		r = delete_forgotten(store, mounted.items[i], err);
		freed_files = freed_files || r > 0;
	}
	if (r < 0)
		return r;
	r = db_commit(&transaction, err);
	if (r < 0)
		return r;
	if (ret_volumes)
		strv_add_all(ret_volumes, &volumes);
	return freed_files ? store_reclaim(store, &bytes, err) : 0;
}
