/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store_check.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/image.h"
#include "engine/store_check_internal.h"

#define VOLUMES_PREFIX "volumes/"

static const char *const fault_names[] = {"missing", "extra", "changed", "unknown"};
static_assert(ARRAY_SIZE(fault_names) == STORE_FAULT_COUNT, "a name for each");

const char *store_fault_name(enum store_fault fault)
{
	return fault_names[fault];
}

static void check_release(struct store_check *check)
{
	image_records_release(&check->images);
	audit_layers_release(&check->layers);
	audit_blobs_release(&check->blobs);
	free(check->blob_is_good);
	strv_release(&check->bad_blobs);
	strv_release(&check->unreachable);
	if (check->staging)
		(void)path_remove_tree(store_root_fd(check->store), check->staging);
	free(check->staging);
	cleanup_close_fd(&check->staging_fd);
	cleanup_close_fd(&check->hold_fd);
}

DEFINE_CLEANUP_VALUE(struct store_check, check_release);

void store_check_report(struct store_check *check, const struct store_finding *finding)
{
	check->result.findings++;
	check->result.repaired += finding->repaired;
	check->request->found(check->request->context, finding);
}

char *store_check_users(const struct strv *images)
{
	auto_(strv_release) struct strv familiar = {0};

	for (size_t i = 0; i < images->count; i++)
		strv_add_take(&familiar, image_familiar_name(images->items[i]));
	return strv_join(&familiar, ", ");
}

static int check_database(struct store_check *check, struct error *err)
{
	auto_(strv_release) struct strv faults = {0};
	int r;

	r = audit_database(check->store, &faults, err);
	for (size_t i = 0; r >= 0 && i < faults.count; i++) {
		const struct store_finding finding = {
			.fault = FAULT_CHANGED,
			.what = "skiff.db",
			.detail = faults.items[i],
			.images = "",
			.remedy = "",
		};

		store_check_report(check, &finding);
	}
	return r;
}

/* ---- what nobody knows, and what nobody has ---- */

/* A volume is data of somebody's; what lies at the top of the store was put there by somebody. */
static bool may_remove(const char *path)
{
	return strchr(path, '/') && strncmp(path, VOLUMES_PREFIX, strlen(VOLUMES_PREFIX)) != 0;
}

static int remove_strays(struct store_check *check, const struct strv *paths, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < paths->count; i++)
		if (may_remove(paths->items[i]) && strncmp(paths->items[i], "oci/", 4) == 0 &&
		    strncmp(paths->items[i], "oci/blobs/sha256/", 17) != 0)
			r = path_remove_tree(store_root_fd(check->store), paths->items[i]);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "remove what does not belong there");
	return 0;
}

static int check_strays(struct store_check *check, struct error *err)
{
	auto_(strv_release) struct strv paths = {0};
	uint64_t bytes;
	bool busy;
	int r;

	r = audit_strays(check->store, &paths, &busy, err);
	/* The sweep proves once more that nobody needs them. */
	if (r >= 0 && check->request->repair && paths.count > 0)
		r = store_sweep(check->store, &bytes, err);
	if (r >= 0 && check->request->repair)
		r = remove_strays(check, &paths, err);
	for (size_t i = 0; r >= 0 && i < paths.count; i++) {
		const bool removable = may_remove(paths.items[i]);
		const struct store_finding finding = {
			.fault = FAULT_EXTRA,
			.what = paths.items[i],
			.detail = "nobody knows it",
			.images = "",
			.repaired = check->request->repair && removable,
			.remedy = removable ? "--repair removes it"
					    : "not removed by --repair: look at it yourself",
		};

		store_check_report(check, &finding);
	}
	return r;
}

static void report_lost(struct store_check *check, const char *kind, const struct strv *names)
{
	for (size_t i = 0; i < names->count; i++) {
		auto_free char *what = xasprintf("%s %s", kind, names->items[i]);
		const struct store_finding finding = {
			.fault = FAULT_MISSING,
			.what = what,
			.detail = "its files are gone",
			.images = "",
			.remedy = "remove it",
		};

		store_check_report(check, &finding);
	}
}

static int check_lost(struct store_check *check, struct error *err)
{
	auto_(strv_release) struct strv containers = {0}, volumes = {0};
	int r;

	r = audit_lost_directories(check->store, &containers, &volumes, err);
	if (r < 0)
		return r;
	report_lost(check, "container", &containers);
	report_lost(check, "volume", &volumes);
	return 0;
}

/* ---- in order ---- */

static int check_images(struct store_check *check, struct error *err)
{
	int r;

	r = image_store_begin(check->store, &check->hold_fd, err);
	if (r >= 0)
		r = audit_images_list(check->store, &check->images, err);
	if (r >= 0)
		r = audit_layers_list(check->store, &check->layers, err);
	if (r >= 0)
		r = audit_blobs_list(check->store, &check->blobs, err);
	if (r >= 0)
		r = store_staging_new(check->store, &check->staging, &check->staging_fd, err);
	if (r < 0)
		return r;
	check->result.images = check->images.count;
	check->result.layers = check->layers.count;
	check->result.blobs = check->blobs.count;
	r = store_check_blobs(check, err);
	if (r >= 0)
		r = store_check_layers(check, err);
	cleanup_close_fd(&check->hold_fd);
	return r;
}

int store_check(struct engine *engine, const struct store_check_request *request,
		struct store_check_result *ret_result, struct error *err)
{
	auto_(check_release) struct store_check check = {
		.engine = engine,
		.request = request,
		.staging_fd = NO_FD,
		.hold_fd = NO_FD,
	};
	int r;

	r = engine_store(engine, &check.store, err);
	if (r >= 0)
		r = check_database(&check, err);
	if (r >= 0)
		r = check_strays(&check, err);
	if (r >= 0)
		r = check_images(&check, err);
	if (r >= 0)
		r = check_lost(&check, err);
	if (r >= 0 && check.request->repair && check.bad_blobs.count > 0)
		r = blobs_discard(check.store, &check.bad_blobs, err);
	if (r < 0)
		return r;
	*ret_result = check.result;
	return 0;
}
