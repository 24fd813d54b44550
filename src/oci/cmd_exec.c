/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_exec.c - another process in a container that runs */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "oci/oci_console.h"
#include "oci/oci_create.h"
#include "runtime/container.h"
#include "runtime/spec.h"
#include "sys/process.h"

struct exec_opts {
	const char *console_socket, *cwd, *user, *process, *pid_file, *apparmor, *process_label;
	struct strv env, additional_gids, caps, cgroup;
	int64_t preserve_fds;
	bool tty, detach, no_new_privs, ignore_paused;
};

static const struct option_spec exec_options[] = {
	OPT_LIST(struct exec_opts, additional_gids, 'g', "additional-gids", "gid",
		 "Another group of the process"),
	OPT_STRING(struct exec_opts, apparmor, 0, "apparmor", "profile",
		   "AppArmor profile of the process"),
	OPT_LIST(struct exec_opts, caps, 'c', "cap", "capability",
		 "Another capability of the process"),
	OPT_LIST(struct exec_opts, cgroup, 0, "cgroup", "path", "Refused: the container's is used",
		 .hidden = true),
	OPT_STRING(struct exec_opts, console_socket, 0, "console-socket", "path",
		   "Socket that gets the terminal's master"),
	OPT_STRING(struct exec_opts, cwd, 0, "cwd", "directory", "Working directory"),
	OPT_FLAG(struct exec_opts, detach, 'd', "detach", "End when the command runs"),
	OPT_LIST(struct exec_opts, env, 'e', "env", "name=value", "Another variable"),
	OPT_FLAG(struct exec_opts, ignore_paused, 0, "ignore-paused",
		 "Begin it though the container is paused; it waits until that is over"),
	OPT_FLAG(struct exec_opts, no_new_privs, 0, "no-new-privs",
		 "The process gets no privileges by executing a file"),
	OPT_STRING(struct exec_opts, pid_file, 0, "pid-file", "path",
		   "File that gets the process ID"),
	OPT_INT(struct exec_opts, preserve_fds, 0, "preserve-fds",
		"Pass so many descriptors after standard error to the process"),
	OPT_STRING(struct exec_opts, process, 'p', "process", "file",
		   "The process as JSON, instead of a command"),
	OPT_STRING(struct exec_opts, process_label, 0, "process-label", "label",
		   "Refused: SELinux labels are not supported", .hidden = true),
	OPT_FLAG(struct exec_opts, tty, 't', "tty", "Give the process a terminal"),
	OPT_STRING(struct exec_opts, user, 'u', "user", "uid[:gid]", "Who it runs as"),
	OPT_END,
};

/* ---- the process, as the specification writes it ---- */

static int read_process(const char *path, json_t **ret_process, struct error *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	r = fd_read_text(fd, JSON_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", path);
	return json_parse(text, len, path, ret_process, err);
}

static json_t *array_member(json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	if (json_is_array(array))
		return array;
	(void)json_object_set_new(object, key, json_array());
	return json_object_get(object, key);
}

static int set_user(json_t *process, const char *text, struct error *err)
{
	auto_(strv_release) struct strv parts = {0};
	uint32_t uid = 0, gid = 0;
	json_t *user = json_object();

	(void)json_object_set_new(process, "user", user);
	strv_split(&parts, text, ':');
	if (parts.count < 1 || parts.count > 2 || parse_u32(parts.items[0], &uid) < 0 ||
	    (parts.count == 2 && parse_u32(parts.items[1], &gid) < 0))
		return err_set(err, ERR_INVALID, EINVAL, "invalid user '%s': not uid or uid:gid",
			       text);
	(void)json_object_set_new(user, "uid", json_integer(uid));
	(void)json_object_set_new(user, "gid", json_integer(gid));
	return 0;
}

static int add_groups(json_t *process, const struct strv *groups, struct error *err)
{
	json_t *user = json_object_get(process, "user");

	for (size_t i = 0; i < groups->count; i++) {
		uint32_t gid;

		if (parse_u32(groups->items[i], &gid) < 0)
			return err_set(err, ERR_INVALID, EINVAL, "invalid group '%s'",
				       groups->items[i]);
		if (!user) {
			user = json_object();
			(void)json_object_set_new(process, "user", user);
		}
		(void)json_array_append_new(array_member(user, "additionalGids"),
					    json_integer(gid));
	}
	return 0;
}

static void add_capabilities(json_t *process, const struct strv *names)
{
	static const char *const sets[] = {"bounding", "effective", "permitted"};
	json_t *capabilities = json_object_get(process, "capabilities");

	if (names->count > 0 && !capabilities) {
		capabilities = json_object();
		(void)json_object_set_new(process, "capabilities", capabilities);
	}
	for (size_t i = 0; i < names->count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(sets); k++)
			(void)json_array_append_new(array_member(capabilities, sets[k]),
						    json_string(names->items[i]));
}

/* The container's process with another command, and what options change of it. */
static int change_process(const struct oci_call *call, json_t *process, struct error *err)
{
	const struct exec_opts *opts = call->opts;
	json_t *args = json_array();
	int r = 0;

	(void)json_object_set_new(process, "args", args);
	for (size_t i = 1; i < call->args->count; i++)
		(void)json_array_append_new(args, json_string(call->args->items[i]));
	(void)json_object_set_new(process, "terminal", json_boolean(opts->tty));
	if (opts->cwd)
		json_set_string(process, "cwd", opts->cwd);
	if (opts->apparmor)
		json_set_string(process, "apparmorProfile", opts->apparmor);
	if (opts->no_new_privs)
		(void)json_object_set_new(process, "noNewPrivileges", json_true());
	for (size_t i = 0; i < opts->env.count; i++)
		(void)json_array_append_new(array_member(process, "env"),
					    json_string(opts->env.items[i]));
	add_capabilities(process, &opts->caps);
	if (opts->user)
		r = set_user(process, opts->user, err);
	return r < 0 ? r : add_groups(process, &opts->additional_gids, err);
}

static int make_spec(const struct oci_call *call, const struct oci_container *c, struct spec *ret,
		     struct error *err)
{
	const struct exec_opts *opts = call->opts;
	auto_(json_decref) json_t *config = NULL, *process = NULL;
	int r;

	if (opts->process_label || opts->cgroup.count > 0)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP, "--%s is not supported",
			       opts->process_label ? "process-label" : "cgroup");
	if (!opts->process && call->args->count < 2)
		return err_set(err, ERR_INVALID, EINVAL, "process args cannot be empty");
	r = oci_container_config(c, &config, err);
	if (r < 0)
		return r;
	if (opts->process) {
		r = read_process(opts->process, &process, err);
		if (r < 0)
			return r;
		(void)json_object_set(config, "process", process);
		if (opts->tty)
			(void)json_object_set_new(process, "terminal", json_true());
	} else {
		r = change_process(call, json_object_get(config, "process"), err);
		if (r < 0)
			return r;
	}
	return spec_parse(config, ret, err);
}

