/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database_internal.h - SQLite in as few words as possible, for this room
 *
 *	auto_(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
 *
 *	r = db_prepare(db, &stmt, err, "SELECT name FROM container WHERE id = ?", "t", id);
 *	while (r >= 0 && (r = db_step(stmt, err)) > 0)
 *		puts(db_text(stmt, 0));
 *
 * Types of arguments: 't' a text (const char *, NULL is null), 'i' an int64_t.
 *
 * Writers queue on a kernel lock of the store (db_begin()), not in SQLite: it wakes them in order
 * and at once, where SQLite would sleep and try again. Every transaction is tiny.
 */
#ifndef SKIFF_STORAGE_DATABASE_INTERNAL_H
#define SKIFF_STORAGE_DATABASE_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"

struct store;

#define DATABASE_NAME "skiff.db"

/* Opens ROOT/skiff.db and brings its schema up to date. */
int db_open(struct store *store, sqlite3 **ret_db, struct error *err);

/* Of our file layer (database_vfs.c), registered when first asked for. */
const char *db_vfs_name(void);

/* Creates or migrates; called with the writers' lock held. `version` is what was found. */
int schema_migrate(sqlite3 *db, int version, struct error *err);
int schema_version(sqlite3 *db, int *ret_version, struct error *err);
extern const int schema_version_current;

int db_prepare(sqlite3 *db, sqlite3_stmt **ret_stmt, struct error *err, const char *sql,
	       const char *types, ...);

/* 1 there is a row, 0 no more, or a negative errno. */
int db_step(sqlite3_stmt *stmt, struct error *err);

/* Prepares, runs to the end and forgets. */
int db_run(sqlite3 *db, struct error *err, const char *sql, const char *types, ...);

/* Several statements without arguments. */
int db_exec(sqlite3 *db, struct error *err, const char *sql);

/* Appends the first column of all rows to the list. */
int db_collect(sqlite3 *db, struct strv *ret_list, struct error *err, const char *sql,
	       const char *types, ...);

/* Deletes layers and blobs that no image has; inside a transaction. */
int db_forget_unused(sqlite3 *db, struct error *err);

/* Borrowed until the next step; "" for null. */
const char *db_text(sqlite3_stmt *stmt, int column);

/* A copy; NULL for null. */
char *db_text_copy(sqlite3_stmt *stmt, int column);

/* Sets err from the connection's last failure. */
int db_fail(sqlite3 *db, struct error *err);

/* Whether the last failure was a broken UNIQUE or PRIMARY KEY, or a FOREIGN KEY, constraint. */
bool db_failed_unique(sqlite3 *db);
bool db_failed_foreign_key(sqlite3 *db);

/*
 * A write transaction; rolled back by its cleaner unless db_commit() succeeded. With `durable` the
 * commit is on the disk when db_commit() returns; the flush is after the end of the transaction,
 * for which nobody else waits.
 */
struct db_transaction {
	struct store *store; /* NULL: none is open */
	bool durable;
};

int db_begin(struct store *store, bool durable, struct db_transaction *ret_transaction,
	     struct error *err);
int db_commit(struct db_transaction *transaction, struct error *err);
void db_rollback(struct db_transaction *transaction);

DEFINE_CLEANUP(sqlite3 *, sqlite3_close);
DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize);
DEFINE_CLEANUP_VALUE(struct db_transaction, db_rollback);

#endif
