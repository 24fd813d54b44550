/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/monitor_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "engine/stream_internal.h"
#include "monitor/protocol.h"
#include "runtime/restart_policy.h"
#include "runtime/state.h"
#include "sys/process.h"
#include "sys/self_exe.h"

/* A FAILED message has a text of this length at most that is worth reading. */
#define FAILED_TEXT_MAX 4096

int monitor_link_spawn(struct monitor_link *ret_link, struct error *err)
{
	static const char *const argv[] = {MONITOR_ARGV0, NULL};
	struct self_exe_spawn spawn = {.argv = argv, .new_session = 1};
	auto_close int theirs = NO_FD;
	auto_close int ours = NO_FD;
	int socks[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a socket for the monitor");
	ours = socks[0];
	theirs = socks[1];

	/* A monitor outlives us: it must not keep our terminal or pipe open, but to be watched. */
	spawn.sock = theirs;
	spawn.stdio[0] = spawn.stdio[1] = NO_FD;
	spawn.stdio[2] = log_enabled("monitor") || log_enabled("runtime") ? STDERR_FILENO : NO_FD;

	*ret_link = MONITOR_LINK_EMPTY;
	ret_link->pid = self_exe_spawn(&spawn, &ret_link->pidfd);
	if (ret_link->pid < 0) {
		int r = ret_link->pid;

		*ret_link = MONITOR_LINK_EMPTY;
		return err_set(err, ERR_SYSTEM, -r, "start the monitor");
	}
	ret_link->sock = TAKE_FD(ours);
	return 0;
}

/* ---- the answer ---- */

/* Taken over whole: err_set() would append the text of the errno a second time. */
static int fail_as_told(const struct monitor_packet *packet, struct error *err)
{
	struct error told = {
		.kind = (enum error_kind)packet->failed.kind,
		.errnum = packet->failed.errnum,
		.message = xstrndup((const char *)packet->data, packet->len),
	};

	return err_move(err, &told);
}

static ssize_t receive_answer(int sock, uint8_t *buffer, size_t size)
{
	ssize_t n;

	do
		n = recv(sock, buffer, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* 0 with the link filled; -ECONNRESET when the monitor is gone, without err; else with err. */
static int understand_answer(struct monitor_link *link, struct error *err)
{
	uint8_t buffer[sizeof(struct monitor_failed) + FAILED_TEXT_MAX];
	struct monitor_packet packet;
	ssize_t n;

	n = receive_answer(link->sock, buffer, sizeof(buffer));
	if (n == 0 || n == -ECONNRESET)
		return -ECONNRESET;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "hear from the container's monitor");
	if (monitor_packet_parse(buffer, (size_t)n, &packet) < 0)
		return err_set(err, ERR_INTERNAL, EBADMSG,
			       "the container's monitor sent what is no message");
	if (packet.type == MONITOR_FAILED)
		return fail_as_told(&packet, err);
	if (packet.type != MONITOR_STARTED)
		return err_set(err, ERR_INTERNAL, EBADMSG,
			       "the container's monitor sent message %d", (int)packet.type);
	link->tty = packet.started.tty;
	link->container_pid = packet.started.pid;
	return 0;
}

/* ---- launch ---- */

static int fill_launch(const struct monitor_link_launch *launch, struct monitor_launch *message,
		       struct error *err)
{
	size_t id_len = strlen(launch->id), root_len = strlen(launch->root),
	       state_len = strlen(launch->state);

	*message = (struct monitor_launch){
		.type = MONITOR_LAUNCH,
		.version = MONITOR_PROTOCOL_VERSION,
		.attach_flags = launch->options.attach_flags,
		.tty_rows = launch->options.tty_rows,
		.tty_cols = launch->options.tty_cols,
	};
	if (id_len >= sizeof(message->id) || root_len >= sizeof(message->root) ||
	    state_len >= sizeof(message->state))
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "path is too long: '%s'",
			       root_len > state_len ? launch->root : launch->state);
	memcpy(message->id, launch->id, id_len);
	memcpy(message->root, launch->root, root_len);
	memcpy(message->state, launch->state, state_len);
	return 0;
}

static void hold_signals(struct monitor_link *link)
{
	sigset_t set;

	stream_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &link->signals_before);
	link->signals_held = true;
}

static int exchange(struct monitor_link *link, const struct monitor_link_launch *launch,
		    struct error *err)
{
	const int fds[] = {launch->root_fd, launch->container_fd, launch->state_fd,
			   launch->lock_fd};
	struct monitor_launch message;
	ssize_t n;
	int r;

	r = fill_launch(launch, &message, err);
	if (r < 0)
		return r;
	n = fd_send(link->sock, &message, sizeof(message), fds, ARRAY_SIZE(fds));
	if (n < 0 && n != -EPIPE && n != -ECONNRESET)
		return err_set(err, ERR_SYSTEM, (int)-n, "talk to the monitor");
	r = understand_answer(link, err);
	if (r == -ECONNRESET && err->kind == ERR_NONE)
		return err_set(err, ERR_UNAVAILABLE, ECONNRESET,
			       "the container's monitor ended unexpectedly");
	return r;
}

