/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/start_wait.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"

#define SOCKET_NAME "start.sock"
#define BACKLOG 16

/* By way of the descriptor: the directory's own name may be longer than an address. */
static struct sockaddr_un address_in(int dir_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fd_path path = fd_path(dir_fd);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET_NAME, path.text);
	return address;
}

int start_wait_listen(int dir_fd, struct error *err)
{
	struct sockaddr_un address = address_in(dir_fd);
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make the socket to start by");
	return TAKE_FD(fd);
}

static int connect_to(int dir_fd, int flags)
{
	struct sockaddr_un address = address_in(dir_fd);
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

bool start_wait_is_waiting(int dir_fd)
{
	auto_close int fd = connect_to(dir_fd, SOCK_NONBLOCK);

	/* EAGAIN: so many ask at once that we would have to queue; somebody listens. */
	return fd >= 0 || fd == -EAGAIN;
}

int start_wait_go(int dir_fd, struct error *err)
{
	auto_close int sock = connect_to(dir_fd, 0);
	int r;

	if (sock == -ECONNREFUSED || sock == -ENOENT)
		return err_set(err, ERR_CONFLICT, 0,
			       "cannot start a container that is not in the created state");
	if (sock < 0)
		return err_set(err, ERR_SYSTEM, -sock, "reach the container's first process");
	r = sync_send(sock, SYNC_START, NO_FD);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "start the container's command");
	r = sync_expect_exec(sock, err);
	if (r < 0)
		return r;
	(void)unlinkat(dir_fd, SOCKET_NAME, 0);
	return 0;
}

int start_wait_here(struct start *start, int *listener_fd, struct error *err)
{
	for (;;) {
		auto_(error_release) struct error ignored = {0};
		auto_close int sock = accept4(*listener_fd, NULL, NULL, SOCK_CLOEXEC);

		if (sock < 0 && errno != EINTR && errno != ECONNABORTED)
			return err_set(err, ERR_SYSTEM, errno, "wait to be started");
		if (sock < 0 || sync_expect(sock, SYNC_START, NULL, &ignored) < 0)
			continue; /* only asked whether we wait, or died */
		start->sync_child = TAKE_FD(sock);
		cleanup_close_fd(listener_fd);
		return 0;
	}
}
