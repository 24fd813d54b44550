/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/secret_record.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/random.h"
#include "storage/database_internal.h"
#include "storage/store_internal.h"

#define SECRETS_DIR "secrets"
#define ID_LEN 25 /* as podman's */
#define COLUMNS "name, id, created_ns, updated_ns, labels"

void secret_record_release(struct secret_record *record)
{
	free(record->name);
	free(record->id);
	strv_release(&record->labels);
	*record = (struct secret_record){0};
}

void secret_records_release(struct secret_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		secret_record_release(&records->items[i]);
	free(records->items);
	*records = (struct secret_records){0};
}

/* ---- files ---- */

static int open_directory(struct store *store, struct error *err)
{
	int fd;

	if (mkdirat(store->root_fd, SECRETS_DIR, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_SYSTEM, errno, "create '%s/" SECRETS_DIR "'", store->root);
	fd = openat(store->root_fd, SECRETS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open '%s/" SECRETS_DIR "'", store->root)
		      : fd;
}

static int write_file(int dir_fd, const char *id, const struct secret_content *content,
		      struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(dir_fd, id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, content->data, content->len);
	if (r >= 0 && (fsync(fd) < 0 || fsync(dir_fd) < 0))
		r = -errno;
	if (r >= 0)
		return 0;
	(void)unlinkat(dir_fd, id, 0);
	return err_set(err, ERR_SYSTEM, -r, "write secret '%s'", content->name);
}

static void remove_file(struct store *store, const char *id)
{
	auto_free char *path = xasprintf(SECRETS_DIR "/%s", id);

	(void)unlinkat(store->root_fd, path, 0); /* what stays is swept later */
}

/* ---- records ---- */

static int read_row(sqlite3_stmt *stmt, struct secret_record *record, struct error *err)
{
	auto_(json_decref) json_t *holder = json_object();
	const char *labels = db_text(stmt, 4);
	json_t *list;
	int r;

	*record = (struct secret_record){
		.name = db_text_copy(stmt, 0),
		.id = db_text_copy(stmt, 1),
		.created_ns = sqlite3_column_int64(stmt, 2),
		.updated_ns = sqlite3_column_int64(stmt, 3),
	};
	r = json_parse(labels, strlen(labels), "labels of a secret", &list, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(holder, "labels", list);
	json_get_strv(holder, "labels", &record->labels);
	return 0;
}

/* All rows that the statement finds. */
static int read_rows(sqlite3_stmt *stmt, struct secret_records *ret_records, struct error *err)
{
	auto_(secret_records_release) struct secret_records records = {0};
	int r;

	while ((r = db_step(stmt, err)) > 0) {
		records.items =
			xreallocarray(records.items, records.count + 1, sizeof(*records.items));
		r = read_row(stmt, &records.items[records.count++], err);
		if (r < 0)
			break;
	}
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct secret_records){0};
	return 0;
}

int secret_record_list(struct store *store, struct secret_records *ret_records, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT " COLUMNS " FROM secret ORDER BY name", "");
	return r < 0 ? r : read_rows(stmt, ret_records, err);
}

int secret_record_find(struct store *store, const char *selector, struct secret_record *ret_record,
		       struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	auto_(secret_records_release) struct secret_records found = {0};
	int r;

	/* One whose name it is comes first. */
	r = db_prepare(store->db, &stmt, err,
		       "SELECT " COLUMNS " FROM secret WHERE name = ? OR"
		       " substr(id, 1, length(?)) = ? ORDER BY name <> ? LIMIT 2",
		       "tttt", selector, selector, selector, selector);
	if (r >= 0)
		r = read_rows(stmt, &found, err);
	if (r < 0)
		return r;
	if (found.count == 0 || !*selector)
		return err_set(err, ERR_NOT_FOUND, 0,
			       "no secret with name or id \"%s\": no such secret", selector);
	if (found.count > 1 && strcmp(found.items[0].name, selector) != 0)
		return err_set(err, ERR_CONFLICT, 0, "more than one secret's id begins with \"%s\"",
			       selector);
	*ret_record = found.items[0];
	found.items[0] = (struct secret_record){0};
	return 0;
}

/*
 * The old one's id, NULL when there is none, and when it was made. Inside the transaction: nobody makes
 * one of that name meanwhile.
 */
static int find_old(struct store *store, const struct secret_content *content, char **ret_id,
		    int64_t *ret_created_ns, struct error *err)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = db_prepare(store->db, &stmt, err, "SELECT id, created_ns FROM secret WHERE name = ?",
		       "t", content->name);
	if (r >= 0)
		r = db_step(stmt, err);
	if (r <= 0)
		return r;
	if (!content->replace)
		return err_set(err, ERR_CONFLICT, EEXIST, "%s: secret name in use", content->name);
	*ret_id = db_text_copy(stmt, 0);
	*ret_created_ns = sqlite3_column_int64(stmt, 1);
	return 0;
}

static int insert_row(struct store *store, const struct secret_content *content, const char *id,
		      int64_t created_ns, int64_t now_ns, struct error *err)
{
	auto_(json_decref) json_t *labels = json_from_strv(content->labels);
	auto_free char *text = json_text(labels);

	return db_run(store->db, err, "INSERT OR REPLACE INTO secret VALUES(?, ?, ?, ?, ?)",
		      "ttiit", content->name, id, created_ns, now_ns, text);
}

int secret_record_insert(struct store *store, const struct secret_content *content, char **ret_id,
			 struct error *err)
{
	auto_(db_rollback) struct db_transaction transaction = {0};
	auto_free char *old_id = NULL;
	auto_close int dir_fd = NO_FD;
	char id[HEX_ID_LEN + 1];
	int64_t now_ns = clock_now_ns(), created_ns = now_ns;
	int r;

	random_hex_id(id);
	id[ID_LEN] = '\0';
	dir_fd = open_directory(store, err);
	if (dir_fd < 0)
		return dir_fd;
	/* The sweep waits for the transaction, and finds the file with its record. */
	r = db_begin(store, /* durable= */ true, &transaction, err);
	if (r >= 0)
		r = find_old(store, content, &old_id, &created_ns, err);
	if (r < 0)
		return r;
	r = write_file(dir_fd, id, content, err);
	if (r >= 0)
		r = insert_row(store, content, id, created_ns, now_ns, err);
	if (r >= 0)
		r = db_commit(&transaction, err);
	if (r < 0) {
		remove_file(store, id);
		return r;
	}
	if (old_id)
		remove_file(store, old_id);
	*ret_id = xstrdup(id);
	return 0;
}

int secret_record_read(struct store *store, const struct secret_record *record, char **ret_data,
		       size_t *ret_len, struct error *err)
{
	auto_free char *path = xasprintf(SECRETS_DIR "/%s", record->id);
	int r = fd_read_file_at(store->root_fd, path, SECRET_MAX_BYTES, ret_data, ret_len);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "read secret '%s'", record->name) : 0;
}

