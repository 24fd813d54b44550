/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject - death or failure at one chosen point of a program
 *
 *	inject kill N PROGRAM [ARGUMENT…]         SIGKILL for the program
 *	inject kill-caller N PROGRAM [ARGUMENT…]  SIGKILL for whichever process is there
 *	inject ERRNO N PROGRAM [ARGUMENT…]        the call fails with this number
 *	inject kill-stage N PROGRAM [ARGUMENT…]   SIGKILL for whichever process is there, at a stage
 *
 * Points are the system calls by which the program and its descendants change a file system: making,
 * naming, writing, flushing and removing. They are counted from 1; at the Nth, before it happens, the
 * program is killed or told that it failed. The kernel asks us at each (seccomp user notification), so
 * the program needs no code for it. With ERRNO, removing is no point: disks are full for those who
 * write.
 *
 * The exit status is the program's, or 128 and the signal that ended it; 99 when it ended before the
 * Nth point: whoever counts up is done then.
 *
 * kill-stage has more points: every call by which a container comes to be, is spoken about or goes, see
 * stages[]. There the program may leave processes that live on, a monitor and a container, about whose
 * calls the kernel goes on asking: so the exit status is written to standard output as soon as the
 * program has ended, nothing is killed any more, and we end when the last of these processes has.
 * INJECT_FROM names a file: points count from when it is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parse.h"

#define STATUS_NO_SUCH_POINT 99

enum what {
	KILL_PROGRAM,
	KILL_CALLER,
	KILL_STAGE,
	FAIL,
};

struct injection {
	enum what what;
	int errnum;
	uint32_t point;
	pid_t program;
	uint32_t seen;
	const char *from; /* a file without which nothing counts, or NULL */
	bool over;        /* the program has ended */
};

static const int makers[] = {
	SCMP_SYS(mkdirat),   SCMP_SYS(mkdir),  SCMP_SYS(renameat),  SCMP_SYS(renameat2),
	SCMP_SYS(rename),    SCMP_SYS(linkat), SCMP_SYS(symlinkat), SCMP_SYS(mknodat),
	SCMP_SYS(ftruncate), SCMP_SYS(fsync),  SCMP_SYS(fdatasync), SCMP_SYS(syncfs),
};
static const int writers[] = {SCMP_SYS(write), SCMP_SYS(pwrite64), SCMP_SYS(copy_file_range)};
static const int removers[] = {SCMP_SYS(unlinkat), SCMP_SYS(unlink), SCMP_SYS(rmdir)};

/* sendmsg(2) is none: send_fd() needs it before anybody listens. */
static const int stages[] = {
	SCMP_SYS(clone3),    SCMP_SYS(clone),       SCMP_SYS(execve),
	SCMP_SYS(execveat),  SCMP_SYS(unshare),     SCMP_SYS(setns),
	SCMP_SYS(fsopen),    SCMP_SYS(fsmount),     SCMP_SYS(move_mount),
	SCMP_SYS(open_tree), SCMP_SYS(pivot_root),  SCMP_SYS(mount_setattr),
	SCMP_SYS(mount),     SCMP_SYS(umount2),     SCMP_SYS(sethostname),
	SCMP_SYS(flock),     SCMP_SYS(close_range), SCMP_SYS(seccomp),
	SCMP_SYS(setresuid), SCMP_SYS(kill),        SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(recvmsg),   SCMP_SYS(recvfrom),    SCMP_SYS(epoll_wait),
	SCMP_SYS(poll),      SCMP_SYS(ppoll),       SCMP_SYS(epoll_pwait),
	SCMP_SYS(waitid),    SCMP_SYS(wait4),       SCMP_SYS(exit_group),
	SCMP_SYS(sendto),    SCMP_SYS(bind), /* links, addresses, rules; the resolver */
};

static void die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void add_rules(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seccomp_rule_add(filter, SCMP_ACT_NOTIFY, calls[i], 0) < 0)
			die("filter");
}

static int load_filter(enum what what)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int fd;

	if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) < 0)
		die("filter");
	add_rules(filter, makers, sizeof(makers) / sizeof(makers[0]));
	add_rules(filter, writers, sizeof(writers) / sizeof(writers[0]));
	if (what != FAIL)
		add_rules(filter, removers, sizeof(removers) / sizeof(removers[0]));
	if (what == KILL_STAGE)
		add_rules(filter, stages, sizeof(stages) / sizeof(stages[0]));
	if (seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(openat), 1,
			     SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT)) < 0)
		die("filter");
	if (seccomp_load(filter) < 0)
		die("load the filter");
	fd = seccomp_notify_fd(filter);
	if (fd < 0)
		die("listen");
	return fd;
}

