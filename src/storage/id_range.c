/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/id_range.h"

#include "storage/database_internal.h"
#include "storage/id_range_internal.h"
#include "storage/store_internal.h"

/* The lowest gap that is wide enough; ranges come sorted, and chosen ones may overlap. */
static int find_gap(struct store *store, const struct id_range_request *request, int64_t *ret_first,
		    struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int64_t candidate = request->first;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT first, count FROM id_range ORDER BY first",
		       "");
	if (r < 0)
		return r;
	while ((r = db_step(stmt, err)) > 0) {
		int64_t first = sqlite3_column_int64(stmt, 0);
		int64_t end = first + sqlite3_column_int64(stmt, 1);

		if (first >= candidate + request->count)
			break;
		if (end > candidate)
			candidate = end;
	}
	if (r < 0)
		return r;
	if (candidate + request->count - 1 > request->last)
		return err_set(err, ERR_UNAVAILABLE, ENOSPC,
			       "no %u ids are left for a user namespace between %u and %u",
			       request->count, request->first, request->last);
	*ret_first = candidate;
	return 0;
}

static int insert(struct store *store, const char *container, int64_t first, int64_t count,
		  bool given_out, struct error *err)
{
	return db_run(store->db, err, "INSERT OR IGNORE INTO id_range VALUES(?, ?, ?, ?)", "tiii",
		      container, first, count, (int64_t)given_out);
}

static int insert_chosen(struct store *store, const char *container, const struct id_map *map,
			 struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && map && i < map->count; i++)
		r = insert(store, container, map->items[i].outside, map->items[i].count, false,
			   err);
	return r;
}

int id_range_insert_rows(struct store *store, const char *container,
			 const struct id_range_request *request, struct error *err)
{
	int64_t first = 0;
	int r = 0;

	if (request->count > 0) {
		r = find_gap(store, request, &first, err);
		if (r >= 0)
			r = insert(store, container, first, request->count, true, err);
	}
	if (r >= 0)
		r = insert_chosen(store, container, request->uids, err);
	if (r >= 0)
		r = insert_chosen(store, container, request->gids, err);
	return r;
}

int id_range_load(struct store *store, const char *container, uint32_t *ret_first,
		  uint32_t *ret_count, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err,
		       "SELECT first, count FROM id_range WHERE container = ? AND given_out", "t",
		       container);
	if (r >= 0)
		r = db_step(stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "container %s has no ids of its own",
			       container);
	*ret_first = (uint32_t)sqlite3_column_int64(stmt, 0);
	*ret_count = (uint32_t)sqlite3_column_int64(stmt, 1);
	return 0;
}
