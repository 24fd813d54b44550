/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/image_record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "storage/audit.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

/* Names and chain ids have no space in them. */
#define SELECT_IMAGE                                                                               \
	"SELECT id, manifest_digest, created_ns, size_bytes, config,"                              \
	" (SELECT group_concat(layer, ' ') FROM"                                                   \
	"  (SELECT layer FROM image_layer WHERE image = i.id ORDER BY position)),"                 \
	" (SELECT group_concat(name, ' ') FROM"                                                    \
	"  (SELECT name FROM tag WHERE image = i.id ORDER BY name))"                               \
	" FROM image AS i "

/* What belongs to an image now needs not be kept for its own sake (kept.h). */
#define KEPT_NO_LONGER                                                                             \
	"DELETE FROM kept WHERE digest IN (SELECT layer FROM image_layer"                          \
	" UNION ALL SELECT blob FROM image_blob)"

#define DIGEST_PREFIX "sha256:"
#define DIGEST_PREFIX_LEN 7

void image_record_release(struct image_record *record)
{
	free(record->id);
	free(record->config);
	free(record->manifest_digest);
	strv_release(&record->chain_ids);
	strv_release(&record->names);
	strv_release(&record->repo_digests);
	*record = (struct image_record){0};
}

void image_records_release(struct image_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		image_record_release(&records->items[i]);
	free(records->items);
	*records = (struct image_records){0};
}

void image_removal_release(struct image_removal *removal)
{
	strv_release(&removal->chain_ids);
	*removal = (struct image_removal){0};
}

static void read_row(sqlite3_stmt *stmt, struct image_record *ret_record)
{
	*ret_record = (struct image_record){
		.id = db_text_copy(stmt, 0),
		.manifest_digest = db_text_copy(stmt, 1),
		.created_ns = sqlite3_column_int64(stmt, 2),
		.size_bytes = (uint64_t)sqlite3_column_int64(stmt, 3),
		.config = db_text_copy(stmt, 4),
	};
	strv_split(&ret_record->chain_ids, db_text(stmt, 5), ' ');
	strv_split(&ret_record->names, db_text(stmt, 6), ' ');
}

/* 1 found, 0 not there; `condition` has one parameter. */
static int find_one(struct store *store, const char *condition, const char *value,
		    struct image_record *ret_record, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_free char *sql = xasprintf(SELECT_IMAGE "%s", condition);
	int r;

	r = db_prepare(store->db, &stmt, err, sql, "t", value);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r > 0)
		read_row(stmt, ret_record);
	return r;
}

static int ambiguous(const char *prefix, const struct strv *ids, struct error *err)
{
	auto_free char *list = strv_join(ids, ", ");

	return err_set(err, ERR_CONFLICT, 0, "Multiple IDs found with provided prefix: %s: %s",
		       prefix, list);
}

/* `digits` are 1 to 64 hexadecimal ones. All ids from "sha256:D" to before "sha256:Dg". */
static int find_by_prefix(struct store *store, const char *digits, struct image_record *ret_record,
			  struct error *err)
{
	auto_free char *first = xasprintf(DIGEST_PREFIX "%s", digits);
	auto_free char *end = xasprintf(DIGEST_PREFIX "%sg", digits);
	auto_(strv_release) struct strv ids = {0};
	int r;

	if (strlen(digits) == HEX_ID_LEN)
		return find_one(store, "WHERE id = ?", first, ret_record, err);
	r = db_collect(store->db, &ids, err,
		       "SELECT id FROM image WHERE id >= ? AND id < ? AND NOT forgotten LIMIT 8",
		       "tt", first, end);
	if (r < 0)
		return r;
	if (ids.count > 1)
		return ambiguous(digits, &ids, err);
	if (ids.count == 0)
		return 0;
	return find_one(store, "WHERE id = ?", ids.items[0], ret_record, err);
}

int image_record_find(struct store *store, const char *selector, struct image_record *ret_record,
		      struct error *err)
{
	const char *digits = selector;
	size_t len;
	int r;

