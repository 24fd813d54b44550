/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "storage/container_record.h"
#include "storage/image_record.h"

#define DIGEST(c) "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define BASE_LAYER DIGEST("a1")
#define TOP_LAYER DIGEST("a2")
#define IMAGE DIGEST("b1")
#define OTHER DIGEST("b2")
#define CONTAINER "cccc000000000000000000000000000000000000000000000000000000000003"

/* An image of the base layer and, when `top` is given, that layer too; with files in place. */
static int add_image(struct fixture *f, const char *id, const char *top, const char *name)
{
	struct image_layer layers[2] = {
		{.chain_id = (char *)BASE_LAYER, .diff_id = (char *)BASE_LAYER, .size_bytes = 100},
		{.chain_id = (char *)top, .diff_id = (char *)top, .size_bytes = 10},
	};
	struct image_blob blob = {.digest = (char *)id, .size_bytes = 2};
	auto_(strv_release) struct strv names = {0};
	struct image_addition addition = {
		.id = id,
		.config = "{}",
		.manifest_digest = id,
		.created_ns = 5,
		.layers = layers,
		.layer_count = top ? 2 : 1,
		.blobs = &blob,
		.blob_count = 1,
		.names = &names,
	};
	auto_free char *staging = NULL;
	auto_close int staging_fd = NO_FD, hold_fd = NO_FD;

	if (name)
		strv_add(&names, name);
	assert_ok(f, image_store_begin(f->store, &hold_fd, &f->err));
	assert_ok(f, store_staging_new(f->store, &staging, &staging_fd, &f->err));
	for (size_t i = 0; i < addition.layer_count; i++) {
		(void)mkdirat(staging_fd, "layer", 0700);
		(void)mkdirat(staging_fd, "layer/diff", 0755);
		assert_ok(f,
			  layer_place(f->store, staging_fd, "layer", layers[i].chain_id, &f->err));
	}
	{
		auto_close int fd = openat(staging_fd, "blob", O_CREAT | O_WRONLY, 0600);

		assert_int_equal(write(fd, "{}", 2), 2);
	}
	assert_ok(f, blob_place(f->store, staging_fd, "blob", id, &f->err));
	assert_ok(f, image_record_insert(f->store, &addition, &f->err));
	return path_remove_tree(store_root_fd(f->store), staging);
}

static void finds_by_name_and_id(void **state)
{
	static const char *const selectors[] = {
		"docker.io/library/alpine:3.18", IMAGE, &IMAGE[7], "b1b1", "sha256:b1",
	};
	struct fixture *f = *state;
	struct image_record none = {0};

	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, selectors[0]));
	assert_ok(f, add_image(f, OTHER, NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		auto_(image_record_release) struct image_record record = {0};

		assert_ok(f, image_record_find(f->store, selectors[i], &record, &f->err));
		assert_string_equal(record.id, IMAGE);
		assert_int_equal(record.size_bytes, 110);
		assert_int_equal(record.chain_ids.count, 2);
		assert_string_equal(record.chain_ids.items[0], BASE_LAYER);
		assert_string_equal(record.chain_ids.items[1], TOP_LAYER);
		assert_int_equal(record.names.count, 1);
	}
	assert_fails(f, ERR_CONFLICT, image_record_find(f->store, "b", &none, &f->err));
	assert_fails(f, ERR_NOT_FOUND, image_record_find(f->store, "c", &none, &f->err));
	assert_fails(f, ERR_NOT_FOUND, image_record_find(f->store, "sha256:", &none, &f->err));
}

static void a_name_moves(void **state)
{
	struct fixture *f = *state;
	auto_(image_records_release) struct image_records records = {0};

	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, "x:1"));
	assert_ok(f, add_image(f, OTHER, NULL, "x:1"));
	assert_ok(f, image_record_tag(f->store, IMAGE, "x:2", &f->err));
	assert_ok(f, image_record_tag(f->store, IMAGE, "x:3", &f->err));
	assert_ok(f, image_record_untag(f->store, "x:3", &f->err));
	assert_fails(f, ERR_NOT_FOUND, image_record_untag(f->store, "x:3", &f->err));
	assert_fails(f, ERR_NOT_FOUND, image_record_tag(f->store, DIGEST("ff"), "y", &f->err));
	assert_ok(f, image_record_list(f->store, &records, &f->err));
	assert_int_equal(records.count, 2);
	assert_string_equal(records.items[0].id, OTHER);
	assert_string_equal(records.items[0].names.items[0], "x:1");
	assert_string_equal(records.items[1].names.items[0], "x:2");
}

