/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <sqlite3.h>

#include "storage/volume.h"

static void makes_its_directories_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(fstat(store_root_fd(f->store), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(fixture_has(f, "skiff.db"));
	assert_true(fixture_has(f, "staging"));
	assert_true(fixture_has(f, "containers"));
	assert_true(fixture_has(f, "layers"));
	assert_true(fixture_has(f, "volumes"));
	assert_true(fixture_has(f, "oci/blobs/sha256"));
}

static void opens_again(void **state)
{
	struct fixture *f = *state;

	fixture_reopen(f);
	fixture_reopen(f);
	assert_string_equal(store_root_path(f->store), f->root);
}

static void two_at_once(void **state)
{
	struct fixture *f = *state;
	auto_(store_close) struct store *other = NULL;

	assert_ok(f, store_open(f->root, &other, &f->err));
}

static void refuses_a_root_that_others_may_write(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;

	assert_int_equal(chmod(f->root, 0770), 0);
	assert_fails(f, ERR_DENIED, store_open(f->root, &other, &f->err));
	assert_null(other);
}

static void makes_a_readable_root_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(chmod(f->root, 0755), 0);
	fixture_reopen(f);
	assert_int_equal(stat(f->root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void refuses_relative_roots(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;

	assert_fails(f, ERR_INVALID, store_open("store", &other, &f->err));
}

static void refuses_a_newer_schema(void **state)
{
	struct fixture *f = *state;
	auto_free char *path = xasprintf("%s/skiff.db", f->root);
	struct store *other = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1000", NULL, NULL, NULL),
			 SQLITE_OK);
	(void)sqlite3_close(db);
	assert_fails(f, ERR_UNAVAILABLE, store_open(f->root, &other, &f->err));
}

static void refuses_what_is_no_database(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	int fd;

	store_close(f->store);
	f->store = NULL;
	fd = open(f->root, O_RDONLY | O_DIRECTORY);
	(void)unlinkat(fd, "skiff.db-wal", 0);
	(void)unlinkat(fd, "skiff.db-shm", 0);
	assert_int_equal(unlinkat(fd, "skiff.db", 0), 0);
	(void)close(fd);
	{
		auto_free char *path = xasprintf("%s/skiff.db", f->root);
		auto_fclose FILE *file = fopen(path, "we");

		assert_non_null(file);
		for (int i = 0; i < 1000; i++)
			(void)fputs("this is not a database ", file);
	}
	assert_fails(f, ERR_INTERNAL, store_open(f->root, &other, &f->err));
}

static bool has_volume(struct fixture *f, const char *name)
{
	auto_free char *found = NULL;
	bool created;

	assert_ok(f, volume_ensure(f->store, name, &found, &created, &f->err));
	return !created;
}

static void two_connections_see_each_other(void **state)
{
	struct fixture *f = *state;
	auto_(store_close) struct store *other = NULL;
	struct store *first = f->store;

	assert_ok(f, store_open(f->root, &other, &f->err));
	for (int i = 0; i < 20; i++) {
		auto_free char *name = xasprintf("volume-%d", i);

		f->store = i % 2 ? other : first;
		assert_false(has_volume(f, name));
		f->store = i % 2 ? first : other;
		assert_true(has_volume(f, name));
	}
	f->store = first;
}

/* The sqlite3 program, with the ordinary file layer. */
static void run_sql(struct fixture *f, const char *sql)
{
	auto_free char *path = xasprintf("%s/skiff.db", f->root);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void another_program_may_write(void **state)
{
	struct fixture *f = *state;

	assert_false(has_volume(f, "ours"));
	run_sql(f, "INSERT INTO volume(name, anonymous, created_ns) VALUES('theirs', 0, 0)");
	assert_true(has_volume(f, "theirs"));
	fixture_reopen(f);
	run_sql(f, "INSERT INTO volume(name, anonymous, created_ns) VALUES('again', 0, 0); DELETE "
		   "FROM volume WHERE name='ours'");
	fixture_reopen(f);
	assert_true(has_volume(f, "again"));
	assert_false(has_volume(f, "ours"));
}

/* As after a reboot: the stamp is another one, and the index must not be believed. */
static void an_index_with_another_stamp_is_built_again(void **state)
{
	struct fixture *f = *state;

	assert_false(has_volume(f, "one"));
	store_close(f->store);
	f->store = NULL;
	{
		auto_free char *path = xasprintf("%s/skiff.db-shm", f->root);
		auto_close int fd = open(path, O_WRONLY);
		char garbage[4096];

		memset(garbage, 0x5a, sizeof(garbage));
		assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	}
	assert_ok(f, store_open(f->root, &f->store, &f->err));
	assert_true(has_volume(f, "one"));
}

/* The log is another one than the index was made for. */
static void a_changed_log_is_noticed(void **state)
{
	struct fixture *f = *state;
	auto_free char *log = xasprintf("%s/skiff.db-wal", f->root);

	assert_false(has_volume(f, "one"));
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(truncate(log, 0), 0);
	assert_ok(f, store_open(f->root, &f->store, &f->err));
	assert_false(has_volume(f, "one"));
}

static void sweeps_unlocked_staging_only(void **state)
{
	struct fixture *f = *state;
	auto_free char *held = NULL, *left = NULL, *file = NULL;
	auto_close int held_fd = NO_FD;
	int left_fd = NO_FD;
	uint64_t bytes = 0;

	assert_ok(f, store_staging_new(f->store, &held, &held_fd, &f->err));
	assert_ok(f, store_staging_new(f->store, &left, &left_fd, &f->err));
	file = xasprintf("%s/file", left);
	{
		auto_close int fd = openat(store_root_fd(f->store), file, O_CREAT | O_WRONLY, 0600);

		assert_int_equal(write(fd, "12345", 5), 5);
	}
	(void)close(left_fd);
	assert_ok(f, store_sweep(f->store, &bytes, &f->err));
	assert_true(fixture_has(f, held));
	assert_false(fixture_has(f, left));
	assert_true(bytes >= 5);
}

static void sweeps_containers_without_a_record_and_a_lock(void **state)
{
	struct fixture *f = *state;
	int fd = NO_FD;
	uint64_t bytes;

	assert_ok(f, store_locked_dir_new(f->store, "containers/abc", &fd, &f->err));
	assert_ok(f, store_sweep(f->store, &bytes, &f->err));
	assert_true(fixture_has(f, "containers/abc"));
	(void)close(fd);
	assert_ok(f, store_sweep(f->store, &bytes, &f->err));
	assert_false(fixture_has(f, "containers/abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(makes_its_directories_private),
		fixture_test(opens_again),
		fixture_test(two_at_once),
		fixture_test(refuses_a_root_that_others_may_write),
		fixture_test(makes_a_readable_root_private),
		fixture_test(refuses_relative_roots),
		fixture_test(refuses_a_newer_schema),
		fixture_test(refuses_what_is_no_database),
		fixture_test(two_connections_see_each_other),
		fixture_test(another_program_may_write),
		fixture_test(an_index_with_another_stamp_is_built_again),
		fixture_test(a_changed_log_is_noticed),
		fixture_test(sweeps_unlocked_staging_only),
		fixture_test(sweeps_containers_without_a_record_and_a_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
