/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/random.h"
#include "engine/container_internal.h"
#include "engine/emit.h"
#include "engine/exec_pipes.h"
#include "engine/monitor_link.h"
#include "runtime/container.h"
#include "runtime/exec_agent.h"
#include "storage/store.h"
#include "sys/process.h"
#include "sys/tty.h"

#define DETACH_KEYS "ctrl-p,ctrl-q"

/* What an exec needs of the container, kept open while it starts. */
struct exec_target {
	struct container container;
	struct container_view view;
	int root_fd; /* borrowed from the store */
};

static void exec_target_release(struct exec_target *target)
{
	container_release(&target->container);
	container_view_release(&target->view);
}

DEFINE_CLEANUP_VALUE(struct exec_target, exec_target_release);

static int open_target(struct engine *engine, const char *selector, struct exec_target *target,
		       struct error *err)
{
	struct container *c = &target->container;
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	target->root_fd = store_root_fd(store);
	r = container_open(engine, selector, c, err);
	if (r < 0)
		return r;
	r = container_look(c, &target->view, err);
	if (r < 0)
		return r;
	r = container_require_alive(c, &target->view, err);
	if (r < 0)
		return r;
	if (target->view.status == CONTAINER_PAUSED)
		return err_set(err, ERR_CONFLICT, 0,
			       "Container %s is paused, unpause the container before exec",
			       c->record.id);
	return 0;
}

static int check_options(const struct exec_options *options, struct error *err)
{
	if (options->args.count == 0 || !*options->args.items[0])
		return err_set(err, ERR_INVALID, 0, "no command specified");
	if (options->workdir && *options->workdir && options->workdir[0] != '/')
		return err_set(err, ERR_INVALID, 0,
			       "the working directory '%s' is invalid, it needs to be an absolute "
			       "path",
			       options->workdir);
	if (options->chroot_only && options->as_child)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: --as-child needs the container's namespaces, "
			       "which --enter=chroot does not enter");
	return 0;
}

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static struct exec_request make_request(const struct exec_target *target,
					const struct exec_options *options)
{
	struct tty_size size = {0};

	if (options->tty && tty_get_size(STDIN_FILENO, &size) < 0)
		(void)tty_get_size(STDOUT_FILENO, &size);
	return (struct exec_request){
		.state = &target->view.state,
		.bundle_fd = target->container.dir_fd,
		.root_fd = target->root_fd,
		.args = &options->args,
		.env = &options->env,
		.user = text_or_null(options->user),
		.workdir = text_or_null(options->workdir),
		.enter = options->chroot_only ? EXEC_ENTER_CHROOT : EXEC_ENTER_NAMESPACES,
		.as_child = options->as_child,
		.privileged = options->privileged,
		.tty = options->tty,
		.tty_rows = size.rows,
		.tty_cols = size.cols,
		.stdio = {NO_FD, NO_FD, NO_FD},
	};
}

/*
 * Docker counts everything that keeps a command from starting as "cannot be executed", and what is
 * missing as "not found": an unknown user is 126, a directory that is not there 127.
 */
static int execute(struct exec_agent *agent, const struct exec_request *request,
		   struct exec_process *process, struct error *err)
{
	int r = exec_agent_run(agent, request, process, err);

	if (r >= 0)
		return r;
	if (err->kind == ERR_SYSTEM && err->errnum == ENOENT)
		err->kind = ERR_COMMAND_MISSING;
	else if (err->kind == ERR_SYSTEM || err->kind == ERR_INVALID ||
		 err->kind == ERR_NOT_FOUND || err->kind == ERR_DENIED)
		err->kind = ERR_NOT_EXECUTABLE;
	return r;
}

/* ---- a terminal that nobody looks at ---- */

static _Noreturn void hold_terminal(int console_fd, int pidfd)
{
	char buffer[4096];
	struct pollfd set[] = {
		{.fd = pidfd, .events = POLLIN},
		{.fd = console_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(set, 2, -1) < 0 && errno != EINTR)
			break;
		if (set[1].revents && read(console_fd, buffer, sizeof(buffer)) <= 0 &&
		    errno != EAGAIN && errno != EINTR)
			set[1].fd = -1; /* closed; only the end of the process can follow */
		if (set[0].revents)
			break;
	}
	_exit(0);
}

/*
 * A terminal whose other end is closed hangs up on the command. When we leave, a process stays that
 * takes its output, until the command has ended.
 */
static int leave_terminal(const struct exec_process *process, struct error *err)
{
	int null_fd;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "fork");
	if (pid > 0)
		return 0;
	(void)setsid();
	(void)prctl(PR_SET_NAME, "skiff:terminal");
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null_fd, fd);
	(void)fd_set_nonblock(process->console_fd, true);
	hold_terminal(process->console_fd, process->pidfd);
}