int secret_record_link(struct store *store, const struct secret_record *record, int dir_fd,
		       const char *name, struct error *err)
{
	auto_free char *path = xasprintf(SECRETS_DIR "/%s", record->id);

	if (linkat(store->root_fd, path, dir_fd, name, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "give secret '%s' to the container",
			       record->name);
	return 0;
}

int secret_record_remove(struct store *store, const char *selector, struct error *err)
{
	auto_(secret_record_release) struct secret_record record = {0};
	auto_(db_rollback) struct db_transaction transaction = {0};
	int r;

	r = db_begin(store, /* durable= */ true, &transaction, err);
	if (r >= 0)
		r = secret_record_find(store, selector, &record, err);
	if (r >= 0)
		r = db_run(store->db, err, "DELETE FROM secret WHERE id = ?", "t", record.id);
	if (r >= 0)
		r = db_commit(&transaction, err);
	if (r < 0)
		return r;
	remove_file(store, record.id);
	return 0;
}

static bool is_known(const struct secret_records *records, const char *id)
{
	for (size_t i = 0; i < records->count; i++)
		if (strcmp(records->items[i].id, id) == 0)
			return true;
	return false;
}

int secret_record_sweep(struct store *store, struct error *err)
{
	auto_(secret_records_release) struct secret_records records = {0};
	auto_(db_rollback) struct db_transaction transaction = {0};
	const struct dirent *entry;
	DIR *directory;
	int fd, r;

	if (faccessat(store->root_fd, SECRETS_DIR, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = db_begin(store, /* durable= */ false, &transaction, err);
	if (r >= 0)
		r = secret_record_list(store, &records, err);
	if (r < 0)
		return r;
	fd = open_directory(store, err);
	if (fd < 0)
		return fd;
	directory = fdopendir(fd);
	if (!directory) {
		(void)close(fd);
		return err_set(err, ERR_SYSTEM, ENOMEM, "list secrets");
	}
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.' && !is_known(&records, entry->d_name))
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(directory);
	return 0;
}
