/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One order goes to the agent, on a SOCK_SEQPACKET pair; what comes back is the joiner's side of sync.h:
 * SYNC_PID with the command's pidfd, or SYNC_FAILED. The strings of an order may be longer than a
 * packet, so they travel in a file in memory.
 */
#include "runtime/exec_agent.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/exec_internal.h"
#include "runtime/sync.h"
#include "sys/process.h"
#include "sys/self_exe.h"

#define AGENT_SOCK 3
#define ORDER_VERSION 1
/* execve(2) takes no more than 6 MiB of arguments and variables (Linux 4.13). */
#define STRINGS_MAX_BYTES ((uint64_t)8 << 20)

enum order_fd {
	ORDER_FD_BUNDLE,
	ORDER_FD_ROOT,
	ORDER_FD_SYNC,
	ORDER_FD_STRINGS,
	ORDER_FDS_FIXED, /* after them those of stdio that the order names, and the cgroup's */
};

#define ORDER_FDS_MAX (ORDER_FDS_FIXED + 4)

/* The strings are the cgroup's path, the user, the working directory, the arguments, the variables. */
struct order {
	uint32_t version;
	uint32_t enter; /* enum exec_enter */
	int64_t init_pid;
	uint64_t init_start_time;
	uint64_t strings_bytes;
	uint32_t args_count, env_count;
	uint16_t tty_rows, tty_cols;
	uint8_t as_child, privileged, tty;
	uint8_t has_user, has_workdir;
	uint8_t stdio;         /* bit n: descriptor n comes along */
	uint8_t has_cgroup_fd; /* struct exec_cgroup: clone_fd comes along */
};

/* ---- the caller ---- */

int exec_agent_spawn(struct exec_agent *ret_agent, struct error *err)
{
	static const char *const argv[] = {EXEC_AGENT_ARGV0, NULL};
	struct self_exe_spawn spawn = {.argv = argv};
	auto_close int theirs = NO_FD;
	auto_close int ours = NO_FD;
	int socks[2], r;

	*ret_agent = EXEC_AGENT_EMPTY;
	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	ours = socks[0];
	theirs = socks[1];
	spawn.sock = theirs;
	spawn.stdio[0] = spawn.stdio[1] = NO_FD;
	spawn.stdio[2] = log_enabled("runtime") ? STDERR_FILENO : NO_FD;
	ret_agent->pid = self_exe_spawn(&spawn, &ret_agent->pidfd);
	if (ret_agent->pid < 0) {
		r = ret_agent->pid;
		*ret_agent = EXEC_AGENT_EMPTY;
		return err_set(err, ERR_SYSTEM, -r, "execute ourselves from a read-only place");
	}
	ret_agent->sock = TAKE_FD(ours);
	return 0;
}

static void add_string(FILE *out, const char *text)
{
	(void)fwrite(text, 1, strlen(text) + 1, out);
}

static void add_strings(FILE *out, const struct strv *list)
{
	for (size_t i = 0; list && i < list->count; i++)
		add_string(out, list->items[i]);
}

static char *join_strings(const struct exec_request *request, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out)
		abort(); /* as every allocation of ours */
	add_string(out, request->state->cgroup_path ? request->state->cgroup_path : "");
	add_string(out, request->user ? request->user : "");
	add_string(out, request->workdir ? request->workdir : "");
	add_strings(out, request->args);
	add_strings(out, request->env);
	if (fclose(out) != 0)
		abort();
	return text;
}

