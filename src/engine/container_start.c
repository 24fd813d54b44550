/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "engine/bundle_write.h"
#include "engine/container_internal.h"
#include "engine/emit.h"
#include "engine/monitor_link.h"
#include "storage/store.h"

/* A container whose monitor is just ending is started again once it has ended. */
static int check_startable(const struct container *c, struct error *err)
{
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_look_settled(c, &view, err);
	if (r < 0)
		return r;
	if (view.status == CONTAINER_PAUSED)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot start a paused container, try unpause instead");
	if (container_view_is_alive(&view) || view.status == CONTAINER_RESTARTING)
		return err_set(err, ERR_CONFLICT, 0, "container %s is already running",
			       c->record.name);
	return container_bury(c, /* exit_code= */ -1, err);
}

static int make_state(struct container *c, struct error *err)
{
	auto_free char *path = container_directory_path(c->record.id);
	int state_fd = engine_state_fd(c->engine, err);

	if (state_fd < 0)
		return state_fd;
	if (mkdirat(state_fd, path, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_SYSTEM, errno, "create '%s/%s'",
			       engine_state_path(c->engine), path);
	return container_reopen_state(c, err);
}

static int launch(struct container *c, int lock_fd, struct monitor_link *link,
		  const struct monitor_link_options *options, struct error *err)
{
	struct monitor_link_launch request = {
		.id = c->record.id,
		.root = engine_root_path(c->engine),
		.state = engine_state_path(c->engine),
		.container_fd = c->dir_fd,
		.state_fd = c->state_fd,
		.lock_fd = lock_fd,
		.options = *options,
	};
	struct store *store;
	int r;

	r = engine_store(c->engine, &store, err);
	if (r < 0)
		return r;
	request.root_fd = store_root_fd(store);
	return monitor_link_launch(link, &request, err);
}

/* A start that never reached its monitor leaves an empty directory; a monitor removes its own. */
static void forget_state(const struct container *c)
{
	auto_free char *path = container_directory_path(c->record.id);
	auto_(error_release) struct error ignored = {0};
	int state_fd = engine_state_fd(c->engine, &ignored);

	if (state_fd >= 0 && unlinkat(state_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_debug("engine", "ignoring: remove '%s': %s", path, errno_text(errno));
}

int container_start(struct engine *engine, const char *selector, struct monitor_link *link,
		    const struct monitor_link_options *options, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(bundle_release) struct bundle bundle = BUNDLE_EMPTY;
	auto_close int lock_fd = NO_FD;
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	lock_fd = container_lock(&c, err);
	if (lock_fd < 0)
		return lock_fd;
	/* Whoever had the lock before us may have started it, or cleaned up. */
	r = container_reopen_state(&c, err);
	if (r < 0)
		return r;
	r = check_startable(&c, err);
	if (r < 0)
		return r;
	r = bundle_write(&c, &bundle, err);
	if (r < 0)
		return r;
	if (unlinkat(c.dir_fd, EXIT_FILE_NAME, 0) < 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, errno, "remove %s", EXIT_FILE_NAME);
	r = make_state(&c, err);
	if (r < 0)
		return r;
	if (options->attach_flags)
		emit_container(&c, "attach", NULL);
	r = launch(&c, lock_fd, link, options, err);
	if (r < 0)
		forget_state(&c);
	return r;
}

int container_attach(struct engine *engine, const char *selector,
		     const struct monitor_link_options *options, struct monitor_link *ret_link,
		     struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	if (view.status == CONTAINER_ORPHANED)
		return err_set(
			err, ERR_CONFLICT, 0,
			"cannot attach to container %s: its monitor is gone, and with it its "
			"input and output; stop it and start it again",
			c.record.name);
	if (view.status == CONTAINER_PAUSED)
		return err_set(err, ERR_CONFLICT, 0,
			       "You cannot attach to a paused container, unpause it first");
	if (view.status == CONTAINER_RESTARTING)
		return err_set(err, ERR_CONFLICT, 0,
			       "You cannot attach to a restarting container, wait until it is "
			       "running");
	if (!container_view_is_alive(&view))
		return err_set(err, ERR_CONFLICT, 0,
			       "You cannot attach to a stopped container, start it first");
	r = monitor_link_attach(c.state_fd, options, ret_link, err);
	if (r >= 0)
		emit_container(&c, "attach", NULL);
	return r;
}
