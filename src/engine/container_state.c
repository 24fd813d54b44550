/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/container_internal.h"
#include "engine/network_internal.h"
#include "storage/store.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#define EXIT_UNKNOWN 137 /* as if by SIGKILL, which is how it usually was */
#define BURY_TIMEOUT_MS 10000
#define CGROUP_REMOVE_TIMEOUT_MS 5000

static const char *const status_names[] = {
	[CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",     [CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_ORPHANED] = "orphaned", [CONTAINER_EXITED] = "exited",
	[CONTAINER_DEAD] = "dead",
};
#define CONTAINER_STATUS_COUNT 7
static_assert(ARRAY_SIZE(status_names) == CONTAINER_STATUS_COUNT, "every status has a name");

const char *container_status_name(enum container_status status)
{
	return status_names[status];
}

static int open_cgroup(const char *path, struct cgroup_host **ret_host, struct cgroup **ret_group)
{
	int r;

	if (!path || !*path)
		return -ENOENT;
	r = cgroup_host_open(ret_host);
	return r < 0 ? r : cgroup_open(*ret_host, path, ret_group);
}

bool container_is_frozen(int state_fd, const char *cgroup_path)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;

	struct stat st;

	if (fstatat(state_fd, STATE_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !(st.st_mode & STATE_MODE_PAUSED))
		return false;
	return open_cgroup(cgroup_path, &host, &group) == 0 && cgroup_is_frozen(group) == 1;
}

/* Reads what the last run left; the status of a container that is not alive follows from it. */
static int look_at_the_past(const struct container *c, struct container_view *v, struct error *err)
{
	int r;

	if (c->dir_fd < 0) {
		v->status = CONTAINER_DEAD;
		return 0;
	}
	r = container_exit_load(c->dir_fd, &v->exit);
	if (r < 0 && r != -ENOENT && r != -EBADMSG)
		return err_set(err, ERR_SYSTEM, -r, "read %s of container %s", EXIT_FILE_NAME,
			       c->record.name);
	v->has_exit = r == 0;
	if (v->has_exit)
		v->status = v->exit.started_ns ? CONTAINER_EXITED : CONTAINER_CREATED;
	else if (faccessat(c->dir_fd, CONFIG_FILE_NAME, F_OK, 0) == 0)
		v->status = CONTAINER_DEAD;
	else
		v->status = CONTAINER_CREATED;
	if (v->status == CONTAINER_DEAD)
		v->exit.exit_code = EXIT_UNKNOWN; /* not 0, which would look like success */
	return 0;
}

int container_look(const struct container *c, struct container_view *ret_view, struct error *err)
{
	auto_(container_view_release) struct container_view v = {0};
	int r;

	if (c->state_fd >= 0) {
		v.monitor_alive = lock_is_held(c->state_fd, STATE_LOCK_NAME) == 1;
		v.has_state = container_state_load(c->state_fd, &v.state) == 0;
	}
	if (v.has_state && v.monitor_alive)
		v.status = v.state.restarting ? CONTAINER_RESTARTING : CONTAINER_RUNNING;
	else if (v.has_state && process_id_is_alive(&v.state.init))
		v.status = CONTAINER_ORPHANED;
	if (v.status == CONTAINER_RESTARTING) {
		v.has_exit = c->dir_fd >= 0 && container_exit_load(c->dir_fd, &v.exit) == 0;
	} else if (v.status == CONTAINER_CREATED) {
		r = look_at_the_past(c, &v, err);
		if (r < 0)
			return r;
	} else if (container_is_frozen(c->state_fd, v.state.cgroup_path)) {
		v.status = CONTAINER_PAUSED;
	}
	*ret_view = v;
	v = (struct container_view){0};
	return 0;
}

void container_view_release(struct container_view *view)
{
	container_state_release(&view->state);
	container_exit_release(&view->exit);
	*view = (struct container_view){0};
}

bool container_view_is_alive(const struct container_view *view)
{
	return view->status == CONTAINER_RUNNING || view->status == CONTAINER_PAUSED ||
	       view->status == CONTAINER_ORPHANED;
}

int container_require_alive(const struct container *c, const struct container_view *view,
			    struct error *err)
{
	if (container_view_is_alive(view))
		return 0;
	if (view->status == CONTAINER_RESTARTING)
		return err_set(err, ERR_CONFLICT, 0,
			       "Container %s is restarting, wait until the container is running",
			       c->record.id);
	return err_set(err, ERR_CONFLICT, 0, "container %s is not running", c->record.id);
}

/* ---- after a crash ---- */

/* PID 1 goes first: everything in its pid namespace goes with it. */
static void kill_init(const struct process_id *init)
{
	auto_close int pidfd = process_id_open(init);

	if (pidfd < 0)
		return;
	(void)process_signal(pidfd, SIGKILL);
	if (process_wait_end(pidfd, BURY_TIMEOUT_MS) != 1)
		log_debug("engine", "ignoring that process %d does not die", init->pid);
}

/* A frozen process dies only once it is thawed (v1). */
static int clear_cgroup(const char *path, const struct process_id *init, struct error *err)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r;

	r = open_cgroup(path, &host, &group);
	if (r == 0 && cgroup_is_frozen(group) == 1)
		(void)cgroup_freeze(group, false);
	if (init)
		kill_init(init);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = cgroup_kill_all(group);
	if (r == 0)
		r = cgroup_remove(group, CGROUP_REMOVE_TIMEOUT_MS);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "remove the cgroup '%s'", path);
	return 0;
}

