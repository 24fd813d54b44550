/* SPDX-License-Identifier: Apache-2.0 */
/* test_confine.c - seen from inside: the host is gone. Needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "registry/confine.h"
#include "registry/syscall_filter.h"

#define KILLED (128 + SIGSYS)

/* Something to try inside; true when it is as it should be. `fd` is a blob, as the engine opens it. */
typedef bool trial(int fd);

static int run_inside(trial *attempt)
{
	auto_(error_release) struct error err = {0};
	auto_close int file = memfd_create("blob", MFD_CLOEXEC);
	struct fd_path path = fd_path(file);
	int status = -1;
	pid_t pid;

	assert_int_equal(fd_write_all(file, "0123456789", 10), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(path.text, O_WRONLY | O_APPEND | O_CLOEXEC);

		if (fd < 0 || confine_enter(&err) < 0)
			_exit(90);
		if (confine_seal(&err) < 0)
			_exit(91);
		_exit(attempt(fd) ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		char start[10];

		/* Whatever was tried, what had been written is still there. */
		assert_int_equal(fd_pread_full(file, start, sizeof(start), 0), 10);
		assert_memory_equal(start, "0123456789", 10);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool host_files_are_gone(int fd)
{
	(void)fd;
	return open("/etc/passwd", O_RDONLY) < 0 && errno == ENOENT &&
	       open("/proc/1/environ", O_RDONLY) < 0 && errno == ENOENT &&
	       open("/../../etc/shadow", O_RDONLY) < 0 && errno == ENOENT &&
	       open("/dev/null", O_RDONLY) < 0 && errno == ENOENT &&
	       open("/var/lib/skiff", O_RDONLY) < 0 && errno == ENOENT;
}

static bool nothing_can_be_made(int fd)
{
	(void)fd;
	return open("/file", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS &&
	       open("/etc/hosts", O_WRONLY) < 0 && (errno == EROFS || errno == EACCES);
}

static bool it_is_nobody(int fd)
{
	(void)fd;
	return getuid() == 65534 && geteuid() == 65534 && getgid() == 65534;
}

static bool local_sockets_are_refused(int fd)
{
	(void)fd;
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM &&
	       socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EPERM &&
	       socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM;
}

static bool internet_sockets_are_not(int fd)
{
	(void)fd;
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool appending_is_all(int fd)
{
	/* Said to be done, and not done. */
	if (fcntl(fd, F_SETFL, O_WRONLY) != 0 || !(fcntl(fd, F_GETFL) & O_APPEND))
		return false;
	return lseek(fd, 0, SEEK_SET) == 0 && write(fd, "xxxx", 4) == 4;
}

static bool try_pwrite(int fd)
{
	(void)!pwrite(fd, "xxxx", 4, 0);
	return true;
}

static bool try_truncate(int fd)
{
	(void)!ftruncate(fd, 0);
	return true;
}

static bool try_fallocate(int fd)
{
	(void)fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 10);
	return true;
}

static bool try_pwritev2(int fd)
{
	struct iovec v = {(char *)"xx", 2};

	(void)!pwritev2(fd, &v, 1, 0, 0);
	return true;
}

static bool map_is_refused(int fd)
{
	return mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES;
}

static bool try_fork(int fd)
{
	(void)fd;
	(void)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	return true;
}

static bool try_exec(int fd)
{
	char *const argv[] = {NULL};

	(void)fd;
	(void)execve("/bin/true", argv, argv);
	return true;
}

static bool try_unshare(int fd)
{
	(void)fd;
	(void)unshare(CLONE_NEWUSER);
	return true;
}

static bool try_kill(int fd)
{
	(void)fd;
	(void)kill(getppid(), 0);
	return true;
}

static bool try_executable_memory(int fd)
{
	(void)fd;
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return true;
}

static void test_what_holds(void **state)
{
	static trial *const trials[] = {host_files_are_gone, nothing_can_be_made, it_is_nobody,
					internet_sockets_are_not, map_is_refused};

	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		if (run_inside(trials[i]) != 0)
			fail_msg("trial %zu failed", i);
}

static void test_what_the_filter_answers(void **state)
{
	(void)state;
	if (syscall_filter_is_off())
		skip();
	assert_int_equal(run_inside(local_sockets_are_refused), 0);
	assert_int_equal(run_inside(appending_is_all), 0);
}

static void test_what_kills(void **state)
{
	static trial *const trials[] = {try_pwrite,   try_truncate, try_fallocate,
					try_pwritev2, try_fork,     try_exec,
					try_unshare,  try_kill,     try_executable_memory};

	(void)state;
	if (syscall_filter_is_off())
		skip();
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		if (run_inside(trials[i]) != KILLED)
			fail_msg("trial %zu is not answered with death", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_holds),
		cmocka_unit_test(test_what_the_filter_answers),
		cmocka_unit_test(test_what_kills),
	};

	if (geteuid() != 0)
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