static int exec_detached(struct exec_agent *agent, const struct exec_request *request,
			 struct error *err)
{
	auto_(exec_process_release) struct exec_process process = {.pidfd = NO_FD,
								   .console_fd = NO_FD};
	int r;

	r = execute(agent, request, &process, err);
	if (r < 0)
		return r;
	return request->tty ? leave_terminal(&process, err) : 0;
}

/* ---- attached ---- */

static struct stream_request make_stream(const struct exec_options *options)
{
	return (struct stream_request){
		.stdin_fd = options->open_stdin ? STDIN_FILENO : NO_FD,
		.stdout_fd = STDOUT_FILENO,
		.stderr_fd = STDERR_FILENO,
		.detach_keys = options->detach_keys ? options->detach_keys : DETACH_KEYS,
	};
}

static int finish(struct exec_process *process, int *ret_exit_code, struct error *err)
{
	int code = exec_wait(process);

	if (code < 0)
		return err_set(err, ERR_SYSTEM, -code, "wait for the command");
	*ret_exit_code = code;
	return 0;
}

static int exec_terminal(struct exec_agent *agent, const struct exec_request *request,
			 const struct exec_options *options, int *ret_exit_code, struct error *err)
{
	auto_(exec_process_release) struct exec_process process = {.pidfd = NO_FD,
								   .console_fd = NO_FD};
	const struct stream_request stream = make_stream(options);
	struct stream_result result;
	int r;

	r = execute(agent, request, &process, err);
	if (r < 0)
		return r;
	r = stream_console(process.console_fd, process.pidfd, &stream, &result, err);
	if (r < 0)
		return r;
	if (result.detached) {
		*ret_exit_code = 0;
		return leave_terminal(&process, err);
	}
	return finish(&process, ret_exit_code, err);
}

static int exec_piped(struct exec_agent *agent, struct exec_request *request,
		      const struct exec_options *options, int *ret_exit_code, struct error *err)
{
	auto_(exec_process_release) struct exec_process process = {.pidfd = NO_FD,
								   .console_fd = NO_FD};
	auto_(exec_pipes_release) struct exec_pipes pipes = EXEC_PIPES_EMPTY;
	const struct stream_request stream = make_stream(options);
	int r;

	r = exec_pipes_open(&pipes, options->open_stdin, err);
	if (r < 0)
		return r;
	memcpy(request->stdio, pipes.theirs, sizeof(request->stdio));
	r = execute(agent, request, &process, err);
	if (r < 0)
		return r;
	exec_pipes_close_theirs(&pipes);
	r = exec_pipes_stream(&pipes, process.pidfd, &stream, err);
	return r < 0 ? r : finish(&process, ret_exit_code, err);
}

int exec_begin(struct exec_agent **ret_agent, struct error *err)
{
	struct exec_agent agent;
	int r;

	r = exec_agent_spawn(&agent, err);
	if (r < 0)
		return r;
	*ret_agent = xmemdup(&agent, sizeof(agent));
	return 0;
}

void exec_end(struct exec_agent *agent)
{
	if (!agent)
		return;
	exec_agent_release(agent);
	free(agent);
}

/* docker makes it and starts it in two steps, and says both. */
static void emit_exec_begin(const struct container *c, const char *exec_id, const struct strv *args)
{
	const struct event_attribute more[] = {{"execID", exec_id}, {0}};
	auto_free char *command = strv_join(args, " ");
	auto_free char *create = xasprintf("exec_create: %s", command);
	auto_free char *start = xasprintf("exec_start: %s", command);

	emit_container(c, create, more);
	emit_container(c, start, more);
}

static void emit_exec_end(const struct container *c, const char *exec_id, int exit_code)
{
	char code[16];
	const struct event_attribute more[] = {{"execID", exec_id}, {"exitCode", code}, {0}};

	(void)snprintf(code, sizeof(code), "%d", exit_code);
	emit_container(c, "exec_die", more);
}

int container_exec(struct engine *engine, struct exec_agent *agent, const char *selector,
		   const struct exec_options *options, int *ret_exit_code, struct error *err)
{
	auto_(exec_target_release) struct exec_target target = {.container = CONTAINER_EMPTY};
	struct exec_request request;
	char exec_id[HEX_ID_LEN + 1];
	int r;

	r = check_options(options, err);
	if (r < 0)
		return r;
	r = open_target(engine, selector, &target, err);
	if (r < 0)
		return r;
	request = make_request(&target, options);
	random_hex_id(exec_id);
	emit_exec_begin(&target.container, exec_id, &options->args);
	if (options->detach)
		return exec_detached(agent, &request, err);
	if (options->tty)
		r = exec_terminal(agent, &request, options, ret_exit_code, err);
	else
		r = exec_piped(agent, &request, options, ret_exit_code, err);
	if (r >= 0)
		emit_exec_end(&target.container, exec_id, *ret_exit_code);
	return r;
}
