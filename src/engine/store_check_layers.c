/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every layer against its blob.
 *
 * There is no list of what a layer should hold but the blob it came from, so it is unpacked once
 * more, verified as always, and the two trees are compared. It costs what loading costs, and a repair
 * is only a rename: the tree that is known to be right is there already.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "engine/image_internal.h"
#include "engine/store_check_internal.h"
#include "image/manifest.h"
#include "storage/tree_compare.h"

/* Named for one layer; the rest of a ruin is not worth telling. */
#define MAX_DIFFERENCES 10

/* ---- where a layer comes from ---- */

/* The blob at this place in the image's manifest; NULL when it has none that can be read. */
static char *blob_in_manifest(struct store_check *check, const struct image_record *image,
			      size_t position)
{
	auto_(manifest_release) struct manifest manifest = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *path = NULL, *text = NULL;
	size_t len = 0;

	if (!store_check_has_blob(check, image->manifest_digest))
		return NULL;
	path = blob_path(image->manifest_digest);
	if (fd_read_file_at(store_root_fd(check->store), path, MANIFEST_MAX_BYTES, &text, &len) <
		    0 ||
	    manifest_parse(text, len, NULL, &manifest, &ignored) < 0 || position >= manifest.count)
		return NULL;
	return xstrdup(manifest.items[position].digest);
}

/* A good blob of this layer: of what it was unpacked from, or of any image that has it. */
static char *find_source(struct store_check *check, const struct image_layer *layer)
{
	if (store_check_has_blob(check, layer->blob))
		return xstrdup(layer->blob);
	for (size_t i = 0; i < check->images.count; i++) {
		const struct strv *chain_ids = &check->images.items[i].chain_ids;

		for (size_t k = 0; k < chain_ids->count; k++) {
			auto_free char *blob = NULL;

			if (strcmp(chain_ids->items[k], layer->chain_id) != 0)
				continue;
			blob = blob_in_manifest(check, &check->images.items[i], k);
			if (store_check_has_blob(check, blob))
				return TAKE_PTR(blob);
		}
	}
	return NULL;
}

/* ---- unpacking it again ---- */

static int wait_for_helper(struct unpack_helper *helper, struct error *err)
{
	int r = 1;

	while (r > 0) {
		struct pollfd fd = {.fd = helper->result_fd, .events = POLLIN};

		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, errno, "wait for the helper");
		r = unpack_helper_read(helper, err);
	}
	return r;
}

static int unpack_blob(const struct image_layer *layer, int blob_fd, int directory_fd,
		       struct error *err)
{
	auto_(unpack_helper_release) struct unpack_helper helper = {.result_fd = NO_FD};
	auto_(strv_release) struct strv args = {0};
	auto_(json_decref) json_t *answer = NULL;
	struct unpack_start start = {
		.args = &args,
		.input_fd = blob_fd,
		.output_fd = directory_fd,
		.extra_fd = NO_FD,
	};
	struct stat st;
	int r;

