/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_create.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "oci/oci_bundle.h"
#include "oci/oci_console.h"
#include "runtime/container.h"
#include "runtime/seccomp.h"
#include "runtime/spec.h"
#include "runtime/start_wait.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#define KEEP_FDS_MAX 4096
#define END_TIMEOUT_MS 10000
#define REMOVE_TIMEOUT_MS 10000

const struct option_spec oci_create_options[] = {
	OPT_STRING(struct oci_create_opts, bundle, 'b', "bundle", "directory",
		   "Directory of the bundle, instead of the current one"),
	OPT_STRING(struct oci_create_opts, console_socket, 0, "console-socket", "path",
		   "Socket that gets the terminal's master"),
	OPT_FLAG(struct oci_create_opts, no_new_keyring, 0, "no-new-keyring",
		 "Keep the session keyring of the caller"),
	OPT_FLAG(struct oci_create_opts, no_pivot, 0, "no-pivot", "Refused: the root is pivoted",
		 .hidden = true),
	OPT_STRING(struct oci_create_opts, pid_file, 0, "pid-file", "path",
		   "File that gets the process ID"),
	OPT_INT(struct oci_create_opts, preserve_fds, 0, "preserve-fds",
		"Pass so many descriptors after standard error to the container"),
	OPT_END,
};

void oci_created_release(struct oci_created *created)
{
	oci_container_release(&created->container);
	cleanup_close_fd(&created->pidfd);
	cleanup_close_fd(&created->console_fd);
}

/* ---- what callers hand over ---- */

