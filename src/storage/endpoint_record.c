/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "storage/database_internal.h"
#include "storage/network_internal.h"
#include "storage/network_record.h"
#include "storage/store_internal.h"

void endpoint_record_release(struct endpoint_record *record)
{
	free(record->container);
	free(record->network);
	free(record->config);
	*record = (struct endpoint_record){0};
}

void endpoint_records_release(struct endpoint_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		endpoint_record_release(&records->items[i]);
	free(records->items);
	*records = (struct endpoint_records){0};
}

/* ---- giving out addresses ---- */

/* The two families differ in a column's name. */
struct family {
	const char *taken; /* is this one? */
	const char *gap;   /* the lowest after a taken one, from here on */
	const char *name;
};

#define FAMILY(column, text)                                                                       \
	{                                                                                          \
		"SELECT 1 FROM endpoint WHERE network = ? AND " column " = ?",                     \
			"SELECT e." column " + 1 FROM endpoint AS e WHERE network = ?1 AND "       \
			"e." column " >= ?2 AND NOT EXISTS (SELECT 1 FROM endpoint"                \
			" WHERE network = ?1 AND " column " = e." column " + 1)"                   \
			" ORDER BY e." column " LIMIT 1",                                          \
			text                                                                       \
	}

static const struct family families[] = {FAMILY("offset4", "IPv4"), FAMILY("offset6", "IPv6")};

static int is_taken(struct store *store, const struct family *family, const char *network,
		    int64_t offset, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, family->taken, "ti", network, offset);
	return r < 0 ? r : db_step(stmt, err);
}

/* The lowest offset from `from` up that nobody has. */
static int next_free(struct store *store, const struct family *family, const char *network,
		     int64_t from, int64_t *ret_offset, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	*ret_offset = from;
	r = is_taken(store, family, network, from, err);
	if (r <= 0)
		return r;
	r = db_prepare(store->db, &stmt, err, family->gap, "ti", network, from);
	if (r < 0)
		return r;
	r = db_step(stmt, err);
	if (r > 0)
		*ret_offset = sqlite3_column_int64(stmt, 0);
	return r < 0 ? r : 0;
}

static bool is_reserved(const struct lease_pool *pool, int64_t offset)
{
	for (size_t i = 0; i < pool->reserved_count; i++)
		if (pool->reserved[i] == offset)
			return true;
	return false;
}

static int choose_free(struct store *store, const struct family *family,
		       const struct endpoint_request *request, const struct lease_pool *pool,
		       int64_t *ret_offset, struct error *err)
{
	int64_t from = pool->first, offset;
	int r;

	while (from <= pool->last) {
		r = next_free(store, family, request->network, from, &offset, err);
		if (r < 0)
			return r;
		if (offset > pool->last)
			break;
		if (!is_reserved(pool, offset)) {
			*ret_offset = offset;
			return 0;
		}
		from = offset + 1;
	}
	return err_set(err, ERR_UNAVAILABLE, ENOSPC,
		       "network %s has no free %s address left (each container keeps its own until "
		       "it is removed)",
		       request->network_name, family->name);
}

/* -1 in *ret_offset when this family is not given out. */
static int choose(struct store *store, const struct family *family,
		  const struct endpoint_request *request, const struct lease_pool *pool,
		  int64_t *ret_offset, struct error *err)
{
	int r;

	*ret_offset = -1;
	if (pool->wish < 0)
		return pool->last == 0 ? 0
				       : choose_free(store, family, request, pool, ret_offset, err);
	r = is_taken(store, family, request->network, pool->wish, err);
	if (r > 0)
		return err_set(err, ERR_CONFLICT, EADDRINUSE, "Address already in use");
	*ret_offset = pool->wish;
	return r;
}

static int insert(struct store *store, const char *container,
		  const struct endpoint_request *request, int64_t offset4, int64_t offset6,
		  struct error *err)
{
	int r;

	r = db_run(store->db, err,
		   "INSERT INTO endpoint(container, network, offset4, offset6, config)"
		   " VALUES(?, ?, nullif(?, -1), nullif(?, -1), ?)",
		   "ttiit", container, request->network, offset4, offset6, request->config);
	if (r < 0 && db_failed_foreign_key(store->db))
		return err_set(err, ERR_NOT_FOUND, 0, "network %s not found",
			       request->network_name);
	if (r < 0 && db_failed_unique(store->db))
		return err_set(err, ERR_CONFLICT, 0, "endpoint already exists in network %s",
			       request->network_name);
	return r;
}

int endpoint_insert_row(struct store *store, const char *container,
			const struct endpoint_request *request, struct error *err)
{
	int64_t offset4, offset6;
	int r;

	r = choose(store, &families[0], request, &request->pool4, &offset4, err);
	if (r >= 0)
		r = choose(store, &families[1], request, &request->pool6, &offset6, err);
	return r < 0 ? r : insert(store, container, request, offset4, offset6, err);
}

int endpoint_insert(struct store *store, const char *container,
		    const struct endpoint_request *request, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = endpoint_insert_row(store, container, request, err);
	return r < 0 ? r : db_commit(&transaction, err);
}

int endpoint_delete(struct store *store, const char *container, const char *network,
		    struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = db_run(store->db, err,
			   "DELETE FROM endpoint WHERE container = ? AND network = ?", "tt",
			   container, network);
	if (r < 0)
		return r;
	if (sqlite3_changes(store->db) == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "container %s is not connected to network %s",
			       container, network);
	return db_commit(&transaction, err);
}

/* ---- looking ---- */

static int64_t column_or(sqlite3_stmt *stmt, int column, int64_t otherwise)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return otherwise;
	return sqlite3_column_int64(stmt, column);
}

int endpoint_list(struct store *store, const char *container, const char *network,
		  struct endpoint_records *ret_records, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(endpoint_records_release) struct endpoint_records records = {0};
	const char *sql =
		container ? "SELECT container, network, config, offset4, offset6 FROM endpoint"
			    " WHERE container = ? ORDER BY network"
			  : "SELECT container, network, config, offset4, offset6 FROM endpoint"
			    " WHERE network = ? ORDER BY container";
	size_t capacity = 0;
	int r;

	r = db_prepare(store->db, &stmt, err, sql, "t", container ? container : network);
	while (r >= 0 && (r = db_step(stmt, err)) > 0) {
		if (records.count == capacity) {
			capacity = capacity ? 2 * capacity : 4;
			records.items =
				xreallocarray(records.items, capacity, sizeof(*records.items));
		}
		records.items[records.count++] = (struct endpoint_record){
			.container = db_text_copy(stmt, 0),
			.network = db_text_copy(stmt, 1),
			.config = db_text_copy(stmt, 2),
			.offset4 = column_or(stmt, 3, -1),
			.offset6 = column_or(stmt, 4, -1),
		};
	}
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct endpoint_records){0};
	return 0;
}