static int write_strings(const struct exec_request *request, uint64_t *ret_bytes, struct error *err)
{
	auto_close int fd = NO_FD;
	auto_free char *text = NULL;
	size_t len;
	int r;

	text = join_strings(request, &len);
	if (len > STRINGS_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "execute '%s'", request->args->items[0]);
	fd = memfd_create("skiff-exec", MFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a file in memory");
	r = fd_write_all(fd, text, len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write a file in memory");
	*ret_bytes = len;
	return TAKE_FD(fd);
}

static int send_order(int sock, const struct exec_request *request, int sync_sock,
		      const struct exec_cgroup *cgroup, struct error *err)
{
	struct order order = {
		.version = ORDER_VERSION,
		.enter = request->enter,
		.init_pid = request->state->init.pid,
		.init_start_time = request->state->init.start_time,
		.args_count = (uint32_t)request->args->count,
		.env_count = request->env ? (uint32_t)request->env->count : 0,
		.tty_rows = request->tty_rows,
		.tty_cols = request->tty_cols,
		.as_child = request->as_child,
		.privileged = request->privileged,
		.tty = request->tty,
		.has_user = request->user != NULL,
		.has_workdir = request->workdir != NULL,
		.has_cgroup_fd = cgroup->clone_fd >= 0,
	};
	int fds[ORDER_FDS_MAX] = {request->bundle_fd, request->root_fd, sync_sock};
	auto_close int strings_fd = NO_FD;
	size_t count = ORDER_FDS_FIXED;
	ssize_t n;

	strings_fd = write_strings(request, &order.strings_bytes, err);
	if (strings_fd < 0)
		return strings_fd;
	fds[ORDER_FD_STRINGS] = strings_fd;
	for (int i = 0; i < 3; i++)
		if (request->stdio[i] >= 0) {
			order.stdio |= (uint8_t)(1U << i);
			fds[count++] = request->stdio[i];
		}
	if (order.has_cgroup_fd)
		fds[count++] = cgroup->clone_fd;
	n = fd_send(sock, &order, sizeof(order), fds, count);
	if (n >= 0)
		n = sync_send_fds(sock, SYNC_CGROUP, cgroup->join_fds, cgroup->join_count);
	return n < 0 ? err_set(err, ERR_SYSTEM, (int)-n, "tell what to execute") : 0;
}

static int run(struct exec_agent *agent, const struct exec_request *request,
	       struct exec_process *process, struct error *err)
{
	auto_(exec_cgroup_release) struct exec_cgroup cgroup = EXEC_CGROUP_EMPTY;
	auto_close int sync_ours = NO_FD;
	auto_close int sync_theirs = NO_FD;
	int socks[2], r;

	r = exec_cgroup_open(request, &cgroup, err);
	if (r < 0)
		return r;
	r = sync_pair(socks);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	sync_ours = socks[0];
	sync_theirs = socks[1];
	r = send_order(agent->sock, request, sync_theirs, &cgroup, err);
	if (r < 0)
		return r;
	cleanup_close_fd(&sync_theirs);
	r = sync_expect(agent->sock, SYNC_PID, &process->pidfd, err);
	if (r < 0)
		return r;
	return exec_await_command(sync_ours, request->tty, process, err);
}

int exec_agent_run(struct exec_agent *agent, const struct exec_request *request,
		   struct exec_process *ret_process, struct error *err)
{
	struct exec_process process = {.pidfd = NO_FD, .console_fd = NO_FD};
	int r;

	r = run(agent, request, &process, err);
	cleanup_close_fd(&agent->sock); /* it ends now, beside the command */
	if (r < 0) {
		exec_abandon(&process, request->as_child);
		return r;
	}
	*ret_process = process;
	return 0;
}

void exec_agent_release(struct exec_agent *agent)
{
	cleanup_close_fd(&agent->sock);
	if (agent->pid > 0)
		(void)process_reap(agent->pidfd);
	cleanup_close_fd(&agent->pidfd);
	agent->pid = 0;
}

/* ---- the agent ---- */

struct agent {
	struct order order;
	int fds[ORDER_FDS_MAX];
	size_t fds_count;
	char *strings; /* order.strings_bytes, the last of them NUL */
	struct strv args, env;
	struct launch launch;
	struct container_state state;
	struct exec_request request;
};

static int bad_order(struct error *err)
{
	return err_set(err, ERR_INTERNAL, EBADMSG, "what to execute is not a valid message");
}

/* 0: nobody has an order for us. */
static int receive_order(struct agent *agent, struct error *err)
{
	struct order *order = &agent->order;
	size_t expected = ORDER_FDS_FIXED;
	ssize_t n;

	n = fd_recv(AGENT_SOCK, order, sizeof(*order), agent->fds, ORDER_FDS_MAX,
		    &agent->fds_count);
	if (n == 0)
		return 0;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "hear what to execute");
	for (int i = 0; i < 3; i++)
		expected += (order->stdio >> i) & 1U;
	expected += order->has_cgroup_fd ? 1 : 0;
	if (n != sizeof(*order) || order->version != ORDER_VERSION ||
	    agent->fds_count != expected || order->strings_bytes > STRINGS_MAX_BYTES)
		return bad_order(err);
	return 1;
}

static const char *take_string(const char **at, const char *end)
{
	const char *text = *at;

	if (text >= end)
		return NULL;
	*at += strlen(text) + 1;
	return text;
}

static bool take_strings(const char **at, const char *end, size_t count, struct strv *list)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = take_string(at, end);

		if (!text)
			return false;
		strv_add(list, text);
	}
	return true;
}

