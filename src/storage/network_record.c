/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/network_record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/random.h"
#include "storage/database_internal.h"
#include "storage/network_internal.h"
#include "storage/store_internal.h"

#define COLUMNS "id, name, driver, created_ns, config"

void network_record_release(struct network_record *record)
{
	free(record->id);
	free(record->name);
	free(record->driver);
	free(record->config);
	*record = (struct network_record){0};
}

void network_records_release(struct network_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		network_record_release(&records->items[i]);
	free(records->items);
	*records = (struct network_records){0};
}

static void read_row(sqlite3_stmt *stmt, struct network_record *ret_record)
{
	*ret_record = (struct network_record){
		.id = db_text_copy(stmt, 0),
		.name = db_text_copy(stmt, 1),
		.driver = db_text_copy(stmt, 2),
		.created_ns = sqlite3_column_int64(stmt, 3),
		.config = db_text_copy(stmt, 4),
	};
}

int network_record_insert(struct store *store, const struct network_record *record,
			  struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "INSERT INTO network(" COLUMNS ") VALUES(?, ?, ?, ?, ?)",
		   "tttit", record->id, record->name, record->driver, record->created_ns,
		   record->config);
	if (r < 0 && db_failed_unique(store->db))
		return err_set(err, ERR_CONFLICT, 0, "network with name %s already exists",
			       record->name);
	return r < 0 ? r : db_commit(&transaction, err);
}

static int find_row(struct store *store, const char *where, const char *value,
		    struct network_record *ret_record, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_free char *sql = xasprintf("SELECT " COLUMNS " FROM network WHERE %s LIMIT 2", where);
	auto_(network_record_release) struct network_record found = {0};
	int r;

	r = db_prepare(store->db, &stmt, err, sql, "t", value);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r <= 0)
		return r;
	read_row(stmt, &found);
	r = db_step(stmt, err);
	if (r != 0)
		return r < 0 ? r : err_set(err, ERR_CONFLICT, 0, "network %s is ambiguous", value);
	*ret_record = found;
	found = (struct network_record){0};
	return 1;
}

int network_record_find(struct store *store, const char *selector,
			struct network_record *ret_record, struct error *err)
{
	size_t len = strlen(selector);
	int r;

	r = find_row(store, "name = ?", selector, ret_record, err);
	if (r == 0 && len > 0 && len <= HEX_ID_LEN && hex_is(selector, len))
		r = find_row(store, "id >= ?1 AND id < ?1 || 'g'", selector, ret_record, err);
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "network %s not found", selector);
	return r < 0 ? r : 0;
}

int network_record_list(struct store *store, struct network_records *ret_records, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(network_records_release) struct network_records records = {0};
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT " COLUMNS " FROM network ORDER BY name", "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		records.items =
			xreallocarray(records.items, records.count + 1, sizeof(*records.items));
		read_row(stmt, &records.items[records.count++]);
	}
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct network_records){0};
	return 0;
}

int network_record_set_config(struct store *store, const char *id, const char *expected,
			      const char *config, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r, changed;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "UPDATE network SET config = ? WHERE id = ? AND config = ?",
		   "ttt", config, id, expected);
	if (r < 0)
		return r;
	changed = sqlite3_changes(store->db);
	r = db_commit(&transaction, err);
	return r < 0 ? r : changed;
}

int network_record_delete(struct store *store, const char *id, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r < 0)
		return r;
	r = db_run(store->db, err, "DELETE FROM network WHERE id = ?", "t", id);
	if (r < 0 && db_failed_foreign_key(store->db))
		return err_set(err, ERR_CONFLICT, 0, "network %s has containers", id);
	if (r < 0)
		return r;
	if (sqlite3_changes(store->db) == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "network %s not found", id);
	return db_commit(&transaction, err);
}

/* ---- published ports ---- */

int published_set(struct store *store, const char *container, const char *ports, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0 && ports)
		r = db_run(store->db, err,
			   "INSERT OR REPLACE INTO published(container, ports, sequence)"
			   " SELECT ?, ?, coalesce(max(sequence), 0) + 1 FROM published",
			   "tt", container, ports);
	else if (r >= 0)
		r = db_run(store->db, err, "DELETE FROM published WHERE container = ?", "t",
			   container);
	return r < 0 ? r : db_commit(&transaction, err);
}

void published_records_release(struct published_records *records)
{
	for (size_t i = 0; i < records->count; i++) {
		free(records->items[i].container);
		free(records->items[i].ports);
	}
	free(records->items);
	*records = (struct published_records){0};
}

int published_list(struct store *store, struct published_records *ret_records, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(published_records_release) struct published_records records = {0};
	size_t capacity = 0;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT container, ports, sequence FROM published ORDER BY container", "");
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		if (records.count == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			records.items =
				xreallocarray(records.items, capacity, sizeof(*records.items));
		}
		records.items[records.count++] = (struct published_record){
			.container = db_text_copy(stmt, 0),
			.ports = db_text_copy(stmt, 1),
			.sequence = sqlite3_column_int64(stmt, 2),
		};
	}
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct published_records){0};
	return 0;
}