	if (fstat(blob_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at a blob");
	strv_add(&args, "layer");
	strv_addf(&args, "--diff-id=%s", layer->diff_id);
	strv_addf(&args, "--max-bytes=%llu",
		  (unsigned long long)layer_expansion_limit((uint64_t)st.st_size));
	r = unpack_helper_start(&start, &helper, err);
	if (r >= 0)
		r = wait_for_helper(&helper, err);
	return r < 0 ? r : unpack_helper_finish(&helper, "layer", &answer, err);
}

/* Into staging/X/`number`; *ret_made is when that began, by the clock of the file system. */
static int unpack_again(struct store_check *check, const struct image_layer *layer,
			const char *blob, size_t number, struct timespec *ret_made,
			struct error *err)
{
	auto_free char *path = blob_path(blob);
	auto_close int blob_fd = NO_FD, directory_fd = NO_FD;
	struct stat st;
	int r;

	blob_fd = openat(store_root_fd(check->store), path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (blob_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the blob %s", blob);
	directory_fd = layer_directory_new(check->staging_fd, number, err);
	if (directory_fd < 0)
		return directory_fd;
	if (fstat(directory_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at a directory");
	*ret_made = st.st_mtim;
	r = unpack_blob(layer, blob_fd, directory_fd, err);
	return r < 0 ? err_wrap(err, r, "layer %s", layer->chain_id) : 0;
}

/* ---- comparing ---- */

static int open_layer(struct store_check *check, const struct image_layer *layer)
{
	auto_free char *diff = layer_diff_path(layer->chain_id);
	auto_free char *path = xstrndup(diff, strlen(diff) - strlen("/diff"));
	int fd = openat(store_root_fd(check->store), path,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The whole of layers/HEX, so that what lies beside "diff" is seen as well. */
static int compare_layer(struct store_check *check, int found_fd, size_t number,
			 const struct timespec *made, struct strv *differences, struct error *err)
{
	auto_free char *name = xasprintf("%zu", number);
	auto_close int expected_fd = NO_FD;
	struct tree_comparison comparison = {
		.found_fd = found_fd,
		.max_differences = MAX_DIFFERENCES,
		.made = *made,
	};

	expected_fd = openat(check->staging_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (expected_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open a directory in staging");
	comparison.expected_fd = expected_fd;
	return tree_compare(&comparison, differences, err);
}

/* ---- setting right ---- */

/* What a running container sees must not vanish beneath it. */
static int is_in_use(struct store_check *check, const struct image_layer *layer, bool *ret_used,
		     struct error *err)
{
	auto_(strv_release) struct strv ids = {0};
	int r = audit_layer_containers(check->store, layer->chain_id, &ids, err);

	*ret_used = false;
	for (size_t i = 0; r >= 0 && i < ids.count; i++)
		*ret_used = *ret_used || image_user_is_running(check->engine, ids.items[i]);
	return r < 0 ? r : 0;
}

static int replace_layer(struct store_check *check, const struct image_layer *layer, size_t number,
			 struct error *err)
{
	auto_free char *name = xasprintf("%zu", number);

	if (syncfs(check->staging_fd) < 0)
		return err_set(err, ERR_SYSTEM, errno, "flush a layer to the disk");
	return layer_replace(check->store, check->staging_fd, name, layer->chain_id, err);
}

static int report_layer(struct store_check *check, const struct image_layer *layer,
			struct store_finding *finding, struct error *err)
{
	auto_free char *what = xasprintf("layer %s", layer->chain_id);
	auto_(strv_release) struct strv users = {0};
	auto_free char *images = NULL;
	int r = audit_layer_users(check->store, layer->chain_id, &users, err);

	if (r < 0)
		return r;
	images = store_check_users(&users);
	finding->what = what;
	finding->images = images;
	store_check_report(check, finding);
	return 0;
}

static int settle_layer(struct store_check *check, const struct image_layer *layer, size_t number,
			bool there, const char *detail, struct error *err)
{
	struct store_finding finding = {
		.fault = there ? FAULT_CHANGED : FAULT_MISSING,
		.detail = detail,
		.remedy = "--repair unpacks it again",
	};
	bool used;
	int r;

	r = is_in_use(check, layer, &used, err);
	if (r < 0)
		return r;
	if (used)
		finding.remedy = "a running container uses it: stop that one, then --repair";
	if (check->request->repair && !used) {
		r = replace_layer(check, layer, number, err);
		if (r < 0)
			return r;
		finding.repaired = true;
	}
	return report_layer(check, layer, &finding, err);
}

static int report_without_source(struct store_check *check, const struct image_layer *layer,
				 bool there, struct error *err)
{
	struct store_finding finding = {
		.fault = there ? FAULT_UNKNOWN : FAULT_MISSING,
		.detail = there ? "no blob of it is whole, so it cannot be judged" : "",
		.remedy = "load or pull the image again after --repair",
	};

	return report_layer(check, layer, &finding, err);
}

static int check_layer(struct store_check *check, const struct image_layer *layer,
		       struct error *err)
{
	auto_free char *source = find_source(check, layer);
	auto_free char *name = xasprintf("%zu", check->staged);
	auto_free char *detail = NULL;
	auto_(strv_release) struct strv differences = {0};
	auto_close int found_fd = open_layer(check, layer);
	struct timespec made;
	int r;

	if (!source)
		return report_without_source(check, layer, found_fd >= 0, err);
	r = unpack_again(check, layer, source, check->staged, &made, err);
	if (r >= 0 && found_fd >= 0)
		r = compare_layer(check, found_fd, check->staged, &made, &differences, err);
	if (r < 0)
		return r;
	detail = strv_join(&differences, "; ");
	if (found_fd < 0 || differences.count > 0)
		r = settle_layer(check, layer, check->staged, found_fd >= 0, detail, err);
	if (r < 0)
		return r;
	/* One tree at a time: that much room is needed, not more. */
	(void)path_remove_tree(check->staging_fd, name);
	check->staged++;
	return 0;
}

int store_check_layers(struct store_check *check, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < check->layers.count; i++)
		r = check_layer(check, &check->layers.items[i], err);
	return r;
}
