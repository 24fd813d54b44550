/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/container_internal.h"
#include "engine/container_name.h"
#include "engine/emit.h"
#include "engine/network_internal.h"
#include "engine/prune_filter.h"
#include "engine/volume_internal.h"
#include "storage/store.h"

#define FORCE_TIMEOUT_S 10
#define TREE_MAX_DEPTH 64

static void remove_volumes(struct engine *engine, const struct strv *names)
{
	auto_(error_release) struct error ignored = {0};

	for (size_t i = 0; i < names->count; i++)
		if (volume_destroy(engine, names->items[i], &ignored) < 0)
			log_debug("engine", "ignoring: %s", err_message(&ignored));
}

/* Forgotten first: from then on nobody can start it, and what is killed here is swept later. */
int container_erase(const struct container *c, bool volumes, struct error *err)
{
	auto_(strv_release) struct strv anonymous = {0};
	auto_free char *path = container_directory_path(c->record.id);
	struct store *store;
	int r;

	r = engine_store(c->engine, &store, err);
	if (r < 0)
		return r;
	r = container_record_delete(store, c->record.id, volumes ? &anonymous : NULL, err);
	if (r < 0)
		return r;
	r = path_remove_tree(store_root_fd(store), path);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "remove '%s/%s'", engine_root_path(c->engine),
			       path);
	remove_volumes(c->engine, &anonymous);
	emit_container(c, "destroy", NULL);
	return 0;
}

static int refuse_alive(const struct container *c, const struct container_view *view,
			struct error *err)
{
	if (view->status == CONTAINER_PAUSED)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot remove container \"/%s\": container is paused and must be "
			       "unpaused first",
			       c->record.name);
	if (view->status == CONTAINER_RESTARTING)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot remove container \"/%s\": container is restarting: stop the "
			       "container before removing or force remove",
			       c->record.name);
	return err_set(err, ERR_CONFLICT, 0,
		       "cannot remove container \"/%s\": container is running: stop the container "
		       "before removing or force remove",
		       c->record.name);
}

/* With the lock held: what is not alive is cleaned up and removed. */
static int remove_locked(struct container *c, bool volumes, struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_reopen_state(c, err);
	if (r < 0)
		return r;
	r = container_look_settled(c, &view, err);
	if (r < 0)
		return r;
	if (container_view_is_alive(&view) || view.status == CONTAINER_RESTARTING)
		return refuse_alive(c, &view, err);
	r = container_bury(c, /* exit_code= */ -1, err);
	return r < 0 ? r : container_erase(c, volumes, err);
}

static int lock_and_remove(struct container *c, bool volumes, struct error *err)
{
	auto_close int lock_fd = NO_FD;

	if (c->dir_fd >= 0) {
		lock_fd = container_lock(c, err);
		if (lock_fd < 0)
			return lock_fd;
	}
	return remove_locked(c, volumes, err);
}

static int force_end(struct container *c, struct error *err)
{
	const struct end_request request = {
		.signal = SIGKILL,
		.timeout_s = FORCE_TIMEOUT_S,
		.mark = {.cancels = true, .by_hand = true},
	};
	int r = container_end_and_bury(c, &request, err);

	return r < 0 ? err_wrap(err, r, "remove container %s", c->record.name) : r;
}

int container_remove(struct engine *engine, const char *selector,
		     const struct remove_request *request, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	bool volumes;
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	volumes = request->volumes || c.config.auto_remove;
	if (request->force && c.state_fd >= 0)
		r = force_end(&c, err);
	if (r >= 0)
		r = lock_and_remove(&c, volumes, err);
	/* It was started while we looked: once more, this time it is known to run. */
	if (r < 0 && request->force && err->kind == ERR_CONFLICT) {
		error_release(err);
		r = force_end(&c, err);
		if (r >= 0)
			r = lock_and_remove(&c, volumes, err);
	}
	if (r < 0 && request->force && err->kind == ERR_NOT_FOUND) {
		error_release(err); /* --rm, or another rm -f: it is gone, as was wished */
		return 0;
	}
	return r;
}

/* Nobody sees these directories any more: the overlay went with the container's last process. */
void container_discard_writes(struct engine *engine, const char *id)
{
	static const char *const names[] = {"upper", "work"};
	auto_(error_release) struct error ignored = {0};
	auto_free char *path = container_directory_path(id);
	auto_close int fd = NO_FD;
	struct store *store;

	if (engine_store(engine, &store, &ignored) < 0)
		return;
	fd = path_open_beneath(store_root_fd(store), path, O_RDONLY | O_DIRECTORY, 0);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(names); i++)
		(void)path_remove_tree(fd, names[i]);
}

static void emit_rename(struct container *c, const char *old)
{
	auto_free char *old_name = xasprintf("/%s", old);
	const struct event_attribute more[] = {{"oldName", old_name}, {0}};

	emit_container(c, "rename", more);
}