static int read_strings(struct agent *agent, struct error *err)
{
	size_t len = agent->order.strings_bytes;
	struct exec_request *request = &agent->request;
	const char *at, *end, *cgroup_path, *user, *workdir;
	ssize_t n;

	agent->strings = xmalloc(len + 1);
	n = fd_pread_full(agent->fds[ORDER_FD_STRINGS], agent->strings, len, 0);
	if (n < 0 || (size_t)n != len || len == 0 || agent->strings[len - 1] != '\0')
		return bad_order(err);
	at = agent->strings;
	end = at + len;
	cgroup_path = take_string(&at, end);
	user = take_string(&at, end);
	workdir = take_string(&at, end);
	if (!workdir || !take_strings(&at, end, agent->order.args_count, &agent->args) ||
	    !take_strings(&at, end, agent->order.env_count, &agent->env))
		return bad_order(err);
	agent->state.cgroup_path = xstrdup(cgroup_path);
	request->user = agent->order.has_user ? user : NULL;
	request->workdir = agent->order.has_workdir ? workdir : NULL;
	return 0;
}

static int fill_request(struct agent *agent, struct error *err)
{
	const struct order *order = &agent->order;
	const int *stdio = agent->fds + ORDER_FDS_FIXED;
	int r;

	agent->state.init = (struct process_id){
		.pid = (pid_t)order->init_pid,
		.start_time = order->init_start_time,
	};
	agent->request = (struct exec_request){
		.state = &agent->state,
		.bundle_fd = agent->fds[ORDER_FD_BUNDLE],
		.root_fd = agent->fds[ORDER_FD_ROOT],
		.launch = &agent->launch,
		.args = &agent->args,
		.env = &agent->env,
		.enter = (enum exec_enter)order->enter,
		.as_child = order->as_child,
		.privileged = order->privileged,
		.tty = order->tty,
		.tty_rows = order->tty_rows,
		.tty_cols = order->tty_cols,
	};
	for (int i = 0; i < 3; i++)
		agent->request.stdio[i] = (order->stdio >> i) & 1U ? *stdio++ : NO_FD;
	r = read_strings(agent, err);
	if (r < 0)
		return r;
	return launch_load(agent->request.bundle_fd, &agent->launch, err);
}

/* Fills an exec that then only has to join. */
static int prepare(struct agent *agent, struct exec *exec, struct error *err)
{
	int r;

	*exec = EXEC_OF(&agent->request);
	exec->chain_child = AGENT_SOCK;
	exec->sync_child = agent->fds[ORDER_FD_SYNC];
	exec->linger = true;
	if (agent->order.has_cgroup_fd)
		exec->cgroup.clone_fd = agent->fds[agent->fds_count - 1];
	/* First of all: what we say is lost if we end with a message unread (ECONNRESET). */
	r = sync_expect_fds(AGENT_SOCK, SYNC_CGROUP, exec->cgroup.join_fds,
			    &exec->cgroup.join_count, err);
	if (r < 0)
		return r;
	r = fill_request(agent, err);
	if (r < 0)
		return r;
	return exec_prepare(exec, err);
}

/* Nothing is released: the process is at its end with every way out of here. */
int exec_agent_main(void)
{
	struct agent agent = {0};
	struct error err = {0};
	struct exec exec;
	int r;

	(void)prctl(PR_SET_NAME, "skiff:join");
	(void)fd_set_cloexec(AGENT_SOCK, true);
	(void)fd_set_cloexec(SELF_EXE_FD, true);
	r = receive_order(&agent, &err);
	if (r == 0)
		return 0;
	if (r > 0)
		r = prepare(&agent, &exec, &err);
	if (r == 0)
		exec_join(&exec);
	sync_fail(AGENT_SOCK, &err);
	return 1;
}
