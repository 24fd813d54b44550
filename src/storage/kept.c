/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/kept.h"

#include "base/clock.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

#define NS_PER_S INT64_C(1000000000)

static int keep(struct store *store, const char *digest, struct error *err)
{
	return db_run(store->db, err, "INSERT OR REPLACE INTO kept VALUES(?, ?)", "ti", digest,
		      clock_now_ns() + KEPT_S * NS_PER_S);
}

int kept_add(struct store *store, const struct image_layer *layer, const struct image_blob *blob,
	     struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = db_run(store->db, err, "INSERT OR IGNORE INTO layer VALUES(?, ?, ?, ?)", "ttti",
			   layer->chain_id, layer->diff_id, layer->blob,
			   (int64_t)layer->size_bytes);
	if (r >= 0)
		r = db_run(store->db, err, "INSERT OR IGNORE INTO blob VALUES(?, ?)", "ti",
			   blob->digest, (int64_t)blob->size_bytes);
	if (r >= 0)
		r = keep(store, layer->chain_id, err);
	if (r >= 0)
		r = keep(store, blob->digest, err);
	return r < 0 ? r : db_commit(&transaction, err);
}

/* Also what would be kept for longer than we ever do: the clock was turned back meanwhile. */
int kept_forget(struct store *store, bool all, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	auto_(strv_release) struct strv old = {0};
	int64_t now_ns = clock_now_ns();
	int64_t from_ns = all ? INT64_MAX : now_ns;
	int64_t to_ns = all ? INT64_MAX : now_ns + 2 * KEPT_S * NS_PER_S;
	int r;

	r = db_collect(store->db, &old, err,
		       "SELECT digest FROM kept WHERE until_ns < ? OR until_ns > ? LIMIT 1", "ii",
		       from_ns, to_ns);
	if (r < 0 || old.count == 0)
		return r;
	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = db_run(store->db, err, "DELETE FROM kept WHERE until_ns < ? OR until_ns > ?",
			   "ii", from_ns, to_ns);
	if (r >= 0)
		r = db_forget_unused(store->db, err);
	return r < 0 ? r : db_commit(&transaction, err);
}