static void write_exit(const struct container *c, const struct container_view *v, int exit_code)
{
	struct container_exit record = {
		.exit_code = exit_code >= 0 ? exit_code : EXIT_UNKNOWN,
		.started_ns = v->state.started_ns,
		.finished_ns = clock_now_ns(),
	};
	int r;

	if (c->dir_fd < 0 || faccessat(c->dir_fd, EXIT_FILE_NAME, F_OK, 0) == 0)
		return;
	r = container_exit_save(c->dir_fd, &record);
	if (r < 0)
		log_debug("engine", "ignoring that %s was not written: %d", EXIT_FILE_NAME, r);
}

/* What runtime/ and we ourselves name a container's cgroup when state.json does not say. */
static char *default_cgroup_path(const char *id, const char *parent)
{
	return xasprintf("%s/skiff-%s", parent ? parent : "", id);
}

static int bury_remains(int state_fd, const struct container_view *v, const char *fallback_cgroup,
			struct error *err)
{
	const char *cgroup = v->has_state ? v->state.cgroup_path : fallback_cgroup;

	/* Whoever else holds it asks for a moment only, or does the same as we. */
	auto_close int lock = lock_file(state_fd, STATE_LOCK_NAME, /* wait= */ true);

	if (lock < 0 && lock != -ENOENT)
		return err_set(err, ERR_SYSTEM, -lock, "lock the container's state");
	return clear_cgroup(cgroup, v->has_state ? &v->state.init : NULL, err);
}

static int remove_state(struct engine *engine, const char *id, struct error *err)
{
	auto_free char *path = container_directory_path(id);
	int state_fd = engine_state_fd(engine, err);
	int r;

	if (state_fd < 0)
		return state_fd;
	r = path_remove_tree(state_fd, path);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "remove '%s/%s'", engine_state_path(engine),
			       path);
	return 0;
}

int container_bury(const struct container *c, int exit_code, struct error *err)
{
	auto_(container_view_release) struct container_view v = {0};
	auto_free char *cgroup = NULL;
	int r;

	if (c->state_fd < 0)
		return 0;
	v.has_state = container_state_load(c->state_fd, &v.state) == 0;
	cgroup = default_cgroup_path(c->record.id, c->config.cgroup_parent);
	r = bury_remains(c->state_fd, &v, cgroup, err);
	if (r < 0)
		return err_wrap(err, r, "clean up container %s", c->record.name);
	r = container_network_bury(c, err);
	if (r < 0)
		return err_wrap(err, r, "clean up container %s", c->record.name);
	if (v.has_state)
		write_exit(c, &v, exit_code);
	return remove_state(c->engine, c->record.id, err);
}

int container_bury_state(struct engine *engine, const char *id, struct error *err)
{
	auto_(container_view_release) struct container_view v = {0};
	auto_free char *path = container_directory_path(id);
	auto_free char *cgroup = default_cgroup_path(id, NULL);
	auto_close int fd = NO_FD;
	int state_fd, r;

	state_fd = engine_state_fd(engine, err);
	if (state_fd < 0)
		return state_fd;
	fd = openat(state_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	v.has_state = container_state_load(fd, &v.state) == 0;
	r = bury_remains(fd, &v, cgroup, err);
	return r < 0 ? r : remove_state(engine, id, err);
}
