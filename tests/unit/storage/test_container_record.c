/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "storage/container_record.h"
#include "storage/id_range.h"
#include "storage/volume.h"

#define ID_A "aaaa000000000000000000000000000000000000000000000000000000000001"
#define ID_B "aaaa000000000000000000000000000000000000000000000000000000000002"
#define ID_D "dddd000000000000000000000000000000000000000000000000000000000004"
#define ID_E "eeee000000000000000000000000000000000000000000000000000000000005"
#define ID_C "cccc000000000000000000000000000000000000000000000000000000000003"

static int insert(struct fixture *f, const char *id, const char *name, const struct strv *volumes)
{
	static int64_t now = 1000;
	struct container_record record = {
		.id = (char *)id,
		.name = (char *)name,
		.command = (char *)"sh -c true",
		.created_ns = now++,
		.config = (char *)"{\"a\":1}",
	};

	return container_record_insert(f->store, &record, volumes, &f->err);
}

static void assert_finds(struct fixture *f, const char *selector, const char *id)
{
	auto_(container_record_release) struct container_record record = {0};

	assert_ok(f, container_record_find(f->store, selector, &record, &f->err));
	assert_string_equal(record.id, id);
}

static void finds_by_name_id_and_prefix(void **state)
{
	struct fixture *f = *state;
	struct container_record record = {0};

	assert_ok(f, insert(f, ID_A, "web", NULL));
	assert_ok(f, insert(f, ID_B, "aaab", NULL));
	assert_ok(f, insert(f, ID_C, "aaaa", NULL));
	assert_finds(f, "web", ID_A);
	assert_finds(f, "/web", ID_A);
	assert_finds(f, ID_A, ID_A);
	assert_finds(f, "c", ID_C);
	assert_finds(f, "aaaa", ID_C); /* a name wins over a prefix */
	assert_finds(f, "aaab", ID_B);
	assert_fails(f, ERR_CONFLICT, container_record_find(f->store, "aaa", &record, &f->err));
	assert_fails(f, ERR_NOT_FOUND, container_record_find(f->store, "b", &record, &f->err));
	assert_fails(f, ERR_NOT_FOUND, container_record_find(f->store, "", &record, &f->err));
	assert_fails(f, ERR_NOT_FOUND, container_record_find(f->store, "%", &record, &f->err));
	assert_fails(f, ERR_NOT_FOUND, container_record_find(f->store, ID_A "0", &record, &f->err));
}

static int insert_with_ids(struct fixture *f, const char *id, const struct id_range_request *ids)
{
	struct container_record record = {
		.id = (char *)id,
		.name = (char *)id,
		.config = (char *)"{}",
		.ids = ids,
	};

	return container_record_insert(f->store, &record, NULL, &f->err);
}

static void assert_range(struct fixture *f, const char *id, uint32_t first, uint32_t count)
{
	uint32_t got_first, got_count;

	assert_ok(f, id_range_load(f->store, id, &got_first, &got_count, &f->err));
	assert_int_equal(got_first, first);
	assert_int_equal(got_count, count);
}

static void ids_are_given_out_once(void **state)
{
	struct fixture *f = *state;
	struct id_range in_the_way = {.inside = 0, .outside = 1015, .count = 3};
	const struct id_map chosen = {.items = &in_the_way, .count = 1};
	const struct id_range_request pool = {.count = 10, .first = 1000, .last = 1039};
	const struct id_range_request own = {.uids = &chosen, .gids = &chosen};
	uint32_t first, count;

	assert_ok(f, insert_with_ids(f, ID_A, &pool));
	assert_range(f, ID_A, 1000, 10);
	assert_ok(f, insert_with_ids(f, ID_B, &own));
	assert_fails(f, ERR_NOT_FOUND, id_range_load(f->store, ID_B, &first, &count, &f->err));
	assert_ok(f, insert_with_ids(f, ID_C, &pool));
	assert_range(f, ID_C, 1018, 10);
	/* A failed create takes nothing. */
	assert_fails(f, ERR_CONFLICT, insert_with_ids(f, ID_C, &pool));
	assert_ok(f, insert_with_ids(f, ID_D, &pool));
	assert_range(f, ID_D, 1028, 10);
	assert_fails(f, ERR_UNAVAILABLE, insert_with_ids(f, ID_E, &pool));
	/* With the container its ids are free again. */
	assert_ok(f, container_record_delete(f->store, ID_A, NULL, &f->err));
	assert_ok(f, insert_with_ids(f, ID_E, &pool));
	assert_range(f, ID_E, 1000, 10);
}

