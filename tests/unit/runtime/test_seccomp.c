/* SPDX-License-Identifier: Apache-2.0 */
/* The cache, and what the kernel answers under docker's default policy. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "runtime/seccomp_internal.h"

/* docker's fourteen. */
#define DOCKER_CAPS 0xa80425fbULL
#define WITH(cap) (DOCKER_CAPS | 1ULL << (cap))

struct fixture {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->path, sizeof(f->path), "/tmp/skiff-test-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)close(f->fd);
	(void)path_remove_tree(AT_FDCWD, f->path);
	free(f);
	return 0;
}

static json_t *json(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	assert_non_null(value);
	return value;
}

/* ---- the kernel ---- */

struct call {
	const char *what;
	long nr;
	long args[4];
	int expected; /* 0: anything that does not come from the filter */
};

static int make_call(const struct call *call)
{
	errno = 0;
	if (syscall(call->nr, call->args[0], call->args[1], call->args[2], call->args[3]) >= 0)
		return 0;
	return errno;
}

/* Runs each call in one child under the filter; its answers come back through a pipe. */
static void answers_of(const struct seccomp_filter *filter, const struct call *calls, size_t count,
		       int *ret_errnos)
{
	int pipe_fds[2];
	pid_t pid;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_load(filter) < 0)
			_exit(1);
		for (size_t i = 0; i < count; i++)
			ret_errnos[i] = make_call(&calls[i]);
		_exit(fd_write_all(pipe_fds[1], ret_errnos, count * sizeof(*ret_errnos)) < 0);
	}
	(void)close(pipe_fds[1]);
	assert_int_equal(fd_read_full(pipe_fds[0], ret_errnos, count * sizeof(*ret_errnos)),
			 count * sizeof(*ret_errnos));
	(void)close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void check_default(const struct fixture *f, uint64_t capabilities, const struct call *calls,
			  size_t count)
{
	auto_(seccomp_filter_release) struct seccomp_filter filter = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *name = NULL;
	int errnos[32];

	assert_true(count <= ARRAY_SIZE(errnos));
	if (seccomp_cache_default(f->fd, capabilities, &name, &err) < 0 ||
	    seccomp_filter_read(f->fd, name, &filter, &err) < 0)
		fail_msg("%s", err_message(&err));
	answers_of(&filter, calls, count, errnos);
	for (size_t i = 0; i < count; i++)
		if (errnos[i] != calls[i].expected)
			fail_msg("%s: errno %d, expected %d", calls[i].what, errnos[i],
				 calls[i].expected);
}

static void test_docker_default(void **state)
{
	static const struct call calls[] = {
		{"getpid", SYS_getpid, {0}, 0},
		{"mount", SYS_mount, {0}, EPERM},
		{"umount2", SYS_umount2, {0}, EPERM},
		{"unshare", SYS_unshare, {CLONE_NEWUSER}, EPERM},
		{"setns", SYS_setns, {-1}, EPERM},
		{"keyctl", SYS_keyctl, {0}, EPERM},
		{"add_key", SYS_add_key, {0}, EPERM},
		{"bpf", SYS_bpf, {0}, EPERM},
		{"perf_event_open", SYS_perf_event_open, {0}, EPERM},
		{"io_uring_setup", 425, {1}, EPERM},
		{"userfaultfd", SYS_userfaultfd, {0}, EPERM},
		{"open_by_handle_at", SYS_open_by_handle_at, {-1}, EPERM},
		{"init_module", SYS_init_module, {0}, EPERM},
		{"reboot", SYS_reboot, {0}, EPERM},
		{"swapon", SYS_swapon, {0}, EPERM},
		{"kexec_load", SYS_kexec_load, {0}, EPERM},
		{"pivot_root", SYS_pivot_root, {0}, EPERM},
		{"clone with a namespace", SYS_clone, {CLONE_NEWNET | SIGCHLD}, EPERM},
		{"clone3", SYS_clone3, {0}, ENOSYS},
		{"number 467", 467, {0}, ENOSYS},
		{"number 9999", 9999, {0}, ENOSYS},
		{"personality, which", SYS_personality, {0xffffffff}, 0},
		{"personality, odd", SYS_personality, {PER_LINUX | 0x0040000}, EPERM},
		{"socket unix", SYS_socket, {AF_UNIX, SOCK_STREAM}, 0},
		{"socket alg", SYS_socket, {AF_ALG, SOCK_SEQPACKET}, EPERM},
		{"socket vsock", SYS_socket, {AF_VSOCK, SOCK_STREAM}, EPERM},
		{"ptrace", SYS_ptrace, {100, 0, 0, 0}, ESRCH},
		{"openat2 of nothing", SYS_openat2, {-1, 0, 0, 0}, EINVAL},
		{"chroot", SYS_chroot, {0}, EFAULT},
		{"settimeofday", SYS_settimeofday, {0}, EPERM},
		{"sched_setattr of nothing", SYS_sched_setattr, {0, 0, 0}, EINVAL},
	};

	check_default(*state, DOCKER_CAPS, calls, ARRAY_SIZE(calls));
}

