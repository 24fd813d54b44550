/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_runtime.c - a runtime that only forks
 *
 * The "container" is /bin/sh running the file `script` of the bundle. No namespaces, no cgroup, no
 * privileges. With FAKE_RUNTIME_MISSING in the environment nothing can be started.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/container.h"
#include "sys/process.h"

static _Noreturn void run_script(const struct runtime_request *request, const int stdio[3],
				 int start_fd)
{
	auto_free char *script = NULL;
	char go;

	for (int i = 0; i < 3; i++) {
		int fd = stdio[i];

		if (fd < 0)
			fd = open("/dev/null", O_RDWR);
		(void)dup2(fd, i);
	}
	process_reset_signals();
	if (request->launch->tty) {
		(void)setsid();
		(void)ioctl(0, TIOCSCTTY, 0);
	}
	if (fd_read_file_at(request->bundle_fd, "script", 65536, &script, NULL) < 0 ||
	    read(start_fd, &go, 1) != 1)
		_exit(125);
	(void)execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	_exit(125);
}

static int open_terminal(const struct runtime_request *request, int *ret_master, int *ret_slave)
{
	struct winsize size = {.ws_row = request->tty_rows, .ws_col = request->tty_cols};
	int unlock = 0;

	*ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ret_master < 0 || ioctl(*ret_master, TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(*ret_master, TIOCSWINSZ, &size) < 0)
		return -errno;
	*ret_slave = ioctl(*ret_master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *ret_slave < 0 ? -errno : 0;
}

void runtime_warm_up(void)
{
}

int runtime_create(const struct runtime_request *request, struct runtime_process *ret_process,
		   struct error *err)
{
	struct runtime_process process = {.pidfd = NO_FD, .console_fd = NO_FD, .start_sock = NO_FD};
	int stdio[3] = {request->stdio[0], request->stdio[1], request->stdio[2]};
	auto_close int slave_fd = NO_FD;
	int start[2];

	if (request->launch->tty) {
		if (open_terminal(request, &process.console_fd, &slave_fd) < 0)
			return err_set(err, ERR_SYSTEM, errno, "open terminal");
		stdio[0] = stdio[1] = stdio[2] = slave_fd;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, start) < 0)
		return err_set(err, ERR_SYSTEM, errno, "socketpair");
	process.pid = process_clone(0, NO_FD, &process.pidfd);
	if (process.pid == 0) {
		(void)close(start[0]);
		run_script(request, stdio, start[1]);
	}
	(void)close(start[1]);
	process.start_sock = start[0];
	*ret_process = process;
	return 0;
}

int runtime_start(struct runtime_process *process, struct error *err)
{
	if (getenv("FAKE_RUNTIME_MISSING")) {
		(void)kill(process->pid, SIGKILL);
		return err_set(err, ERR_COMMAND_MISSING, 0, "exec: \"nothing\": not found");
	}
	if (write(process->start_sock, "g", 1) != 1)
		return err_set(err, ERR_SYSTEM, errno, "start");
	cleanup_close_fd(&process->start_sock);
	return 0;
}

int runtime_cleanup(struct runtime_process *process, struct error *err)
{
	(void)process;
	(void)err;
	return 0;
}

void runtime_process_release(struct runtime_process *process)
{
	cleanup_close_fd(&process->pidfd);
	cleanup_close_fd(&process->console_fd);
	cleanup_close_fd(&process->start_sock);
}
