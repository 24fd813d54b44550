/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.c - the parent's side of the floor, and its clock
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

static const char *const point_names[] = {
	[POINT_FILES] = "files",
	[POINT_CLONED] = "cloned",
	[POINT_OVERLAY] = "overlay",
	[POINT_CREATED] = "cgroups_created",
	[POINT_DEVICES] = "devices",
	[POINT_JOINED] = "joined",
	[POINT_EXECED] = "execed",
	[POINT_EXITED] = "exited",
	[POINT_RMDIR] = "cgroups_removed",
	[POINT_REMOVED] = "removed",
	[POINT_CHILD_START] = "child_start",
	[POINT_CHILD_PRIVATE] = "child_private",
	[POINT_CHILD_NETWORK] = "child_network",
	[POINT_CHILD_ROOT] = "child_root",
	[POINT_CHILD_PROC] = "child_proc",
	[POINT_CHILD_DEV] = "child_dev",
	[POINT_CHILD_SYS] = "child_sys",
	[POINT_CHILD_BINDS] = "child_binds",
	[POINT_CHILD_MASKS] = "child_masks",
	[POINT_CHILD_TOLD] = "child_told",
	[POINT_CHILD_JOINED] = "child_joined",
	[POINT_CHILD_VIEW] = "child_view",
	[POINT_CHILD_PIVOT] = "child_pivot",
	[POINT_CHILD_NAME] = "child_name",
	[POINT_CHILD_CAPS] = "child_caps",
	[POINT_CHILD_SECCOMP] = "child_seccomp",
};
_Static_assert(sizeof(point_names) / sizeof(point_names[0]) == POINT_COUNT,
	       "a name for each point");

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

void floor_mark(struct floor_times *times, enum floor_point point)
{
	times->at_ns[point] = now_ns() - times->start_ns;
}

