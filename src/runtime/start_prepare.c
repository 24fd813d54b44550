/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/secret.h"
#include "runtime/start_internal.h"
#include "sys/mount.h"
#include "sys/self_exe.h"

int start_restrict_bind(const struct spec_mount *mount, int mount_fd, struct error *err)
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

/*
 * A bind's source, as a detached copy of its mount: from here on nothing that happens to the path
 * on the host matters. Paths are the caller's own (the command line or the engine), resolved as
 * root of the host, links included, as docker does.
 */
static int open_source(const struct spec_mount *mount, struct start_source *ret_source,
		       struct error *err)
{
	auto_close int path_fd = NO_FD;
	auto_close int mount_fd = NO_FD;
	struct stat st;
	int r;

	path_fd = open(mount->source, O_PATH | O_CLOEXEC);
	if (path_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "bind source '%s'", mount->source);
	if (fstat(path_fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "bind source '%s'", mount->source);
	mount_fd = mount_copy_peer(path_fd, mount->bind_recursive);
	/* FIXME(kernel 6.15): a mount that is attached nowhere cannot be copied before, but used once. */
	if (mount_fd == -EINVAL)
		mount_fd = TAKE_FD(path_fd);
	if (mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -mount_fd, "copy the mount of '%s'", mount->source);
	r = mount_change(mount_fd, 0, 0, mount->propagation ? mount->propagation : MS_PRIVATE,
			 mount->bind_recursive);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "propagation of '%s'", mount->source);
	ret_source->is_dir = S_ISDIR(st.st_mode);
	ret_source->mount_fd = TAKE_FD(mount_fd);
	return 0;
}

int start_open_sources(struct start *start, struct error *err)
{
	const struct spec *spec = &start->spec;

	start->sources = xcalloc(spec->mount_count, sizeof(*start->sources));
	for (size_t i = 0; i < spec->mount_count; i++)
		start->sources[i].mount_fd = NO_FD;
	for (size_t i = 0; i < spec->mount_count; i++) {
		int r;

		if (!spec->mounts[i].bind)
			continue;
		r = open_source(&spec->mounts[i], &start->sources[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_namespaces(struct start *start, struct error *err)
{
	const struct spec *spec = &start->spec;

	for (size_t i = 0; i < SPEC_NS_COUNT; i++) {
		if (spec->namespaces[i] != SPEC_NS_JOIN)
			continue;
		start->namespace_fds[i] = open(spec->namespace_paths[i], O_RDONLY | O_CLOEXEC);
		if (start->namespace_fds[i] < 0)
			return err_set(err, ERR_SYSTEM, errno, "open namespace '%s'",
				       spec->namespace_paths[i]);
	}
	return 0;
}

static int open_seccomp(struct start *start, struct error *err)
{
	const char *path = start->request->launch->seccomp;
	auto_free char *directory = NULL;
	auto_close int dir_fd = NO_FD;
	int r;

	if (!path)
		return 0;
	directory = xstrndup(path, (size_t)(path_basename(path) - path));
	dir_fd = openat(start->request->root_fd, *directory ? directory : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", directory);
	r = seccomp_filter_read(dir_fd, path_basename(path), &start->seccomp, err);
	if (r < 0)
		return r;
	start->has_seccomp = true;
	return 0;
}

void start_init(struct start *start, const struct runtime_request *request)
{
	*start = (struct start){
		.request = request,
		.init_fd = NO_FD,
		.host_root_fd = NO_FD,
		.sync_parent = NO_FD,
		.sync_child = NO_FD,
		.root_fd = NO_FD,
		.proc_fd = NO_FD,
		.null_fd = NO_FD,
		.devpts_fd = NO_FD,
		.terminal_fd = NO_FD,
	};
	for (size_t i = 0; i < SPEC_NS_COUNT; i++)
		start->namespace_fds[i] = NO_FD;
}

static int take_spec(struct start *start, struct error *err)
{
	const struct runtime_foreign *foreign = start->request->foreign;

	if (!foreign)
		return spec_load(start->request->bundle_fd, &start->spec, err);
	start->spec = *foreign->spec;
	*foreign->spec = (struct spec){0};
	return 0;
}

/*
 * start_prepare() - open everything that needs the host's view
 *
 * Where:    the monitor, host namespaces.
 * Must:     read and check the configuration; open bind sources, namespaces, the filter, the init.
 * Must not: change anything that would have to be undone.
 * Leaves:   descriptors in `start`, inherited by the child.
 */
int start_prepare(struct start *start, const struct runtime_request *request, struct error *err)
{
	int r;

	start_init(start, request);
	r = take_spec(start, err);
	if (r < 0)
		return r;
	r = start_open_sources(start, err);
	if (r < 0)
		return r;
	r = open_namespaces(start, err);
	if (r < 0)
		return r;
	r = open_seccomp(start, err);
	if (r < 0)
		return r;
	r = start_read_secrets(start, err);
	if (r < 0)
		return r;
	if (request->launch->init) {
		start->init_fd = self_exe_open_file(request->launch->init);
		if (start->init_fd < 0)
			return err_set(err, ERR_SYSTEM, -start->init_fd, "open init '%s'",
				       request->launch->init);
	}
	return 0;
}

void start_release(struct start *start)
{
	for (size_t i = 0; start->sources && i < start->spec.mount_count; i++)
		cleanup_close_fd(&start->sources[i].mount_fd);
	free(start->sources);
	start->sources = NULL;
	start_forget_secrets(start);
	for (size_t i = 0; start->request && i < SPEC_NS_COUNT; i++)
		cleanup_close_fd(&start->namespace_fds[i]);
	if (start->request) {
		cleanup_close_fd(&start->init_fd);
		cleanup_close_fd(&start->sync_parent);
		cleanup_close_fd(&start->sync_child);
	}
	if (start->has_seccomp)
		seccomp_filter_release(&start->seccomp);
	start->has_seccomp = false;
	spec_release(&start->spec);
}