/* The record first; should others not learn of it, the old name is the true one again. */
static int rename_locked(struct container *c, const char *name, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	auto_free char *old_name = TAKE_PTR(c->record.name);
	struct store *store;
	int r;

	c->record.name = xstrdup(name);
	r = engine_store(c->engine, &store, err);
	if (r >= 0)
		r = container_record_rename(store, c->record.id, name, err);
	if (r < 0)
		return r;
	r = container_names_follow(c, err);
	if (r < 0) {
		(void)container_record_rename(store, c->record.id, old_name, &ignored);
		return r;
	}
	emit_rename(c, old_name);
	return 0;
}

int container_rename(struct engine *engine, const char *selector, const char *name,
		     struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_close int lock_fd = NO_FD;
	int r;

	r = container_name_check(name, &name, err);
	if (r < 0)
		return r;
	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	if (strcmp(c.record.name, name) == 0)
		return err_set(err, ERR_INVALID, 0,
			       "Renaming a container with the same name as its current name");
	lock_fd = container_lock(&c, err);
	return lock_fd < 0 ? lock_fd : rename_locked(&c, name, err);
}

/* ---- prune ---- */

/* What a tree occupies; links are not followed, what cannot be read counts nothing. */
static uint64_t tree_bytes(int dir_fd, const char *name, unsigned int depth)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t bytes = 0;

	if (!dir) {
		cleanup_close_fd(&fd);
		return 0;
	}
	while ((entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bytes += (uint64_t)st.st_blocks * 512;
		if (S_ISDIR(st.st_mode) && depth < TREE_MAX_DEPTH)
			bytes += tree_bytes(dirfd(dir), entry->d_name, depth + 1);
	}
	return bytes;
}

static bool is_to_prune(const struct container *c, const struct prune_filter *filter)
{
	return prune_filter_matches(filter, c->record.created_ns, &c->config.labels);
}

static int prune_container(struct engine *engine, const char *id, const struct prune_filter *filter,
			   struct prune_result *result, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	uint64_t bytes;
	int r;

	r = container_open(engine, id, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	/* With its monitor it is starting or ending: not stopped. */
	if (container_view_is_alive(&view) || view.monitor_alive || !is_to_prune(&c, filter))
		return 0;
	bytes = c.dir_fd < 0 ? 0 : tree_bytes(c.dir_fd, ".", 0);
	r = lock_and_remove(&c, c.config.auto_remove, err);
	if (r < 0)
		return r;
	strv_add(&result->ids, id);
	result->bytes += bytes;
	return 0;
}

static int prune_records(struct engine *engine, struct store *store,
			 const struct prune_filter *filter, struct prune_result *result,
			 struct error *err)
{
	auto_(container_records_release) struct container_records records = {0};
	int r;

	r = container_record_list(store, &records, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < records.count; i++) {
		r = prune_container(engine, records.items[i].id, filter, result, err);
		/* Started or removed by somebody else meanwhile: not ours to prune. */
		if (r < 0 && err->kind != ERR_NOT_FOUND && err->kind != ERR_CONFLICT)
			return r;
		error_release(err);
	}
	return 0;
}

static bool has_record(struct store *store, const char *id)
{
	auto_(container_record_release) struct container_record record = {0};
	auto_(error_release) struct error ignored = {0};

	return container_record_find(store, id, &record, &ignored) == 0 ||
	       ignored.kind != ERR_NOT_FOUND;
}

/* Nobody's monitor and nobody's process: also not those of a store elsewhere with this STATE. */
static bool state_is_dead(int containers_fd, const char *id)
{
	auto_(container_state_release) struct container_state state = {0};
	auto_close int fd =
		openat(containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || lock_is_held(fd, STATE_LOCK_NAME) == 1)
		return false;
	return container_state_load(fd, &state) < 0 || !process_id_is_alive(&state.init);
}

static int prune_states(struct engine *engine, struct store *store, struct error *err)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	int state_fd, fd, r;

	state_fd = engine_state_fd(engine, err);
	if (state_fd < 0)
		return state_fd;
	fd = openat(state_fd, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = -errno;
		cleanup_close_fd(&fd);
		return err_set(err, ERR_SYSTEM, -r, "read '%s/containers'",
			       engine_state_path(engine));
	}
	while ((entry = readdir(dir))) {
		if (!hex_is(entry->d_name, 64) || has_record(store, entry->d_name) ||
		    !state_is_dead(dirfd(dir), entry->d_name))
			continue;
		r = container_bury_state(engine, entry->d_name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int container_prune(struct engine *engine, const struct strv *filters,
		    struct prune_result *ret_result, struct error *err)
{
	auto_(prune_filter_release) struct prune_filter filter = {0};
	auto_(prune_result_release) struct prune_result result = {0};
	struct store *store;
	uint64_t swept = 0;
	int r;

	r = prune_filter_parse(filters, /* with_dangling= */ false, &filter, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = prune_records(engine, store, &filter, &result, err);
	if (r < 0)
		return r;
	r = prune_states(engine, store, err);
	if (r < 0)
		return r;
	network_sweep(engine);
	r = store_sweep(store, &swept, err);
	if (r < 0)
		return r;
	result.bytes += swept;
	emit_prune(engine, "container", result.bytes);
	*ret_result = result;
	result = (struct prune_result){0};
	return 0;
}

void prune_result_release(struct prune_result *result)
{
	strv_release(&result->ids);
	*result = (struct prune_result){0};
}