_Noreturn void floor_die(const char *what)
{
	(void)fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

/* ---- files ---- */

static const char *const host_files[][2] = {
	{"resolv.conf", "nameserver 192.0.2.1\n"},
	{"hostname", "0123456789ab\n"},
	{"hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"},
};
static const char *const host_directories[] = {"upper", "work"};
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int make_box(const char *box)
{
	int dir_fd, fd;

	if (mkdir(box, 0700) < 0)
		floor_die(box);
	dir_fd = open(box, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT_OF(host_directories); i++)
		if (mkdirat(dir_fd, host_directories[i], 0755) < 0)
			floor_die(host_directories[i]);
	for (size_t i = 0; i < COUNT_OF(host_files); i++) {
		const char *text = host_files[i][1];

		fd = openat(dir_fd, host_files[i][0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    0644);
		if (fd < 0 || write(fd, text, strlen(text)) < 0)
			floor_die(host_files[i][0]);
		close(fd);
	}
	return dir_fd;
}

/* The command is one that writes nothing, so overlay's own directories are all there is. */
static void remove_box(int dir_fd, const char *box)
{
	static const char *const directories[] = {
		"work/work/incompat/volatile", "work/work/incompat", "work/work", "work", "upper"};

	for (size_t i = 0; i < COUNT_OF(host_files); i++)
		if (unlinkat(dir_fd, host_files[i][0], 0) < 0)
			floor_die(host_files[i][0]);
	if (unlinkat(dir_fd, "work/work/incompat/volatile/dirty", 0) < 0 && errno != ENOENT)
		floor_die("volatile");
	for (size_t i = 0; i < COUNT_OF(directories); i++)
		if (unlinkat(dir_fd, directories[i], AT_REMOVEDIR) < 0 && errno != ENOENT)
			floor_die(directories[i]);
	close(dir_fd);
	if (rmdir(box) < 0)
		floor_die(box);
}

/* ---- one container ---- */

union fd_message {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int sock, int fd)
{
	union fd_message control = {.header = {.cmsg_level = SOL_SOCKET,
					       .cmsg_type = SCM_RIGHTS,
					       .cmsg_len = CMSG_LEN(sizeof(int))}};
	char byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(sock, &message, MSG_NOSIGNAL) != 1)
		floor_die("sendmsg");
}

int floor_receive(int sock)
{
	union fd_message control;
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(sock, &message, MSG_CMSG_CLOEXEC) != 1 || message.msg_controllen == 0)
		floor_die("recvmsg");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static pid_t clone_child(int cgroup_fd, int *ret_pidfd)
{
	int pidfd = NO_FD;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_NEWPID | CLONE_NEWNS,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	*ret_pidfd = pidfd;
	return pid;
}

/* Whether it ended as it should; if not, it has said why. */
static bool wait_for_end(int pidfd)
{
	siginfo_t info;

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		floor_die("waitid");
	return info.si_code == CLD_EXITED && info.si_status == 0;
}

static void make_root(const struct floor_options *options, const char *box, int sock)
{
	int fd = floor_overlay(options, box);

	send_fd(sock, fd);
	close(fd);
}

static void make_cgroups(const struct floor_options *options, const struct floor_cgroups *cgroups,
			 struct floor_times *times, pid_t pid)
{
	if (options->no_cgroup)
		return;
	if (!options->cgroup_first)
		floor_cgroups_create(cgroups, FLOOR_V1);
	floor_mark(times, POINT_CREATED);
	if (!options->no_devices)
		floor_cgroups_devices(cgroups);
	floor_mark(times, POINT_DEVICES);
	if (options->attach == FLOOR_ATTACH_PARENT)
		floor_cgroups_attach(cgroups, "cgroup.procs", pid);
	floor_mark(times, POINT_JOINED);
}

static void run_once(const struct floor_options *options, const struct floor_cgroups *cgroups,
		     struct floor_times *times)
{
	struct floor_child child = {.options = options, .cgroups = cgroups, .times = times};
	int told[2], exec_pipe[2], pidfd = NO_FD, box_fd, cgroup_fd = NO_FD;
	char box[256], byte = 0;
	bool ok;
	pid_t pid;

	memset(times, 0, sizeof(*times));
	times->start_ns = now_ns();
	(void)snprintf(box, sizeof(box), "%s/floor-%d", options->work, (int)getpid());
	child.box = box;
	box_fd = make_box(box);
	floor_mark(times, POINT_FILES);

	if (!options->no_cgroup) {
		floor_cgroups_create(cgroups, options->cgroup_first ? FLOOR_V1_AND_V2 : FLOOR_V2);
		cgroup_fd = floor_cgroups_v2_fd(cgroups);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, told) < 0 ||
	    pipe2(exec_pipe, O_CLOEXEC) < 0)
		floor_die("pipe");
	child.told_fd = told[0];
	pid = clone_child(cgroup_fd, &pidfd);
	if (pid < 0)
		floor_die("clone3");
	if (pid == 0) {
		close(told[1]);
		floor_child_run(&child);
	}
	floor_mark(times, POINT_CLONED);
	close(exec_pipe[1]);
	make_root(options, box, told[1]);
	floor_mark(times, POINT_OVERLAY);
	make_cgroups(options, cgroups, times, pid);
	if (send(told[1], &byte, 1, MSG_NOSIGNAL) != 1 || read(exec_pipe[0], &byte, 1) != 0)
		floor_die("pipe");
	floor_mark(times, POINT_EXECED);
	ok = wait_for_end(pidfd);
	floor_mark(times, POINT_EXITED);
	if (!options->no_cgroup)
		floor_cgroups_remove(cgroups);
	floor_mark(times, POINT_RMDIR);
	remove_box(box_fd, box);
	floor_mark(times, POINT_REMOVED);
	close(told[0]);
	close(told[1]);
	close(exec_pipe[0]);
	close(pidfd);
	close(cgroup_fd);
	if (!ok)
		exit(125);
}

/* ---- command line ---- */

static void print_json(const struct floor_times *times, bool first)
{
	(void)printf("%s\n  {", first ? "[" : ",");
	for (size_t i = 0; i < POINT_COUNT; i++)
		(void)printf("%s\"%s\": %.1f", i == 0 ? "" : ", ", point_names[i],
			     (double)times->at_ns[i] / 1000.0);
	(void)printf("}");
}

static _Noreturn void usage(void)
{
	(void)fprintf(stderr,
		      "usage: floor --layer DIR --work DIR [--command PATH] [--repeat N] [--json]\n"
		      "             [--seccomp tree|linear|none] [--cgroup-view bind|mount|none]\n"
		      "             [--attach self|parent] [--cgroup-first] [--no-cgroup] "
		      "[--no-devices] [--no-masks]\n"
		      "             [--no-net] [--no-volatile]\n"
		      "Times in the JSON are microseconds since the beginning of the iteration.\n");
	exit(125);
}

