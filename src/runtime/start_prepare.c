/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/secret.h"
#include "runtime/start_internal.h"
#include "runtime/userns.h"
#include "sys/self_exe.h"

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
		.user_ns_fd = NO_FD,
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
	r = userns_prepare(start, err);
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

static void start_source_close(struct start_source *source)
{
	cleanup_close_fd(&source->mount_fd);
	cleanup_close_fd(&source->map_fd);
}

void start_release(struct start *start)
{
	for (size_t i = 0; start->sources && i < start->spec.mount_count; i++)
		start_source_close(&start->sources[i]);
	free(start->sources);
	start->sources = NULL;
	start_forget_secrets(start);
	for (size_t i = 0; start->request && i < SPEC_NS_COUNT; i++)
		cleanup_close_fd(&start->namespace_fds[i]);
	if (start->request) {
		cleanup_close_fd(&start->init_fd);
		cleanup_close_fd(&start->sync_parent);
		cleanup_close_fd(&start->sync_child);
		cleanup_close_fd(&start->user_ns_fd);
	}
	if (start->has_seccomp)
		seccomp_filter_release(&start->seccomp);
	start->has_seccomp = false;
	spec_release(&start->spec);
}
