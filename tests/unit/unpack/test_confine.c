/* SPDX-License-Identifier: Apache-2.0 */
/* test_confine.c - seen from inside: the host is gone. Needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "unpack/confine.h"
#include "unpack/syscall_filter.h"

static char directory[] = "/tmp/skiff-test-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	int r;

	(void)state;
	r = path_remove_tree(AT_FDCWD, directory);
	memcpy(strrchr(directory, '-'), "-XXXXXX", 8);
	return r;
}

/* Something to try inside; true when it is as it should be. */
typedef bool trial(const struct confinement *c);

/* Runs it confined, sealed or not; the exit code of the process, 128 + n after signal n. */
static int run_inside(trial *attempt, bool seal)
{
	auto_(error_release) struct error err = {0};
	struct confinement c = {0};
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (confine_enter(&(struct confine_request){.root_fd = fd, .warden = true}, &c,
				  &err) < 0)
			_exit(90);
		if (seal && confine_seal(&c, &err) < 0)
			_exit(91);
		status = attempt(&c) ? 0 : 1;
		confine_leave(&c);
		_exit(status);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* If it was killed, its warden is our child now. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool host_is_out_of_sight(const struct confinement *c)
{
	static const char *const paths[] = {"/etc/passwd", "/proc/self/status", "/dev/null",
					    "/tmp",        "/../etc/passwd",    "../../etc/passwd"};

	(void)c;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (open(paths[i], O_RDONLY | O_CLOEXEC) >= 0 || errno != ENOENT)
			return false;
	return true;
}

static bool devices_cannot_be_opened(const struct confinement *c)
{
	int fd;

	if (mknodat(c->root_fd, "null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return false;
	fd = openat(c->root_fd, "null", O_RDWR | O_CLOEXEC);
	return fd < 0 && errno == EACCES;
}

static bool files_can_be_made(const struct confinement *c)
{
	int fd = openat(c->root_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, "x", 1) == 1 && fchown(fd, 1000, 1000) == 0 &&
	       fchmod(fd, 04755) == 0 && fsetxattr(fd, "user.a", "b", 1, 0) == 0;
}

static bool trusted_attributes_need_the_warden(const struct confinement *c)
{
	if (fsetxattr(c->root_fd, "trusted.overlay.opaque", "y", 1, 0) == 0 || errno != EPERM)
		return false;
	return confine_mark_opaque(c, c->root_fd) == 0;
}

static bool the_network_is_empty(const struct confinement *c)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address = {.ss_family = AF_INET};

	(void)c;
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
	       if_nametoindex("lo") == 1 && if_nametoindex("eth0") == 0;
}

static bool capabilities_are_few(const struct confinement *c)
{
	(void)c;
	return unshare(CLONE_NEWNS) < 0 && errno == EPERM && chroot("/") < 0 && errno == EPERM &&
	       sethostname("x", 1) < 0 && errno == EPERM;
}

static bool sockets_are_refused(const struct confinement *c)
{
	(void)c;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM &&
	       socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM;
}

static bool forking(const struct confinement *c)
{
	(void)c;
	return fork() >= 0;
}

static bool executing(const struct confinement *c)
{
	(void)c;
	return execl("/bin/true", "true", NULL) == 0;
}

static bool killing(const struct confinement *c)
{
	(void)c;
	return kill(1, 0) == 0;
}

static bool tracing(const struct confinement *c)
{
	(void)c;
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0;
}

static bool mapping_code(const struct confinement *c)
{
	(void)c;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) != MAP_FAILED;
}

static bool owning_descriptors(const struct confinement *c)
{
	return fcntl(c->root_fd, F_SETOWN, 1) == 0;
}

static bool opening_by_handle(const struct confinement *c)
{
	return syscall(SYS_open_by_handle_at, c->root_fd, NULL, 0) == 0;
}

static void inside_before_the_seal(void **state)
{
	(void)state;
	assert_int_equal(run_inside(host_is_out_of_sight, false), 0);
	assert_int_equal(run_inside(the_network_is_empty, false), 0);
	assert_int_equal(run_inside(capabilities_are_few, false), 0);
}

static void inside_the_seal(void **state)
{
	(void)state;
	assert_int_equal(run_inside(host_is_out_of_sight, true), 0);
	assert_int_equal(run_inside(devices_cannot_be_opened, true), 0);
	assert_int_equal(run_inside(files_can_be_made, true), 0);
}

static void opaque_marks_come_from_the_warden(void **state)
{
	char value[2] = "";

	(void)state;
	assert_int_equal(run_inside(trusted_attributes_need_the_warden, true), 0);
	assert_int_equal(getxattr(directory, "trusted.overlay.opaque", value, 2), 1);
	assert_int_equal(value[0], 'y');
}

static void forbidden_calls_kill(void **state)
{
	static trial *const attempts[] = {forking,          executing,    killing,
					  tracing,          mapping_code, owning_descriptors,
					  opening_by_handle};

	(void)state;
	if (syscall_filter_is_off())
		skip();
	assert_int_equal(run_inside(sockets_are_refused, true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		assert_int_equal(run_inside(attempts[i], true), 128 + SIGSYS);
}

static void *try_in_thread(void *context)
{
	pthread_barrier_t *barrier = context;

	(void)pthread_barrier_wait(barrier);
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? NULL : context;
}

/* Threads that ran before the seal are under it too. */
static void all_threads_are_sealed(void **state)
{
	auto_(error_release) struct error err = {0};
	int status = -1;
	pid_t pid;

	(void)state;
	if (syscall_filter_is_off())
		skip();
	pid = fork();
	if (pid == 0) {
		int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		pthread_barrier_t barrier;
		struct confinement c;
		void *got_one = NULL;
		pthread_t thread;

		(void)pthread_barrier_init(&barrier, NULL, 2);
		if (confine_enter(&(struct confine_request){.root_fd = fd}, &c, &err) < 0 ||
		    pthread_create(&thread, NULL, try_in_thread, &barrier) != 0 ||
		    confine_seal(&c, &err) < 0)
			_exit(90);
		(void)pthread_barrier_wait(&barrier);
		(void)pthread_join(thread, &got_one);
		_exit(got_one ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(inside_before_the_seal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(inside_the_seal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opaque_marks_come_from_the_warden, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(forbidden_calls_kill, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_threads_are_sealed, set_up, tear_down),
	};

	if (geteuid() != 0)
		return 77; /* meson: skipped */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