/* sendmsg(2) and recvmsg(2) are not among the points: nobody listens yet. */
static void send_fd(int sock, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec byte = {.iov_base = (char[]){0}, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(sock, &message, 0) != 1)
		_exit(2);
}

static int receive_fd(int sock)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char data;
	struct iovec byte = {.iov_base = &data, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		die("the listener");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Pipes and sockets are no disk. */
static bool writes_a_file(const struct seccomp_notif *request)
{
	char path[64];
	struct stat st;
	int call = (int)request->data.nr;
	int fd = (int)request->data.args[call == SCMP_SYS(copy_file_range) ? 2 : 0];
	bool writes = false;

	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
		writes = writes || writers[i] == call;
	if (!writes)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%u/fd/%d", request->pid, fd);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool counts(const struct injection *injection, const struct seccomp_notif *request)
{
	if (injection->over || (injection->from && access(injection->from, F_OK) < 0))
		return false;
	return writes_a_file(request);
}

static void answer(struct injection *injection, int listener, struct seccomp_notif *request,
		   struct seccomp_notif_resp *response)
{
	*response = (struct seccomp_notif_resp){
		.id = request->id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};
	if (counts(injection, request) && ++injection->seen == injection->point) {
		if (injection->what == FAIL) {
			response->flags = 0;
			response->error = -injection->errnum;
		} else {
			(void)kill(injection->what == KILL_PROGRAM ? injection->program
								   : (pid_t)request->pid,
				   SIGKILL);
		}
	}
	/* Whoever asked may be dead by now. */
	(void)seccomp_notify_respond(listener, response);
}

/* The program has ended: with what. */
static int finish(struct injection *injection)
{
	int status;

	if (waitpid(injection->program, &status, 0) < 0)
		die("wait");
	injection->over = true;
	if (injection->seen < injection->point)
		status = STATUS_NO_SUCH_POINT;
	else
		status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (injection->what == KILL_STAGE) {
		printf("%d\n", status);
		(void)fflush(stdout);
	}
	return status;
}

/* Until nobody is left who could ask. */
static int serve(struct injection *injection, int listener)
{
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
	struct pollfd fds[] = {
		{.fd = listener, .events = POLLIN},
		{.fd = pidfd_open(injection->program, 0), .events = POLLIN},
	};
	int status = -1;

	if (fds[1].fd < 0 || seccomp_notify_alloc(&request, &response) < 0)
		die("wait");
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[1].revents && status < 0) {
			status = finish(injection);
			fds[1].fd = -1;
		}
		if (fds[0].revents & POLLIN) {
			memset(request, 0, sizeof(*request));
			if (seccomp_notify_receive(listener, request) == 0)
				answer(injection, listener, request, response);
		} else if (fds[0].revents) {
			return status >= 0 ? status : finish(injection);
		}
	}
}

static void parse(char **argv, struct injection *injection)
{
	uint32_t errnum;

	*injection = (struct injection){.what = KILL_PROGRAM, .from = getenv("INJECT_FROM")};
	if (strcmp(argv[1], "kill-stage") == 0) {
		injection->what = KILL_STAGE;
	} else if (strcmp(argv[1], "kill-caller") == 0) {
		injection->what = KILL_CALLER;
	} else if (strcmp(argv[1], "kill") != 0) {
		injection->what = FAIL;
		if (parse_u32(argv[1], &errnum) < 0)
			die(argv[1]);
		injection->errnum = (int)errnum;
	}
	if (parse_u32(argv[2], &injection->point) < 0)
		die(argv[2]);
}

static void become_program(const struct injection *injection, int sock, char **argv)
{
	int listener = load_filter(injection->what);

	send_fd(sock, listener);
	(void)close(listener);
	execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct injection injection;
	int socks[2];

	if (argc < 4) {
		fprintf(stderr, "usage: inject kill|kill-caller|kill-stage|ERRNO N PROGRAM "
				"[ARGUMENT...]\n");
		return 2;
	}
	parse(argv, &injection);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) < 0)
		die("socketpair");
	injection.program = fork();
	if (injection.program < 0)
		die("fork");
	if (injection.program == 0)
		become_program(&injection, socks[1], argv + 3);
	(void)close(socks[1]);
	return serve(&injection, receive_fd(socks[0]));
}