static void names_the_candidates(void **state)
{
	struct fixture *f = *state;
	struct container_record record = {0};

	assert_ok(f, insert(f, ID_A, "one", NULL));
	assert_ok(f, insert(f, ID_B, "two", NULL));
	assert_true(container_record_find(f->store, "aa", &record, &f->err) < 0);
	assert_string_equal(err_message(&f->err), "Multiple IDs found with provided prefix: aa: "
						  "aaaa00000000 (one), aaaa00000000 (two)");
}

static void refuses_a_taken_name(void **state)
{
	struct fixture *f = *state;

	assert_ok(f, insert(f, ID_A, "web", NULL));
	assert_true(insert(f, ID_B, "web", NULL) < 0);
	assert_int_equal(f->err.kind, ERR_CONFLICT);
	assert_non_null(strstr(err_message(&f->err), "\"/web\" is already in use by container"));
	assert_non_null(strstr(err_message(&f->err), ID_A));
	assert_fails(f, ERR_CONFLICT, insert(f, ID_A, "other", NULL));
	assert_ok(f, insert(f, ID_B, "other", NULL));
	assert_fails(f, ERR_CONFLICT, container_record_rename(f->store, ID_B, "web", &f->err));
	assert_fails(f, ERR_NOT_FOUND, container_record_rename(f->store, ID_C, "x", &f->err));
	assert_ok(f, container_record_rename(f->store, ID_B, "third", &f->err));
	assert_finds(f, "third", ID_B);
}

static void keeps_every_field(void **state)
{
	struct fixture *f = *state;
	auto_(container_record_release) struct container_record record = {0};

	assert_ok(f, insert(f, ID_A, "web", NULL));
	fixture_reopen(f);
	assert_ok(f, container_record_set_config(f->store, ID_A, "{\"b\":2}", &f->err));
	assert_ok(f, container_record_find(f->store, "web", &record, &f->err));
	assert_string_equal(record.name, "web");
	assert_string_equal(record.command, "sh -c true");
	assert_string_equal(record.config, "{\"b\":2}");
	assert_null(record.image_id);
	assert_true(record.created_ns >= 1000);
}

static void lists_newest_first(void **state)
{
	struct fixture *f = *state;
	auto_(container_records_release) struct container_records records = {0};

	assert_ok(f, insert(f, ID_A, "one", NULL));
	assert_ok(f, insert(f, ID_B, "two", NULL));
	assert_ok(f, insert(f, ID_C, "three", NULL));
	assert_ok(f, container_record_list(f->store, &records, &f->err));
	assert_int_equal(records.count, 3);
	assert_string_equal(records.items[0].name, "three");
	assert_string_equal(records.items[2].name, "one");
}

static void delete_gives_back_anonymous_volumes(void **state)
{
	struct fixture *f = *state;
	auto_(strv_release) struct strv volumes = {0}, shared = {0}, freed = {0};
	auto_free char *anonymous = NULL, *other = NULL, *named = NULL;
	bool created;

	assert_ok(f, volume_ensure(f->store, NULL, &anonymous, &created, &f->err));
	assert_ok(f, volume_ensure(f->store, NULL, &other, &created, &f->err));
	assert_ok(f, volume_ensure(f->store, "data", &named, &created, &f->err));
	strv_add(&volumes, anonymous);
	strv_add(&volumes, other);
	strv_add(&volumes, named);
	strv_add(&shared, other);
	assert_ok(f, insert(f, ID_A, "one", &volumes));
	assert_ok(f, insert(f, ID_B, "two", &shared));
	assert_fails(f, ERR_CONFLICT, volume_remove(f->store, anonymous, &f->err));

	assert_ok(f, container_record_delete(f->store, ID_A, &freed, &f->err));
	assert_int_equal(freed.count, 1);
	assert_string_equal(freed.items[0], anonymous);
	assert_ok(f, volume_remove(f->store, anonymous, &f->err));
	assert_fails(f, ERR_NOT_FOUND, container_record_delete(f->store, ID_A, NULL, &f->err));
	assert_ok(f, container_record_delete(f->store, ID_B, NULL, &f->err));
}

static void refuses_an_unknown_volume(void **state)
{
	struct fixture *f = *state;
	auto_(strv_release) struct strv volumes = {0};
	struct container_record record = {0};

	strv_add(&volumes, "nothing");
	assert_fails(f, ERR_NOT_FOUND, insert(f, ID_A, "one", &volumes));
	assert_fails(f, ERR_NOT_FOUND, container_record_find(f->store, "one", &record, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(finds_by_name_id_and_prefix),
		fixture_test(ids_are_given_out_once),
		fixture_test(names_the_candidates),
		fixture_test(refuses_a_taken_name),
		fixture_test(keeps_every_field),
		fixture_test(lists_newest_first),
		fixture_test(delete_gives_back_anonymous_volumes),
		fixture_test(refuses_an_unknown_volume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
