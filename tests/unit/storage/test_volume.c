/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "storage/volume.h"

static void makes_a_named_volume_once(void **state)
{
	struct fixture *f = *state;
	auto_free char *first = NULL, *second = NULL;
	bool created;

	assert_ok(f, volume_ensure(f->store, "data", &first, &created, &f->err));
	assert_true(created);
	assert_string_equal(first, "data");
	assert_ok(f, volume_ensure(f->store, "data", &second, &created, &f->err));
	assert_false(created);
	assert_true(fixture_has(f, "volumes/data/_data"));
}

static void removes(void **state)
{
	struct fixture *f = *state;
	auto_free char *name = NULL;
	bool created;

	assert_ok(f, volume_ensure(f->store, NULL, &name, &created, &f->err));
	assert_int_equal(strlen(name), 64);
	assert_ok(f, volume_remove(f->store, name, &f->err));
	assert_false(fixture_has(f, "volumes/data"));
	assert_fails(f, ERR_NOT_FOUND, volume_remove(f->store, name, &f->err));
}

static void refuses_bad_names(void **state)
{
	static const char *const bad[] = {"", "a", ".x", "../x", "a/b", "-x", "a b", "a\n"};
	struct fixture *f = *state;
	char *name = NULL;
	bool created;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_fails(f, ERR_INVALID,
			     volume_ensure(f->store, bad[i], &name, &created, &f->err));
		assert_fails(f, ERR_NOT_FOUND, volume_remove(f->store, bad[i], &f->err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(makes_a_named_volume_once),
		fixture_test(removes),
		fixture_test(refuses_bad_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
