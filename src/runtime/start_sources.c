/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_sources.c - what is mounted from outside: binds, and what launch.json adds to them
 *
 * The parent makes of each a mount that is attached nowhere: from here on nothing that happens to a path on
 * the host matters. The child changes what is to be changed in it, restricts it, and attaches it.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/root_overlay.h"
#include "runtime/start_internal.h"
#include "sys/id_map.h"
#include "sys/mount.h"

/* ---- in the parent ---- */

/* An empty directory with those of an overlay; what an earlier start wrote goes. */
static int make_upper(int bundle_fd, const char *path, struct error *err)
{
	auto_free char *parent = xstrndup(path, (size_t)(path_basename(path) - path));
	auto_close int fd = NO_FD;
	int r;

	(void)mkdirat(bundle_fd, parent, 0700);
	r = path_remove_tree(bundle_fd, path);
	if (r >= 0 && mkdirat(bundle_fd, path, 0700) < 0)
		r = -errno;
	if (r >= 0)
		fd = path_open_beneath(bundle_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (r >= 0 && fd < 0)
		r = fd;
	if (r >= 0 &&
	    (mkdirat(fd, ROOT_UPPER_NAME, 0755) < 0 || mkdirat(fd, ROOT_WORK_NAME, 0700) < 0))
		r = -errno;
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "make '%s'", path) : TAKE_FD(fd);
}

static int mount_layers(const struct start *start, const struct launch_mount *extra,
			struct error *err)
{
	auto_close int upper_fd = NO_FD;
	struct root_overlay overlay = {
		.root_fd = start->request->root_fd,
		.bundle_fd = NO_FD,
		.lowers = &extra->lowers,
		.use = ROOT_OF_IMAGE,
		.user_ns_fd = NO_FD,
	};

	if (extra->upper) {
		upper_fd = make_upper(start->request->bundle_fd, extra->upper, err);
		if (upper_fd < 0)
			return upper_fd;
		overlay.bundle_fd = upper_fd;
		overlay.use = ROOT_FOR_WRITING;
		overlay.is_volatile = true;
	}
	return root_overlay_mount(&overlay, err);
}

/*
 * A directory or a file of the host, or one in an overlay or filesystem of its own; an O_PATH descriptor or a
 * detached mount. Paths are the caller's own (the command line or the engine), resolved as root of
 * the host, links included, as docker does.
 */
static int open_whole(const struct start *start, const struct spec_mount *mount,
		      const struct launch_mount *extra, struct error *err)
{
	int fd;

	if (extra && extra->lowers.count)
		return mount_layers(start, extra, err);
	if (extra && extra->host_filesystem)
		return mount_filesystem(mount, /* attributes= */ 0, err);
	fd = open(mount->source, O_PATH | O_CLOEXEC);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "bind source '%s'", mount->source) : fd;
}

/* Whoever writes to the volume may have put links in the way: none leads out of it. */
static int open_below(int whole_fd, const struct launch_mount *extra, struct error *err)
{
	int fd = path_open_in_root(whole_fd, extra->subpath, O_PATH, 0);

	return fd < 0 ? err_set(err, ERR_INVALID, -fd,
				"cannot access subpath '%s' of the mount on '%s'", extra->subpath,
				extra->destination)
		      : fd;
}

/* A detached copy of the mount that the path leads to. */
static int copy_source(int path_fd, const struct spec_mount *mount, struct error *err)
{
	auto_close int mount_fd = mount_copy_peer(path_fd, mount->bind_recursive);
	int r;

	/* FIXME(kernel 6.15): a mount that is attached nowhere cannot be copied before, but used once. */
	if (mount_fd == -EINVAL)
		mount_fd = fcntl(path_fd, F_DUPFD_CLOEXEC, 3);
	if (mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -mount_fd, "copy the mount of '%s'", mount->source);
	r = mount_change(mount_fd, 0, 0, mount->propagation ? mount->propagation : MS_PRIVATE,
			 mount->bind_recursive);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "propagation of '%s'", mount->source);
	return TAKE_FD(mount_fd);
}

