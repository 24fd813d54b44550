/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "engine/container_internal.h"
#include "storage/store.h"

char *container_directory_path(const char *id)
{
	return xasprintf("containers/%s", id);
}

char *container_layer_path(const char *chain_id)
{
	const char *colon = strchr(chain_id, ':');

	return xasprintf("layers/%s/diff", colon ? colon + 1 : chain_id);
}

static int find_record(struct engine *engine, const char *selector, struct container_record *record,
		       struct error *err)
{
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	return container_record_find(store, selector, record, err);
}

int container_resolve(struct engine *engine, const char *selector, char ret_id[65],
		      struct error *err)
{
	auto_(container_record_release) struct container_record record = {0};
	int r;

	r = find_record(engine, selector, &record, err);
	if (r < 0)
		return r;
	(void)snprintf(ret_id, 65, "%s", record.id);
	return 0;
}

static int open_directory(struct engine *engine, struct container *c, struct error *err)
{
	auto_free char *path = container_directory_path(c->record.id);
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	c->dir_fd =
		openat(store_root_fd(store), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir_fd < 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, errno, "open '%s/%s'", engine_root_path(engine),
			       path);
	if (c->dir_fd < 0)
		c->dir_fd = NO_FD;
	return 0;
}

int container_reopen_state(struct container *c, struct error *err)
{
	auto_free char *path = container_directory_path(c->record.id);
	int state_fd;

	cleanup_close_fd(&c->state_fd);
	state_fd = engine_state_fd(c->engine, err);
	if (state_fd < 0)
		return state_fd;
	c->state_fd = openat(state_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->state_fd < 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, errno, "open '%s/%s'", engine_state_path(c->engine),
			       path);
	if (c->state_fd < 0)
		c->state_fd = NO_FD;
	return 0;
}

int container_open(struct engine *engine, const char *selector, struct container *ret_container,
		   struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	int r;

	c.engine = engine;
	r = find_record(engine, selector, &c.record, err);
	if (r < 0)
		return r;
	r = container_config_parse(c.record.config, &c.config, err);
	if (r < 0)
		return err_wrap(err, r, "container %s", c.record.name);
	r = open_directory(engine, &c, err);
	if (r < 0)
		return r;
	r = container_reopen_state(&c, err);
	if (r < 0)
		return r;
	*ret_container = c;
	c = CONTAINER_EMPTY;
	return 0;
}

void container_release(struct container *c)
{
	container_record_release(&c->record);
	container_config_release(&c->config);
	cleanup_close_fd(&c->dir_fd);
	cleanup_close_fd(&c->state_fd);
}

int container_lock(const struct container *c, struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;
	int r;

	if (c->dir_fd < 0)
		return err_set(err, ERR_NOT_FOUND, 0,
			       "the directory of container %s is missing: it can only be removed",
			       c->record.name);
	/* Opened anew: dir_fd is passed to monitors, and a lock would go with it. */
	fd = openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the directory of container %s",
			       c->record.name);
	r = lock_fd(fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock container %s", c->record.name);
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such container: %s", c->record.name);
	return TAKE_FD(fd);
}