int monitor_link_launch(struct monitor_link *link, const struct monitor_link_launch *launch,
			struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	int r;

	if (launch->options.attach_flags &
	    (MONITOR_WANT_STDIN | MONITOR_WANT_STDOUT | MONITOR_WANT_STDERR))
		hold_signals(link);
	r = exchange(link, launch, err);
	if (r < 0) {
		cleanup_close_fd(&link->sock);
		(void)monitor_link_wait_gone(link, &ignored);
	}
	return r;
}

/* ---- attach ---- */

static int connect_to(int state_fd, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int sock = NO_FD;

	/* A socket's name has 108 bytes and a state directory may have more. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fd_path(state_fd).text,
		       STATE_SOCKET_NAME);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a socket");
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) == 0)
		return TAKE_FD(sock);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return err_set(err, ERR_CONFLICT, ENOTCONN, "container is not running");
	return err_set(err, ERR_SYSTEM, errno, "connect to the container's monitor");
}

/* The credentials of a listening socket are those of who made it listen. */
static int open_peer(int sock)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	return process_open(peer.pid);
}

int monitor_link_attach(int state_fd, const struct monitor_link_options *options,
			struct monitor_link *ret_link, struct error *err)
{
	const struct monitor_attach message = {
		.type = MONITOR_ATTACH,
		.version = MONITOR_PROTOCOL_VERSION,
		.attach_flags = options->attach_flags,
		.tty_rows = options->tty_rows,
		.tty_cols = options->tty_cols,
	};
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	int r;

	link.sock = connect_to(state_fd, err);
	if (link.sock < 0)
		return link.sock;
	link.pidfd = open_peer(link.sock);
	r = link.pidfd < 0 ? link.pidfd : 0;
	if (r == 0)
		r = (int)fd_send(link.sock, &message, sizeof(message), NULL, 0);
	if (r >= 0)
		r = understand_answer(&link, err);
	if (r < 0 && err->kind == ERR_NONE) /* it has just ended */
		return err_set(err, ERR_CONFLICT, ENOTCONN, "container is not running");
	if (r < 0)
		return r;
	*ret_link = link;
	link = MONITOR_LINK_EMPTY;
	return 0;
}

int monitor_link_set_restart(int state_fd, const struct restart_policy *policy, struct error *err)
{
	const struct monitor_link_options options = {.attach_flags = MONITOR_WANT_END};
	const struct monitor_restart_policy message = {
		.type = MONITOR_RESTART_POLICY,
		.kind = (uint8_t)policy->kind,
		.max_retries = policy->max_retries,
	};
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	int r;

	r = monitor_link_attach(state_fd, &options, &link, err);
	if (r < 0)
		return r;
	r = (int)fd_send(link.sock, &message, sizeof(message), NULL, 0);
	if (r >= 0)
		r = understand_answer(&link, err);
	if (r < 0 && err->kind == ERR_NONE)
		return err_set(err, ERR_CONFLICT, ENOTCONN, "container is not running");
	return r < 0 ? r : 0;
}

static int receive_health(int sock, struct monitor_health_result *ret_result, struct error *err)
{
	uint8_t buffer[256];
	struct monitor_packet packet;
	ssize_t n = receive_answer(sock, buffer, sizeof(buffer));

	if (n <= 0 || monitor_packet_parse(buffer, (size_t)n, &packet) < 0 ||
	    packet.type != MONITOR_HEALTH_RESULT)
		return err_set(err, ERR_CONFLICT, ENOTCONN, "container is not running");
	*ret_result = packet.health;
	return 0;
}

int monitor_link_check_health(int state_fd, struct monitor_health_result *ret_result,
			      struct error *err)
{
	const struct monitor_link_options options = {.attach_flags = MONITOR_WANT_EXIT};
	const uint8_t message = MONITOR_HEALTH_RUN;
	auto_(monitor_link_release) struct monitor_link link = MONITOR_LINK_EMPTY;
	int r;

	r = monitor_link_attach(state_fd, &options, &link, err);
	if (r < 0)
		return r;
	r = (int)fd_send(link.sock, &message, sizeof(message), NULL, 0);
	if (r < 0)
		return err_set(err, ERR_CONFLICT, -r, "container is not running");
	return receive_health(link.sock, ret_result, err);
}

/* ---- end ---- */

int monitor_link_wait_gone(struct monitor_link *link, struct error *err)
{
	int r;

	if (link->pidfd < 0)
		return 0;
	r = process_wait_end(link->pidfd, -1);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "wait for the container's monitor");
	if (link->pid > 0)
		(void)process_reap(link->pidfd);
	link->pid = 0;
	return 0;
}

void monitor_link_release(struct monitor_link *link)
{
	cleanup_close_fd(&link->sock);
	cleanup_close_fd(&link->pidfd);
	if (link->signals_held)
		(void)sigprocmask(SIG_SETMASK, &link->signals_before, NULL);
	*link = MONITOR_LINK_EMPTY;
}