	r = find_one(store, "WHERE id = (SELECT image FROM tag WHERE name = ?)", selector,
		     ret_record, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (strncmp(selector, DIGEST_PREFIX, DIGEST_PREFIX_LEN) == 0)
		digits += DIGEST_PREFIX_LEN;
	len = strlen(digits);
	if (len > 0 && len <= HEX_ID_LEN && hex_is(digits, len)) {
		r = find_by_prefix(store, digits, ret_record, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", selector);
}

int image_record_find_manifest(struct store *store, const char *digest,
			       struct image_record *ret_record, struct error *err)
{
	int r;

	r = find_one(store, "WHERE manifest_digest = ? AND NOT forgotten", digest, ret_record, err);
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", digest);
	return r < 0 ? r : 0;
}

static int list_images(struct store *store, const char *condition,
		       struct image_records *ret_records, struct error *err)
{
	auto_free char *sql =
		xasprintf(SELECT_IMAGE "%s ORDER BY created_ns DESC, rowid DESC", condition);
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(image_records_release) struct image_records records = {0};
	size_t capacity = 0;
	int r;

	r = db_prepare(store->db, &stmt, err, sql, "");
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
	records = (struct image_records){0};
	return 0;
}

int image_record_list(struct store *store, struct image_records *ret_records, struct error *err)
{
	return list_images(store, "WHERE NOT forgotten", ret_records, err);
}

int audit_images_list(struct store *store, struct image_records *ret_records, struct error *err)
{
	return list_images(store, "", ret_records, err);
}

int image_record_users(struct store *store, const char *id, struct strv *ret_container_ids,
		       struct error *err)
{
	return db_collect(store->db, ret_container_ids, err,
			  "SELECT id FROM container WHERE image = ?1 OR id IN"
			  " (SELECT container FROM container_image WHERE image = ?1)"
			  " ORDER BY created_ns",
			  "t", id);
}

static int set_tag(struct store *store, const char *id, const char *name, struct error *err)
{
	int r;

	r = db_run(store->db, err, "INSERT OR REPLACE INTO tag VALUES(?, ?)", "tt", name, id);
	if (r < 0 && db_failed_foreign_key(store->db))
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", id);
	return r;
}

int image_record_tag(struct store *store, const char *id, const char *name, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = set_tag(store, id, name, err);
	if (r < 0)
		return r;
	return db_commit(&transaction, err);
}

/* The digests of a repository go with its last tag, which `name` may be. */
static int forget_repo_digests(struct store *store, const char *name, struct error *err)
{
	auto_free char *repository = xstrdup(name);
	char *colon = strrchr(repository, ':');

	if (!colon)
		return 0;
	*colon = '\0';
	return db_run(store->db, err,
		      "DELETE FROM repo_digest WHERE name >= ?1 || '@' AND name < ?1 || 'A'"
		      " AND image = (SELECT image FROM tag WHERE name = ?2) AND NOT EXISTS"
		      " (SELECT 1 FROM tag WHERE name >= ?1 || ':' AND name < ?1 || ';'"
		      "  AND name <> ?2 AND image = repo_digest.image)",
		      "tt", repository, name);
}

int image_record_untag(struct store *store, const char *name, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = forget_repo_digests(store, name, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "DELETE FROM tag WHERE name = ?", "t", name);
	if (r < 0)
		return r;
	if (sqlite3_changes(store->db) == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", name);
	return db_commit(&transaction, err);
}

int image_record_set_config(struct store *store, const char *id, const char *config,
			    struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ true, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "UPDATE image SET config = ? WHERE id = ?", "tt", config, id);
	return r < 0 ? r : db_commit(&transaction, err);
}

/* ---- removing ---- */

/* The layers of this image that no other one has, topmost first. */
static int own_layers(struct store *store, const char *id, struct strv *ret_chain_ids,
		      struct error *err)
{
	return db_collect(store->db, ret_chain_ids, err,
			  "SELECT layer FROM image_layer AS mine WHERE image = ?1 AND NOT EXISTS"
			  " (SELECT 1 FROM image_layer AS other"
			  "  WHERE other.layer = mine.layer AND other.image <> ?1)"
			  " ORDER BY position DESC",
			  "t", id);
}

int db_forget_unused(sqlite3 *db, struct error *err)
{
	return db_exec(db, err,
		       "DELETE FROM layer WHERE chain_id NOT IN (SELECT layer FROM image_layer"
		       " UNION ALL SELECT digest FROM kept);"
		       "DELETE FROM blob WHERE digest NOT IN (SELECT blob FROM image_blob"
		       " UNION ALL SELECT digest FROM kept)");
}

static int forget(struct store *store, const char *id, struct error *err)
{
	int r;

	r = db_run(store->db, err, "DELETE FROM tag WHERE image = ?", "t", id);
	if (r < 0)
		return r;
	return db_run(store->db, err, "UPDATE image SET forgotten = 1 WHERE id = ?", "t", id);
}

static int delete_or_forget(struct store *store, const char *id, bool may_forget,
			    struct image_removal *removal, struct error *err)
{
	int r;

	r = own_layers(store, id, &removal->chain_ids, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "DELETE FROM image WHERE id = ?", "t", id);
	if (r < 0 && db_failed_foreign_key(store->db)) {
		if (!may_forget)
			return err_set(err, ERR_CONFLICT, 0, "image %s is in use by a container",
				       id);
		error_release(err);
		strv_release(&removal->chain_ids);
		removal->forgotten = true;
		return forget(store, id, err);
	}
	if (r < 0)
		return r;
	if (sqlite3_changes(store->db) == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", id);
	return db_forget_unused(store->db, err);
}

int image_record_remove(struct store *store, const char *id, bool may_forget,
			struct image_removal *ret_removal, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	auto_(image_removal_release) struct image_removal removal = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = delete_or_forget(store, id, may_forget, &removal, err);
	if (r < 0)
		return r;
	r = db_commit(&transaction, err);
	if (r < 0)
		return r;
	r = removal.forgotten ? 0 : store_reclaim(store, &removal.bytes, err);
	if (r < 0)
		return r;
	*ret_removal = removal;
	removal = (struct image_removal){0};
	return 0;
}

/* ---- adding ---- */

static int insert_image(struct store *store, const struct image_addition *addition,
			struct error *err)
{
	uint64_t size = 0;

	for (size_t i = 0; i < addition->layer_count; i++)
		size += addition->layers[i].size_bytes;
	return db_run(store->db, err,
		      "INSERT INTO image(id, manifest_digest, created_ns, size_bytes, config)"
		      " VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET forgotten = 0,"
		      " manifest_digest = excluded.manifest_digest",
		      "ttiit", addition->id, addition->manifest_digest, addition->created_ns,
		      (int64_t)size, addition->config);
}

static int insert_layers(struct store *store, const struct image_addition *addition,
			 struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < addition->layer_count; i++) {
		const struct image_layer *layer = &addition->layers[i];

		/* The blob it came from may have gone with another image: this one is here. */
		r = db_run(store->db, err,
			   "INSERT INTO layer VALUES(?, ?, ?, ?) ON CONFLICT(chain_id) DO UPDATE"
			   " SET blob = excluded.blob WHERE blob IS NULL"
			   " OR blob NOT IN (SELECT digest FROM blob)",
			   "ttti", layer->chain_id, layer->diff_id, layer->blob,
			   (int64_t)layer->size_bytes);
		if (r >= 0)
			r = db_run(store->db, err,
				   "INSERT OR IGNORE INTO image_layer VALUES(?, ?, ?)", "tit",
				   addition->id, (int64_t)i, layer->chain_id);
	}
	return r;
}

static int insert_blobs(struct store *store, const struct image_addition *addition,
			struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < addition->blob_count; i++) {
		const struct image_blob *blob = &addition->blobs[i];

		r = db_run(store->db, err, "INSERT OR IGNORE INTO blob VALUES(?, ?)", "ti",
			   blob->digest, (int64_t)blob->size_bytes);
		if (r >= 0)
			r = db_run(store->db, err, "INSERT OR IGNORE INTO image_blob VALUES(?, ?)",
				   "tt", addition->id, blob->digest);
	}
	return r;
}

int image_record_insert(struct store *store, const struct image_addition *addition,
			struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ true, &transaction, err);
	if (r < 0)
		return r;
	r = insert_image(store, addition, err);
	if (r >= 0)
		r = insert_layers(store, addition, err);
	if (r >= 0)
		r = insert_blobs(store, addition, err);
	for (size_t i = 0; r >= 0 && i < addition->names->count; i++)
		r = set_tag(store, addition->id, addition->names->items[i], err);
	if (r >= 0)
		r = db_exec(store->db, err, KEPT_NO_LONGER);
	if (r < 0)
		return r;
	return db_commit(&transaction, err);
}

int image_record_restore(struct store *store, const char *id, const struct strv *names,
			 struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ true, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "UPDATE image SET forgotten = 0 WHERE id = ?", "t", id);
	if (r >= 0 && sqlite3_changes(store->db) == 0)
		r = err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", id);
	for (size_t i = 0; r >= 0 && i < names->count; i++)
		r = set_tag(store, id, names->items[i], err);
	if (r < 0)
		return r;
	return db_commit(&transaction, err);
}
