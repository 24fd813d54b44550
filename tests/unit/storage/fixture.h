/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - a store of its own for each test, in a temporary directory */
#ifndef SKIFF_TESTS_UNIT_STORAGE_FIXTURE_H
#define SKIFF_TESTS_UNIT_STORAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/path.h"
#include "storage/store.h"

struct fixture {
	char directory[64];
	char *root;
	struct store *store;
	struct error err;
};

#define assert_ok(f, call)                                                                         \
	do {                                                                                       \
		int result_ = (call);                                                              \
		if (result_ < 0)                                                                   \
			fail_msg("%s: %d: %s", #call, result_, err_message(&(f)->err));            \
	} while (0)

#define assert_fails(f, expected_kind, call)                                                       \
	do {                                                                                       \
		int result_ = (call);                                                              \
		if (result_ >= 0)                                                                  \
			fail_msg("%s succeeded", #call);                                           \
		assert_string_equal(error_kind_name((f)->err.kind),                                \
				    error_kind_name(expected_kind));                               \
		error_release(&(f)->err);                                                          \
	} while (0)

static inline int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/skiff-unit-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	f->root = xasprintf("%s/a/store", f->directory);
	assert_ok(f, store_open(f->root, &f->store, &f->err));
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	error_release(&f->err);
	assert_int_equal(path_remove_tree(AT_FDCWD, f->directory), 0);
	free(f->root);
	free(f);
	return 0;
}

static inline void fixture_reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	assert_ok(f, store_open(f->root, &f->store, &f->err));
}

static inline bool fixture_has(struct fixture *f, const char *path)
{
	struct stat st;

	return fstatat(store_root_fd(f->store), path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#define fixture_test(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

#endif