int oci_write_pid_file(const char *path, pid_t pid, struct error *err)
{
	auto_free char *directory = NULL;
	auto_close int dir_fd = NO_FD;
	char text[16];
	int r;

	if (!path || !*path)
		return 0;
	directory = xstrndup(path, (size_t)(path_basename(path) - path));
	dir_fd = open(*directory ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	r = dir_fd < 0 ? -errno
		       : atomic_file_write(dir_fd, path_basename(path), text, strlen(text), 0644,
					   /* sync= */ false);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write pid file '%s'", path) : 0;
}

static uint32_t listen_fds(void)
{
	const char *text = getenv("LISTEN_FDS");
	uint32_t count;

	return text && parse_u32(text, &count) == 0 ? count : 0;
}

void oci_add_listen_env(struct strv *env)
{
	auto_free char *count = xasprintf("%u", listen_fds());

	if (listen_fds() == 0)
		return;
	strv_env_set(env, "LISTEN_FDS", count);
	strv_env_set(env, "LISTEN_PID", "1");
}

int oci_keep_fds(int64_t preserve_fds, unsigned int *ret_count, struct error *err)
{
	uint32_t listening = listen_fds();

	if (preserve_fds < 0 || preserve_fds > KEEP_FDS_MAX || listening > KEEP_FDS_MAX)
		return err_set(err, ERR_INVALID, ERANGE, "preserve-fds is out of range");
	*ret_count = (unsigned int)preserve_fds + listening;
	for (unsigned int i = 0; i < *ret_count; i++)
		if (fcntl(3 + (int)i, F_GETFD) < 0)
			return err_set(err, ERR_INVALID, EBADF,
				       "preserve-fds: descriptor %u is not open", 3 + i);
	return 0;
}

/* ---- creating ---- */

struct creation {
	const struct oci_call *call;
	const struct oci_create_opts *opts;
	struct oci_created *created;
	struct oci_bundle bundle;
	struct spec spec;
	unsigned int keep_fds;
	bool terminal;
	int listener_fd;
};

static int open_cache(int root_fd)
{
	int fd;

	if (mkdirat(root_fd, OCI_SECCOMP_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(root_fd, OCI_SECCOMP_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int compile_seccomp(struct creation *n, struct error *err)
{
	const json_t *policy =
		json_object_get(json_object_get(n->bundle.config, "linux"), "seccomp");
	auto_close int cache_fd = NO_FD;
	auto_free char *name = NULL;
	int r;

	if (!policy || json_is_null(policy))
		return 0;
	cache_fd = open_cache(n->call->root_fd);
	if (cache_fd < 0)
		return err_set(err, ERR_SYSTEM, -cache_fd, "open '%s'", OCI_SECCOMP_DIR);
	r = seccomp_cache_oci(cache_fd, policy, &name, err);
	if (r == 0)
		n->created->container.seccomp = xasprintf(OCI_SECCOMP_DIR "/%s", name);
	return r;
}

static int save_config(const struct creation *n, struct error *err)
{
	auto_free char *text = json_text(n->bundle.config);
	int r = atomic_file_write(n->created->container.dir_fd, CONFIG_FILE_NAME, text,
				  strlen(text), 0600, /* sync= */ false);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "keep the container's configuration") : 0;
}

static int remember(struct creation *n, struct error *err)
{
	struct oci_container *c = &n->created->container;

	c->bundle = xstrdup(n->bundle.path);
	c->rootfs = xstrdup(n->spec.root_path ? n->spec.root_path : "");
	c->annotations = n->spec.annotations ? json_incref(n->spec.annotations) : NULL;
	c->state.cgroup_path = xstrdup_or_null(n->spec.cgroups_path);
	return save_config(n, err);
}

/* From here on a `delete --force` by somebody else finds what there is. */
static int made(void *context, pid_t pid, struct error *err)
{
	struct creation *n = context;
	struct oci_container *c = &n->created->container;
	int r = process_id_of(pid, &c->state.init);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look at the container's first process");
	return oci_container_save(c, err);
}

static int run_hooks(void *context, const struct spec *spec, pid_t pid, struct error *err)
{
	static const enum spec_hook_point points[] = {SPEC_HOOK_PRESTART, SPEC_HOOK_CREATE_RUNTIME};
	struct creation *n = context;
	struct hook_subject subject = oci_container_subject(&n->created->container);
	auto_(json_decref) json_t *state = hooks_state(&subject, "creating", pid);

	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		int r = hooks_run(spec, points[i], state, NULL, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int hand_over(struct creation *n, struct runtime_process *process, struct error *err)
{
	struct oci_container *c = &n->created->container;
	const struct oci_create_opts *opts = n->opts;
	int r = 0;

	if (opts->console_socket && n->terminal) {
		r = oci_console_send(opts->console_socket, process->console_fd, err);
		if (r < 0)
			return r;
		cleanup_close_fd(&process->console_fd);
	}
	r = runtime_leave_waiting(process, err);
	if (r < 0)
		return r;
	/* It lives on without us now: killed here, we leave one that only `delete --force` ends. */
	c->is_creating = false;
	r = oci_container_save(c, err);
	return r < 0 ? r : oci_write_pid_file(opts->pid_file, process->pid, err);
}

static int make_process(struct creation *n, struct error *err)
{
	auto_(runtime_process_release) struct runtime_process process = {
		.pidfd = NO_FD, .console_fd = NO_FD, .start_sock = NO_FD};
	struct oci_container *c = &n->created->container;
	const struct launch launch = {.seccomp = c->seccomp};
	const struct runtime_foreign foreign = {
		.spec = &n->spec,
		.bundle = c->bundle,
		.start_listener_fd = n->listener_fd,
		.keep_fds = n->keep_fds,
		.keep_keyring = n->opts->no_new_keyring,
		.made = made,
		.run_hooks = run_hooks,
		.context = n,
	};
	const struct runtime_request request = {
		.id = c->id,
		.root_fd = n->call->root_fd,
		.bundle_fd = c->dir_fd,
		.launch = &launch,
		.tty_rows = n->spec.console_rows,
		.tty_cols = n->spec.console_cols,
		.stdio = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
		.foreign = &foreign,
	};
	auto_(error_release) struct error ignored = {0};
	int r = runtime_create(&request, &process, err);

	if (r < 0)
		return r;
	r = hand_over(n, &process, err);
	if (r < 0) {
		struct process_guard guard = {.pid = process.pid, .pidfd = process.pidfd};

		process_guard_kill(&guard);
		cleanup_close_fd(&process.start_sock);
		(void)runtime_cleanup(&process, &ignored);
		return r;
	}
	n->created->pidfd = TAKE_FD(process.pidfd);
	n->created->console_fd = TAKE_FD(process.console_fd);
	return 0;
}

static int create(struct creation *n, struct error *err)
{
	int r;

	r = compile_seccomp(n, err);
	if (r == 0)
		r = remember(n, err);
	if (r < 0)
		return r;
	n->listener_fd = start_wait_listen(n->created->container.dir_fd, err);
	if (n->listener_fd < 0)
		return n->listener_fd;
	return make_process(n, err);
}

/* Everything that can be found wrong before anything is made. */
static int prepare(struct creation *n, const char *id, bool leaves, struct error *err)
{
	const struct oci_create_opts *opts = n->opts;
	int r;

	if (opts->no_pivot)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP, "--no-pivot is not supported");
	r = oci_id_check(id, err);
	if (r == 0)
		r = oci_keep_fds(opts->preserve_fds, &n->keep_fds, err);
	if (r == 0)
		r = oci_bundle_load(opts->bundle, id, &n->bundle, err);
	if (r == 0)
		r = spec_parse(n->bundle.config, &n->spec, err);
	if (r == 0)
		r = oci_spec_check(&n->spec, err);
	if (r < 0)
		return r;
	n->terminal = n->spec.terminal;
	oci_add_listen_env(&n->spec.env);
	return oci_console_check(n->terminal, leaves, opts->console_socket, err);
}

int oci_create(const struct oci_call *call, const struct oci_create_opts *opts, bool leaves,
	       struct oci_created *ret, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	struct creation n = {.call = call, .opts = opts, .created = ret, .listener_fd = NO_FD};
	int r = prepare(&n, call->args->items[0], leaves, err);

	if (r == 0) {
		r = oci_container_make(call->root_fd, call->args->items[0], &ret->container, err);
		if (r == 0) {
			r = create(&n, err);
			if (r < 0)
				(void)oci_container_forget(call->root_fd, &ret->container,
							   &ignored);
		}
	}
	cleanup_close_fd(&n.listener_fd);
	spec_release(&n.spec);
	oci_bundle_release(&n.bundle);
	return r;
}

/* ---- the rest of its life ---- */

/* A hook that fails then stops nothing: what it is told of has happened. */
static void run_late_hooks(const struct oci_call *call, const struct oci_container *c,
			   enum spec_hook_point point, const char *status)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *config = NULL, *state = NULL;
	auto_(spec_release) struct spec spec = {0};
	struct hook_subject subject = oci_container_subject(c);

	if (oci_container_config(c, &config, &err) < 0 ||
	    !json_object_get(json_object_get(config, "hooks"), spec_hook_point_name(point)))
		return;
	state = hooks_state(&subject, status, point == SPEC_HOOK_POSTSTART ? c->state.init.pid : 0);
	if (spec_parse(config, &spec, &err) < 0 || hooks_run(&spec, point, state, NULL, &err) < 0)
		oci_warn(call, &err);
}

int oci_start(const struct oci_call *call, const struct oci_container *c, struct error *err)
{
	int r = start_wait_go(c->dir_fd, err);

	if (r == 0)
		run_late_hooks(call, c, SPEC_HOOK_POSTSTART, "running");
	return r;
}

/* Its parent is somebody else, who reaps it; a zombie is dead enough for us. */
static int kill_first(const struct oci_container *c, struct error *err)
{
	auto_close int pidfd = process_id_open(&c->state.init);
	int r;

	if (pidfd < 0)
		return 0;
	(void)process_signal(pidfd, SIGKILL);
	r = process_wait_end(pidfd, END_TIMEOUT_MS);
	return r > 0 ? 0 : err_set(err, ERR_SYSTEM, r < 0 ? -r : ETIME, "kill the container");
}

static int remove_cgroup(const struct oci_container *c, struct error *err)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	const char *path = c->state.cgroup_path;
	int r;

	if (!path || !*path)
		return 0;
	r = cgroup_host_open(&host);
	if (r == 0)
		r = cgroup_open(host, path, &group);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = cgroup_kill_all(group);
	if (r == 0)
		r = cgroup_remove(group, REMOVE_TIMEOUT_MS);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "remove cgroup '%s'", path) : 0;
}

int oci_delete(const struct oci_call *call, const struct oci_container *c, struct error *err)
{
	int r = kill_first(c, err);

	if (r == 0)
		r = remove_cgroup(c, err);
	if (r < 0)
		return r;
	run_late_hooks(call, c, SPEC_HOOK_POSTSTOP, "stopped");
	return oci_container_forget(call->root_fd, c, err);
}
