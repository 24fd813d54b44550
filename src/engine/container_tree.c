/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_tree.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/bundle_write.h"
#include "engine/mount_points.h"
#include "engine/oci_internal.h"
#include "engine/userns_option.h"
#include "runtime/launch_mount.h"
#include "storage/store.h"

void container_tree_release(struct container_tree *tree)
{
	cleanup_close_fd(&tree->fd);
	cleanup_close_fd(&tree->lock_fd);
	container_view_release(&tree->view);
	container_release(&tree->container);
}

/*
 * One that runs needs no lock: it does not begin to run. For another one the lock is taken, and then
 * it is looked at again; that it began in between is rare, and then nobody waits for us.
 */
static int settle(struct container_tree *tree, struct error *err)
{
	struct container *c = &tree->container;
	int r;

	r = container_look_settled(c, &tree->view, err);
	if (r < 0 || container_view_is_alive(&tree->view))
		return r;
	tree->lock_fd = container_lock(c, err);
	if (tree->lock_fd < 0)
		return tree->lock_fd;
	r = container_reopen_state(c, err);
	if (r < 0)
		return r;
	container_view_release(&tree->view);
	r = container_look_settled(c, &tree->view, err);
	if (r >= 0 && container_view_is_alive(&tree->view))
		cleanup_close_fd(&tree->lock_fd);
	return r;
}

/* Files of ours that only a start writes are not mounted before the first one. */
static void drop_missing_files(json_t *mounts, const char *files_path)
{
	size_t len = strlen(files_path);

	for (size_t i = json_array_size(mounts); i-- > 0;) {
		const char *source = json_get_string(json_array_get(mounts, i), "source", "");

		if (strncmp(source, files_path, len) == 0 && source[len] == '/' &&
		    access(source, F_OK) < 0)
			(void)json_array_remove(mounts, i);
	}
}

static int open_tree_of(struct container_tree *tree, enum tree_kind kind, struct error *err)
{
	const struct container *c = &tree->container;
	auto_(launch_mounts_release) struct launch_mounts extras = {0};
	auto_(strv_release) struct strv lowers = {0};
	auto_free char *files = bundle_files_directory(c);
	const struct oci_input input = {
		.config = &c->config,
		.id = c->record.id,
		.root_path = engine_root_path(c->engine),
		.files_path = files,
	};
	auto_(json_decref) json_t *mounts = oci_mounts(&input);
	struct tree_request request;
	struct store *store;
	int r;

	r = engine_store(c->engine, &store, err);
	if (r >= 0)
		r = mount_points_ensure(store_root_fd(store), err);
	if (r < 0)
		return r;
	drop_missing_files(mounts, files);
	bundle_lowers(&c->config, &lowers);
	bundle_mounts(&c->config, /* for_start= */ false, &extras);
	request = (struct tree_request){
		.kind = kind,
		.init = container_view_is_alive(&tree->view) ? &tree->view.state.init : NULL,
		.root_fd = store_root_fd(store),
		.bundle_fd = c->dir_fd,
		.lowers = &lowers,
		.mounts = mounts,
		.mount_extras = &extras,
		.has_user_ns = userns_is_private(&c->config),
		.root_read_only = c->config.read_only,
	};
	tree->fd = tree_open(&request, err);
	return tree->fd < 0 ? tree->fd : 0;
}

int container_tree_open(struct engine *engine, const char *selector, enum tree_kind kind,
			struct container_tree *tree, struct error *err)
{
	int r;

	r = container_open(engine, selector, &tree->container, err);
	if (r < 0)
		return r;
	if (tree->container.dir_fd < 0)
		return err_set(err, ERR_NOT_FOUND, 0, "the files of container %s are gone",
			       tree->container.record.name);
	r = settle(tree, err);
	return r < 0 ? r : open_tree_of(tree, kind, err);
}