enum option_id {
	OPTION_LAYER = 1,
	OPTION_WORK,
	OPTION_COMMAND,
	OPTION_REPEAT,
	OPTION_JSON,
	OPTION_SECCOMP,
	OPTION_VIEW,
	OPTION_ATTACH,
	OPTION_CGROUP_FIRST,
	OPTION_NO_CGROUP,
	OPTION_NO_DEVICES,
	OPTION_NO_MASKS,
	OPTION_NO_NET,
	OPTION_NO_VOLATILE,
};

static const struct option long_options[] = {
	{"layer", required_argument, NULL, OPTION_LAYER},
	{"work", required_argument, NULL, OPTION_WORK},
	{"command", required_argument, NULL, OPTION_COMMAND},
	{"repeat", required_argument, NULL, OPTION_REPEAT},
	{"json", no_argument, NULL, OPTION_JSON},
	{"seccomp", required_argument, NULL, OPTION_SECCOMP},
	{"cgroup-view", required_argument, NULL, OPTION_VIEW},
	{"attach", required_argument, NULL, OPTION_ATTACH},
	{"cgroup-first", no_argument, NULL, OPTION_CGROUP_FIRST},
	{"no-cgroup", no_argument, NULL, OPTION_NO_CGROUP},
	{"no-devices", no_argument, NULL, OPTION_NO_DEVICES},
	{"no-masks", no_argument, NULL, OPTION_NO_MASKS},
	{"no-net", no_argument, NULL, OPTION_NO_NET},
	{"no-volatile", no_argument, NULL, OPTION_NO_VOLATILE},
	{NULL, 0, NULL, 0},
};

/* Index of `text` in `names`, which follow the order of an enum. */
static int choose(const char *text, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	usage();
}

static void set_option(struct floor_options *options, int id)
{
	static const char *const seccomps[] = {"tree", "linear", "none"};
	static const char *const attaches[] = {"self", "parent"};
	static const char *const views[] = {"bind", "mount", "none"};

	switch (id) {
	case OPTION_LAYER:
		options->layer = optarg;
		break;
	case OPTION_WORK:
		options->work = optarg;
		break;
	case OPTION_COMMAND:
		options->command = optarg;
		break;
	case OPTION_REPEAT:
		if (parse_u32(optarg, &options->repeat) < 0 || options->repeat == 0)
			usage();
		break;
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_SECCOMP:
		options->seccomp = (enum floor_seccomp)choose(optarg, seccomps, 3);
		break;
	case OPTION_VIEW:
		options->view = (enum floor_view)choose(optarg, views, 3);
		break;
	case OPTION_ATTACH:
		options->attach = (enum floor_attach)choose(optarg, attaches, 2);
		break;
	case OPTION_CGROUP_FIRST:
		options->cgroup_first = true;
		break;
	case OPTION_NO_CGROUP:
		options->no_cgroup = true;
		break;
	case OPTION_NO_DEVICES:
		options->no_devices = true;
		break;
	case OPTION_NO_MASKS:
		options->no_masks = true;
		break;
	case OPTION_NO_NET:
		options->no_net = true;
		break;
	case OPTION_NO_VOLATILE:
		options->no_volatile = true;
		break;
	default:
		usage();
	}
}

int main(int argc, char *argv[])
{
	struct floor_options options = {.command = "/bin/true", .repeat = 1};
	struct floor_cgroups cgroups = {.count = 0};
	struct floor_times *times;
	int id;

	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(&options, id);
	if (!options.layer || !options.work || optind != argc)
		usage();
	times = mmap(NULL, sizeof(*times), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (times == MAP_FAILED)
		floor_die("mmap");
	floor_seccomp_build(options.seccomp);
	floor_cgroups_find(&cgroups);
	for (uint32_t i = 0; i < options.repeat; i++) {
		run_once(&options, &cgroups, times);
		if (options.json)
			print_json(times, i == 0);
	}
	if (options.json)
		(void)printf("\n]\n");
	return 0;
}
