/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/repo_digest.h"

#include <string.h>

#include "base/alloc.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

#define MAX_HOMES "16"

int repo_digest_add(struct store *store, const char *image_id, const char *name,
		    const char *manifest, struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = db_run(store->db, err, "INSERT OR REPLACE INTO repo_digest VALUES(?, ?, ?)",
			   "ttt", name, image_id, manifest);
	return r < 0 ? r : db_commit(&transaction, err);
}

int repo_digest_list(struct store *store, const char *image_id, struct strv *ret_names,
		     struct error *err)
{
	return db_collect(store->db, ret_names, err,
			  "SELECT name FROM repo_digest WHERE image = ? ORDER BY name", "t",
			  image_id);
}

int repo_digest_find(struct store *store, const char *name, struct image_record *ret_record,
		     struct error *err)
{
	auto_(strv_release) struct strv ids = {0};
	int r;

	r = db_collect(store->db, &ids, err, "SELECT image FROM repo_digest WHERE name = ?", "t",
		       name);
	if (r < 0)
		return r;
	if (ids.count == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", name);
	return image_record_find(store, ids.items[0], ret_record, err);
}

/* '@' is before every digest, and no name has it elsewhere: 'A' comes next. */
int repo_digest_manifest(struct store *store, const char *image_id, const char *repository,
			 char **ret_manifest, struct error *err)
{
	auto_free char *first = xasprintf("%s@", repository);
	auto_free char *end = xasprintf("%sA", repository);
	auto_(strv_release) struct strv found = {0};
	int r;

	r = db_collect(store->db, &found, err,
		       "SELECT manifest FROM repo_digest WHERE image = ? AND name >= ? AND name < ?"
		       " LIMIT 1",
		       "ttt", image_id, first, end);
	if (r < 0)
		return r;
	*ret_manifest = found.count ? xstrdup(found.items[0]) : NULL;
	return 0;
}

int repo_digest_blob_homes(struct store *store, const char *domain, const char *blob,
			   struct strv *ret_paths, struct error *err)
{
	auto_free char *first = xasprintf("%s/", domain);
	auto_free char *end = xasprintf("%s0", domain); /* '0' comes after '/' */
	auto_(strv_release) struct strv names = {0};
	int r;

	r = db_collect(store->db, &names, err,
		       "SELECT DISTINCT substr(name, 1, instr(name, '@') - 1) FROM repo_digest"
		       " WHERE name >= ? AND name < ? AND image IN"
		       " (SELECT image FROM image_blob WHERE blob = ?) LIMIT " MAX_HOMES,
		       "ttt", first, end, blob);
	for (size_t i = 0; r >= 0 && i < names.count; i++)
		strv_add(ret_paths, names.items[i] + strlen(first));
	return r;
}

int repo_digest_blob_repositories(struct store *store, const char *blob, struct strv *ret_names,
				  struct error *err)
{
	return db_collect(store->db, ret_names, err,
			  "SELECT DISTINCT substr(name, 1, instr(name, '@') - 1) FROM repo_digest"
			  " WHERE image IN (SELECT image FROM image_blob WHERE blob = ?)"
			  " ORDER BY 1 LIMIT " MAX_HOMES,
			  "t", blob);
}
