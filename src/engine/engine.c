/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "engine/settings.h"
#include "storage/store.h"

#define DEFAULT_ROOT "/var/lib/skiff"
#define DEFAULT_STATE "/run/skiff"

struct engine {
	char *root, *state; /* absolute */
	struct store *store;
	int state_fd;
};

static int check_privileges(struct error *err)
{
	if (geteuid() != 0)
		return err_set(err, ERR_DENIED, EPERM,
			       "skiff needs root: run it as root, for instance with sudo "
			       "(containers without root do not exist yet)");
	return 0;
}

/* Absolute, since a monitor has another working directory. */
static int absolute_path(const char *path, const char *option, char **ret_path, struct error *err)
{
	auto_free char *cwd = NULL;
	auto_free char *joined = NULL;

	if (!*path)
		return err_set(err, ERR_INVALID, 0, "%s: empty path", option);
	if (path[0] == '/') {
		joined = xstrdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_set(err, ERR_SYSTEM, errno, "%s: current directory", option);
		joined = xasprintf("%s/%s", cwd, path);
	}
	*ret_path = path_clean(joined);
	return 0;
}

/* As typed, or else as the settings have it; they are read only when they are needed. */
static int choose_paths(struct engine *engine, const struct engine_paths *paths, struct error *err)
{
	const char *root = paths->root, *state = paths->state;
	const struct settings *settings;
	int r;

	if (!root || !state) {
		r = settings_get(&settings, err);
		if (r < 0)
			return r;
		if (!root)
			root = settings->root ? settings->root : DEFAULT_ROOT;
		if (!state)
			state = settings->state ? settings->state : DEFAULT_STATE;
	}
	r = absolute_path(root, "--root", &engine->root, err);
	return r < 0 ? r : absolute_path(state, "--state", &engine->state, err);
}

int engine_open(const struct engine_paths *paths, struct engine **ret_engine, struct error *err)
{
	auto_(engine_close) struct engine *engine = NULL;
	int r;

	r = check_privileges(err);
	if (r < 0)
		return r;
	engine = xcalloc(1, sizeof(*engine));
	engine->state_fd = NO_FD;
	r = choose_paths(engine, paths, err);
	if (r < 0)
		return r;
	/* Directories and files of ours have the modes we give, and containers start with this. */
	(void)umask(022);
	*ret_engine = TAKE_PTR(engine);
	return 0;
}

void engine_close(struct engine *engine)
{
	store_close(engine->store);
	cleanup_close_fd(&engine->state_fd);
	free(engine->root);
	free(engine->state);
	free(engine);
}

int engine_store(struct engine *engine, struct store **ret_store, struct error *err)
{
	int r;

	if (!engine->store) {
		r = store_open(engine->root, &engine->store, err);
		if (r < 0)
			return r;
	}
	*ret_store = engine->store;
	return 0;
}

const char *engine_root_path(const struct engine *engine)
{
	return engine->root;
}

const char *engine_state_path(const struct engine *engine)
{
	return engine->state;
}

/* STATE and STATE/containers. */
static int make_state(const char *path, struct error *err)
{
	auto_free char *containers = xasprintf("%s/containers", path);
	int r;

	r = path_mkdir_private(path);
	if (r == 0 && mkdir(containers, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create state directory '%s'", path);
	return 0;
}

static int check_state(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstatat(fd, "containers", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at '%s/containers'", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return err_set(err, ERR_DENIED, 0,
			       "'%s/containers' is not ours alone (owner %u, mode %o)", path,
			       st.st_uid, st.st_mode & 07777);
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at '%s'", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(err, ERR_DENIED, 0,
			       "state directory '%s' can be changed by others (owner %u, mode %o)",
			       path, st.st_uid, st.st_mode & 07777);
	return 0;
}

int engine_state_fd(struct engine *engine, struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	if (engine->state_fd >= 0)
		return engine->state_fd;
	fd = open(engine->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, "containers", F_OK, 0) < 0) {
		r = make_state(engine->state, err);
		if (r < 0)
			return r;
		cleanup_close_fd(&fd);
		fd = open(engine->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open state directory '%s'", engine->state);
	r = check_state(fd, engine->state, err);
	if (r < 0)
		return r;
	engine->state_fd = TAKE_FD(fd);
	return engine->state_fd;
}
