/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/database_internal.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "storage/store_internal.h"

/*
 * Every so many pages the log is copied into the database, which costs two flushes of the disk; a
 * container that comes and goes writes six pages. While others keep writing and reading it can be
 * copied but not started anew: at the greatest length everybody waits until it was. Whoever commits
 * within the window after a multiple does it.
 */
#define CHECKPOINT_PAGES 1000
#define CHECKPOINT_WINDOW 16
#define RESTART_PAGES 4000

#define BUSY_DEADLINE_NS ((int64_t)10 * 1000 * 1000 * 1000)

static int fail_as(enum error_kind kind, int errnum, sqlite3 *db, struct error *err)
{
	if (kind == ERR_SYSTEM)
		return err_set(err, kind, errnum, "the store's database");
	return err_set(err, kind, errnum, "the store's database: %s", sqlite3_errmsg(db));
}

int db_fail(sqlite3 *db, struct error *err)
{
	int system_errno = sqlite3_system_errno(db);

	/* The low byte is the kind of failure, also with extended codes. */
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_NOMEM:
		abort();
	case SQLITE_FULL:
		return fail_as(ERR_SYSTEM, ENOSPC, db, err);
	case SQLITE_READONLY:
		return fail_as(ERR_SYSTEM, EROFS, db, err);
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return fail_as(ERR_SYSTEM, system_errno ? system_errno : EIO, db, err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail_as(ERR_UNAVAILABLE, EBUSY, db, err);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fail_as(ERR_INTERNAL, EBADMSG, db, err);
	default:
		return fail_as(ERR_INTERNAL, 0, db, err);
	}
}

bool db_failed_unique(sqlite3 *db)
{
	int code = sqlite3_extended_errcode(db);

	return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY;
}

bool db_failed_foreign_key(sqlite3 *db)
{
	int code = sqlite3_extended_errcode(db);

	return code == SQLITE_CONSTRAINT_FOREIGNKEY || code == SQLITE_CONSTRAINT_TRIGGER;
}

static int prepare_v(sqlite3 *db, sqlite3_stmt **ret_stmt, struct error *err, const char *sql,
		     const char *types, va_list args)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	int r;

	r = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (r != SQLITE_OK)
		return db_fail(db, err);
	for (int i = 0; types[i]; i++) {
		if (types[i] == 't') {
			const char *text = va_arg(args, const char *);

			r = sqlite3_bind_text(stmt, i + 1, text, -1, SQLITE_STATIC);
		} else {
			assert(types[i] == 'i');
			r = sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
		}
		if (r != SQLITE_OK)
			return db_fail(db, err);
	}
	*ret_stmt = TAKE_PTR(stmt);
	return 0;
}

int db_prepare(sqlite3 *db, sqlite3_stmt **ret_stmt, struct error *err, const char *sql,
	       const char *types, ...)
{
	va_list args;
	int r;

	va_start(args, types);
	r = prepare_v(db, ret_stmt, err, sql, types, args);
	va_end(args);
	return r;
}

int db_step(sqlite3_stmt *stmt, struct error *err)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return db_fail(sqlite3_db_handle(stmt), err);
	}
}

int db_run(sqlite3 *db, struct error *err, const char *sql, const char *types, ...)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	va_list args;
	int r;

	va_start(args, types);
	r = prepare_v(db, &stmt, err, sql, types, args);
	va_end(args);
	if (r < 0)
		return r;
	do
		r = db_step(stmt, err);
	while (r > 0);
	return r;
}

int db_exec(sqlite3 *db, struct error *err, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(db, err);
}

int db_collect(sqlite3 *db, struct strv *ret_list, struct error *err, const char *sql,
	       const char *types, ...)
{
	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	va_list args;
	int r;

	va_start(args, types);
	r = prepare_v(db, &stmt, err, sql, types, args);
	va_end(args);
	while (r >= 0 && (r = db_step(stmt, err)) > 0)
		strv_add(ret_list, db_text(stmt, 0));
	return r;
}

const char *db_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? (const char *)text : "";
}

char *db_text_copy(sqlite3_stmt *stmt, int column)
{
	return xstrdup_or_null((const char *)sqlite3_column_text(stmt, column));
}

int db_begin(struct store *store, bool durable, struct db_transaction *ret_transaction,
	     struct error *err)
{
	int r;

	r = store_write_lock(store, err);
	if (r < 0)
		return r;
	r = db_exec(store->db, err, "BEGIN IMMEDIATE");
	if (r < 0) {
		store_write_unlock(store);
		return r;
	}
	*ret_transaction = (struct db_transaction){.store = store, .durable = durable};
	return 0;
}

static void end_transaction(struct db_transaction *transaction)
{
	store_write_unlock(transaction->store);
	*transaction = (struct db_transaction){0};
}