static void removal_keeps_shared_layers(void **state)
{
	struct fixture *f = *state;
	auto_(image_removal_release) struct image_removal removal = {0};

	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, "x:1"));
	assert_ok(f, add_image(f, OTHER, NULL, "y:1"));
	assert_ok(f, image_record_remove(f->store, IMAGE, false, &removal, &f->err));
	assert_int_equal(removal.chain_ids.count, 1);
	assert_string_equal(removal.chain_ids.items[0], TOP_LAYER);
	assert_int_equal(layer_is_stored(f->store, BASE_LAYER, &f->err), 1);
	assert_int_equal(layer_is_stored(f->store, TOP_LAYER, &f->err), 0);
	assert_int_equal(blob_is_stored(f->store, IMAGE, 2, &f->err), 0);
	assert_int_equal(blob_is_stored(f->store, OTHER, 2, &f->err), 1);
	assert_fails(f, ERR_INVALID, blob_is_stored(f->store, OTHER, 3, &f->err));
}

static void insert_container(struct fixture *f)
{
	struct container_record record = {
		.id = (char *)CONTAINER,
		.name = (char *)"web",
		.image_id = (char *)IMAGE,
		.config = (char *)"{}",
	};

	assert_ok(f, container_record_insert(f->store, &record, NULL, &f->err));
}

static void a_forgotten_image_goes_with_its_last_container(void **state)
{
	struct fixture *f = *state;
	auto_(image_removal_release) struct image_removal removal = {0};
	auto_(image_record_release) struct image_record record = {0};
	auto_(image_records_release) struct image_records records = {0};
	auto_(strv_release) struct strv users = {0};

	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, "x:1"));
	insert_container(f);
	assert_ok(f, image_record_users(f->store, IMAGE, &users, &f->err));
	assert_int_equal(users.count, 1);
	assert_fails(f, ERR_CONFLICT,
		     image_record_remove(f->store, IMAGE, false, &removal, &f->err));
	assert_ok(f, image_record_remove(f->store, IMAGE, true, &removal, &f->err));
	assert_true(removal.forgotten);
	assert_ok(f, image_record_list(f->store, &records, &f->err));
	assert_int_equal(records.count, 0);
	assert_fails(f, ERR_NOT_FOUND, image_record_find(f->store, "x:1", &record, &f->err));
	assert_ok(f, image_record_find(f->store, IMAGE, &record, &f->err));
	assert_int_equal(layer_is_stored(f->store, TOP_LAYER, &f->err), 1);
	assert_ok(f, container_record_delete(f->store, CONTAINER, NULL, &f->err));
	assert_int_equal(layer_is_stored(f->store, TOP_LAYER, &f->err), 0);
	assert_int_equal(layer_is_stored(f->store, BASE_LAYER, &f->err), 0);
}

static void a_forgotten_image_comes_back_when_loaded(void **state)
{
	struct fixture *f = *state;
	auto_(image_removal_release) struct image_removal removal = {0};
	auto_(image_record_release) struct image_record record = {0};

	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, "x:1"));
	insert_container(f);
	assert_ok(f, image_record_remove(f->store, IMAGE, true, &removal, &f->err));
	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, "x:1"));
	assert_ok(f, container_record_delete(f->store, CONTAINER, NULL, &f->err));
	assert_ok(f, image_record_find(f->store, "x:1", &record, &f->err));
}

static void nothing_is_removed_under_a_loader(void **state)
{
	struct fixture *f = *state;
	auto_(image_removal_release) struct image_removal removal = {0};
	auto_close int hold_fd = NO_FD;
	uint64_t bytes;

	assert_ok(f, add_image(f, IMAGE, TOP_LAYER, "x:1"));
	assert_ok(f, image_store_begin(f->store, &hold_fd, &f->err));
	assert_ok(f, image_record_remove(f->store, IMAGE, false, &removal, &f->err));
	assert_int_equal(layer_is_stored(f->store, TOP_LAYER, &f->err), 1);
	cleanup_close_fd(&hold_fd);
	assert_ok(f, store_sweep(f->store, &bytes, &f->err));
	assert_int_equal(layer_is_stored(f->store, TOP_LAYER, &f->err), 0);
}

static void a_container_needs_its_image(void **state)
{
	struct fixture *f = *state;
	struct container_record record = {
		.id = (char *)CONTAINER,
		.name = (char *)"web",
		.image_id = (char *)IMAGE,
		.config = (char *)"{}",
	};

	assert_fails(f, ERR_NOT_FOUND, container_record_insert(f->store, &record, NULL, &f->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(finds_by_name_and_id),
		fixture_test(a_name_moves),
		fixture_test(removal_keeps_shared_layers),
		fixture_test(a_forgotten_image_goes_with_its_last_container),
		fixture_test(a_forgotten_image_comes_back_when_loaded),
		fixture_test(nothing_is_removed_under_a_loader),
		fixture_test(a_container_needs_its_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