/* ---- running it ---- */

static int check_status(const struct oci_container *c, bool ignore_paused, struct error *err)
{
	switch (oci_container_status(c)) {
	case OCI_CREATED:
	case OCI_RUNNING:
		return 0;
	case OCI_PAUSED:
		if (ignore_paused)
			return 0;
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot exec in a paused container (use "
			       "--ignore-paused to override)");
	case OCI_CREATING:
	case OCI_STOPPED:
		break;
	}
	return err_set(err, ERR_CONFLICT, 0, "cannot exec in a stopped container");
}

static int settle(const struct exec_opts *opts, struct exec_process *process, struct error *err)
{
	int r = 0;

	if (opts->console_socket && process->console_fd >= 0) {
		r = oci_console_send(opts->console_socket, process->console_fd, err);
		cleanup_close_fd(&process->console_fd);
	}
	if (r == 0)
		r = oci_write_pid_file(opts->pid_file, process->pid, err);
	if (r < 0)
		(void)process_signal(process->pidfd, SIGKILL);
	return r;
}

static int execute(const struct oci_call *call, const struct oci_container *c, struct spec *spec,
		   struct error *err)
{
	const struct exec_opts *opts = call->opts;
	auto_(exec_process_release) struct exec_process process = {.pidfd = NO_FD,
								   .console_fd = NO_FD};
	auto_(strv_release) struct strv args = {0};
	const struct launch launch = {.seccomp = c->seccomp};
	struct exec_request request = {
		.state = &c->state,
		.bundle_fd = c->dir_fd,
		.root_fd = call->root_fd,
		.launch = &launch,
		.args = &args,
		.tty = spec->terminal,
		.tty_rows = spec->console_rows,
		.tty_cols = spec->console_cols,
		.stdio = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
		.spec = spec,
	};
	int r = oci_keep_fds(opts->preserve_fds, &request.keep_fds, err);

	if (r < 0)
		return r;
	strv_copy(&args, &spec->args);
	oci_add_listen_env(&spec->env);
	if (!opts->detach)
		oci_block_signals();
	r = runtime_exec(&request, &process, err);
	if (r == 0)
		r = settle(opts, &process, err);
	if (r < 0 || opts->detach)
		return r;
	return oci_foreground(process.pidfd, process.console_fd, err);
}

static int exec_run(const struct oci_call *call, struct error *err)
{
	const struct exec_opts *opts = call->opts;
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_(spec_release) struct spec spec = {0};
	bool leaves = opts->detach || opts->console_socket;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r == 0)
		r = check_status(&c, opts->ignore_paused, err);
	if (r == 0)
		r = make_spec(call, &c, &spec, err);
	if (r == 0)
		r = oci_console_check(spec.terminal, leaves, opts->console_socket, err);
	return r < 0 ? r : execute(call, &c, &spec, err);
}

const struct oci_command oci_cmd_exec = {
	.name = "exec",
	.usage = "[OPTIONS] CONTAINER [COMMAND [ARG...]]",
	.summary = "Execute another command in a container that runs",
	.description = "Without --process, it is the container's own process with another command: "
		       "its user, variables, capabilities and limits, changed as the options say.",
	.min_args = 1,
	.max_args = OCI_ARGS_ANY,
	.seals = true,
	.options = exec_options,
	.opts_size = sizeof(struct exec_opts),
	.run = exec_run,
};