/* SQLite holds no lock on the log itself, so closing another descriptor of it loses none. */
static int flush_log(struct store *store, struct error *err)
{
	auto_close int fd = openat(store->root_fd, DATABASE_NAME "-wal", O_RDWR | O_CLOEXEC);

	if (fd < 0 || fdatasync(fd) < 0)
		return err_set(err, ERR_SYSTEM, errno, "flush the store's database");
	return 0;
}

/* Called by SQLite after each commit. */
static int note_log_length(void *context, sqlite3 *db, const char *name, int pages)
{
	struct store *store = context;

	(void)db;
	(void)name;
	store->log_pages = pages;
	return SQLITE_OK;
}

/* After the writers' lock was given back: nobody waits for our flushes. */
static void checkpoint_long_log(struct store *store)
{
	auto_(error_release) struct error ignored = {0};

	if (store->log_pages < CHECKPOINT_PAGES)
		return;
	if (store->log_pages < RESTART_PAGES) {
		if (store->log_pages % CHECKPOINT_PAGES >= CHECKPOINT_WINDOW)
			return;
		(void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
						NULL);
	} else if (store_write_lock(store, &ignored) >= 0) {
		(void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
						NULL);
		store_write_unlock(store);
	}
	store->log_pages = 0;
}

int db_commit(struct db_transaction *transaction, struct error *err)
{
	struct store *store = transaction->store;
	bool durable = transaction->durable;
	int r;

	r = db_exec(store->db, err, "COMMIT");
	if (r < 0)
		return r;
	end_transaction(transaction);
	checkpoint_long_log(store);
	return durable ? flush_log(store, err) : 0;
}

void db_rollback(struct db_transaction *transaction)
{
	if (!transaction->store)
		return;
	/* SQLite has rolled back already after some failures; then this says so, harmlessly. */
	(void)sqlite3_exec(transaction->store->db, "ROLLBACK", NULL, NULL, NULL);
	end_transaction(transaction);
}

/*
 * Writers never meet here (db_begin()); a reader may, for the moment in which the first connection
 * rebuilds the index of the log.
 */
static int wait_while_busy(void *context, int tries)
{
	const struct timespec pause = {.tv_nsec = 200000};
	int64_t *deadline = context;

	if (tries == 0)
		*deadline = clock_monotonic_ns() + BUSY_DEADLINE_NS;
	if (clock_monotonic_ns() > *deadline)
		return 0;
	/* SQLite's locks cannot be waited for: this is the one place where we look again. */
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	return 1;
}

static int64_t busy_deadline; /* of this process's one connection at a time */

static int configure(struct store *store, sqlite3 *db, struct error *err)
{
	int on = 1;

	(void)sqlite3_busy_handler(db, wait_while_busy, &busy_deadline);
	/* Closing must not cost a flush: the log stays, whoever comes next goes on with it. */
	(void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_wal_hook(db, note_log_length, store);
	return db_exec(db, err, "PRAGMA synchronous = NORMAL");
}

/* Taken under the writers' lock: of two processes that find no database one makes it. */
static int bring_up_to_date(struct store *store, sqlite3 *db, struct error *err)
{
	int r, version;

	r = schema_version(db, &version, err);
	if (r < 0 || version == schema_version_current)
		return r;
	if (version == 0) {
		r = store_make_directories(store, err);
		if (r >= 0)
			r = db_exec(db, err, "PRAGMA journal_mode = WAL");
		if (r < 0)
			return r;
	}
	return schema_migrate(db, version, err);
}

int db_open(struct store *store, sqlite3 **ret_db, struct error *err)
{
	static bool configured;
	auto_free char *path = xasprintf("%s/" DATABASE_NAME, store->root);
	auto_(sqlite3_close) sqlite3 *db = NULL;
	int r, version;

	if (!configured) {
		/* One thread; nobody asks for statistics of memory. */
		(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
		(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
		/* Else 20 pages are made and touched at once: as many page faults. */
		(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
		configured = true;
	}
	r = sqlite3_open_v2(path, &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_EXRESCODE,
			    db_vfs_name());
	if (!db)
		abort();
	/* SQLite tries again without O_CREAT and forgets the first reason. */
	if (r != SQLITE_OK && faccessat(store->root_fd, ".", W_OK, 0) < 0)
		return fail_as(ERR_SYSTEM, errno, db, err);
	if (r != SQLITE_OK)
		return db_fail(db, err);
	r = configure(store, db, err);
	if (r < 0)
		return r;
	r = schema_version(db, &version, err);
	if (r < 0)
		return r;
	if (version != schema_version_current) {
		r = store_write_lock(store, err);
		if (r < 0)
			return r;
		r = bring_up_to_date(store, db, err);
		store_write_unlock(store);
		if (r < 0)
			return r;
	}
	*ret_db = TAKE_PTR(db);
	return 0;
}