static int open_map(const struct spec_mount *mount, struct error *err)
{
	int fd = id_map_namespace(mount->uid_map, mount->gid_map);

	return fd < 0 ? err_set(err, ERR_SYSTEM, -fd, "make the id mapping of the mount on '%s'",
				mount->destination)
		      : fd;
}

static int open_source(const struct start *start, const struct spec_mount *mount,
		       const struct launch_mount *extra, struct start_source *ret_source,
		       struct error *err)
{
	auto_close int fd = NO_FD, below_fd = NO_FD, mount_fd = NO_FD, map_fd = NO_FD;
	bool is_detached = extra && (extra->lowers.count || extra->host_filesystem);
	struct stat st;

	fd = open_whole(start, mount, extra, err);
	if (fd < 0)
		return fd;
	if (extra && extra->subpath) {
		below_fd = open_below(fd, extra, err);
		if (below_fd < 0)
			return below_fd;
	}
	if (is_detached && below_fd < 0)
		mount_fd = TAKE_FD(fd);
	else
		mount_fd = copy_source(below_fd < 0 ? fd : below_fd, mount, err);
	if (mount_fd < 0)
		return mount_fd;
	if (mount->uid_map) {
		map_fd = open_map(mount, err);
		if (map_fd < 0)
			return map_fd;
	}
	if (fstat(mount_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "bind source '%s'", mount->source);
	ret_source->is_dir = S_ISDIR(st.st_mode);
	ret_source->extra = extra;
	ret_source->mount_fd = TAKE_FD(mount_fd);
	ret_source->map_fd = TAKE_FD(map_fd);
	return 0;
}

int start_open_sources(struct start *start, struct error *err)
{
	const struct launch_mounts *extras = &start->request->launch->mounts;
	const struct spec *spec = &start->spec;

	start->sources = xcalloc(spec->mount_count, sizeof(*start->sources));
	for (size_t i = 0; i < spec->mount_count; i++)
		start->sources[i].mount_fd = start->sources[i].map_fd = NO_FD;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		const struct launch_mount *extra = launch_mounts_find(extras, mount->destination);
		int r;

		if (!mount->bind && !(extra && extra->host_filesystem))
			continue;
		r = open_source(start, mount, extra, &start->sources[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- in the child ---- */

static int give_to_user(const struct start *start, int mount_fd, struct error *err)
{
	auto_(user_identity_release) struct user_identity identity = {0};
	const char *user = start->request->launch->user;
	int r;

	if (!user)
		return chown_tree(mount_fd, start->spec.uid, start->spec.gid, err);
	r = user_lookup(start->root_fd, user, NULL, &identity, err);
	return r < 0 ? r : chown_tree(mount_fd, identity.uid, identity.gid, err);
}

static int restrict_mount(const struct spec_mount *mount, int mount_fd, struct error *err)
{
	int r = 0;

	if (mount->attr_set || mount->attr_clear)
		r = mount_change(mount_fd, mount->attr_set, mount->attr_clear, 0, false);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "options of the mount of '%s'", mount->source);
	if (mount->recursive_set || mount->recursive_clear)
		r = mount_change(mount_fd, mount->recursive_set, mount->recursive_clear, 0, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "recursive options of the mount of '%s'",
			       mount->source);
	return 0;
}

int start_finish_source(const struct start *start, size_t index, int fill_from_fd,
			struct error *err)
{
	const struct spec_mount *mount = &start->spec.mounts[index];
	const struct start_source *source = &start->sources[index];
	int r = 0;

	if (fill_from_fd >= 0)
		r = volume_fill(fill_from_fd, source->mount_fd, err);
	if (r < 0)
		return err_wrap(err, r, "fill volume on '%s'", mount->destination);
	if (source->extra && source->extra->chown)
		r = give_to_user(start, source->mount_fd, err);
	if (r < 0)
		return err_wrap(err, r, "mount on '%s'", mount->destination);
	if (source->map_fd >= 0)
		r = id_map_mount(source->mount_fd, source->map_fd, mount->bind_recursive);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r,
			       "map the ids of the mount on '%s' (can its filesystem do that?)",
			       mount->destination);
	/* Only now: a read-only volume is filled too. */
	return restrict_mount(mount, source->mount_fd, err);
}