static void test_with_capabilities(void **state)
{
	static const struct call admin[] = {
		{"mount", SYS_mount, {0}, EFAULT},
		{"setns", SYS_setns, {-1}, EBADF},
		{"clone3", SYS_clone3, {0}, EINVAL},
		{"keyctl", SYS_keyctl, {0}, EPERM},
	};
	static const struct call search[] = {
		{"open_by_handle_at", SYS_open_by_handle_at, {-1}, EFAULT},
		{"mount", SYS_mount, {0}, EPERM},
	};
	static const struct call bare[] = {{"chroot", SYS_chroot, {0}, EPERM}};

	check_default(*state, WITH(CAP_SYS_ADMIN), admin, ARRAY_SIZE(admin));
	check_default(*state, WITH(CAP_DAC_READ_SEARCH), search, ARRAY_SIZE(search));
	check_default(*state, 0, bare, ARRAY_SIZE(bare));
}

static void test_oci(void **state)
{
	static const struct call calls[] = {
		{"uname", SYS_uname, {0}, 77},
		{"getpid", SYS_getpid, {0}, 0},
		{"number 9999", 9999, {0}, ENOSYS},
		{"sysinfo", SYS_sysinfo, {0}, 99},
	};
	auto_(json_decref) json_t *policy =
		json("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 99,"
		     " \"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_MIPS\"],"
		     " \"syscalls\": ["
		     "  {\"names\": [\"uname\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 77},"
		     "  {\"names\": [\"getpid\", \"write\", \"exit_group\", \"mmap\", \"munmap\","
		     "   \"sigaltstack\", \"no such call\"],"
		     "   \"action\": \"SCMP_ACT_ALLOW\"}]}");
	auto_(seccomp_filter_release) struct seccomp_filter filter = {0};
	auto_(error_release) struct error err = {0};
	const struct fixture *f = *state;
	auto_free char *name = NULL;
	int errnos[ARRAY_SIZE(calls)];

	if (seccomp_cache_oci(f->fd, policy, &name, &err) < 0 ||
	    seccomp_filter_read(f->fd, name, &filter, &err) < 0)
		fail_msg("%s", err_message(&err));
	answers_of(&filter, calls, ARRAY_SIZE(calls), errnos);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_int_equal(errnos[i], calls[i].expected);
}

/* ---- the cache ---- */

static char *default_name(const struct fixture *f, uint64_t capabilities)
{
	auto_(error_release) struct error err = {0};
	char *name = NULL;

	assert_int_equal(seccomp_cache_default(f->fd, capabilities, &name, &err), 0);
	return name;
}

static void test_names(void **state)
{
	const struct fixture *f = *state;
	auto_free char *a = default_name(f, DOCKER_CAPS);
	auto_free char *same = default_name(f, DOCKER_CAPS);
	auto_free char *admin = default_name(f, WITH(CAP_SYS_ADMIN));
	auto_free char *irrelevant = default_name(f, DOCKER_CAPS & ~(1ULL << CAP_CHOWN));

	assert_string_equal(a, same);
	assert_string_not_equal(a, admin);
	/* No rule depends on that one. */
	assert_string_equal(a, irrelevant);
}

static char *profile_name(const struct fixture *f, const char *text, uint64_t capabilities)
{
	auto_(error_release) struct error err = {0};
	json_t *profile = json(text);
	char *name = NULL;

	if (seccomp_cache_profile(f->fd, profile, capabilities, &name, &err) < 0)
		fail_msg("%s", err_message(&err));
	json_decref(profile);
	return name;
}

static void test_profile_names(void **state)
{
	const struct fixture *f = *state;
	const char *allow = "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}";
	auto_free char *a = profile_name(f, allow, 0), *same = profile_name(f, allow, 0);
	auto_free char *other = profile_name(f, "{\"defaultAction\": \"SCMP_ACT_LOG\"}", 0);
	auto_free char *caps = profile_name(f, allow, 1);

	assert_string_equal(a, same);
	assert_string_not_equal(a, other);
	assert_string_not_equal(a, caps);
}

static void damage(const struct fixture *f, const char *name, off_t offset, const char *bytes,
		   size_t len)
{
	auto_close int fd = openat(f->fd, name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, offset), (ssize_t)len);
}

static void expect_damaged(const struct fixture *f, const char *name)
{
	auto_(error_release) struct error err = {0};
	struct seccomp_filter filter = {0};

	assert_true(seccomp_filter_read(f->fd, name, &filter, &err) < 0);
	assert_int_equal(err.kind, ERR_INTERNAL);
	assert_null(filter.instructions);
	/* It is gone, and the next start makes it anew. */
	assert_true(faccessat(f->fd, name, F_OK, 0) < 0);
	free(default_name(f, DOCKER_CAPS));
	assert_int_equal(faccessat(f->fd, name, F_OK, 0), 0);
}

static void test_damage(void **state)
{
	const struct fixture *f = *state;
	auto_free char *name = default_name(f, DOCKER_CAPS);
	static const off_t offsets[] = {0, 8, 12, 16, 20, 27, 900};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		damage(f, name, offsets[i], "\xff\x13\x37", 3);
		expect_damaged(f, name);
	}
	for (off_t len = 0; len < 200; len += 33) {
		auto_close int fd = openat(f->fd, name, O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, len), 0);
		expect_damaged(f, name);
	}
	damage(f, name, 1 << 20, "x", 1);
	expect_damaged(f, name);
}

static void test_missing(void **state)
{
	const struct fixture *f = *state;
	auto_(error_release) struct error err = {0};
	struct seccomp_filter filter = {0};

	assert_int_equal(seccomp_filter_read(f->fd, "nothing", &filter, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_docker_default, setup, teardown),
		cmocka_unit_test_setup_teardown(test_with_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oci, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_profile_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
