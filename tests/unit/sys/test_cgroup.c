/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group's life in the real hierarchies of this machine: made, limited, joined, frozen, killed,
 * removed. Needs root; each test has a group of its own and leaves nothing.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sys/cgroup_internal.h"

struct fixture {
	struct cgroup_host *host;
	struct cgroup *group;
	char path[64];
};

static int setup(void **state)
{
	static int serial;
	struct fixture *f;

	if (geteuid() != 0) {
		*state = NULL;
		return 0;
	}
	f = xcalloc(1, sizeof(*f));
	if (cgroup_host_open(&f->host) < 0)
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "/skiff-test-%d-%d", (int)getpid(), ++serial);
	*state = f;
	return 0;
}

static struct fixture *need(void **state)
{
	struct fixture *f = *state;

	if (!f || cgroup_host_mode(f->host) == CGROUP_MODE_NONE) {
		print_message("needs root and a mounted cgroup hierarchy\n");
		skip();
	}
	return f;
}

static bool exists_anywhere(const struct fixture *f, const char *path)
{
	for (size_t i = 0; i < f->host->count; i++)
		if (faccessat(f->host->items[i].root_fd, path + 1, F_OK, 0) == 0)
			return true;
	return false;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = 0;

	if (!f)
		return 0;
	if (f->group) {
		(void)cgroup_kill_all(f->group);
		(void)cgroup_remove(f->group, 2000);
		cgroup_free(f->group);
	}
	if (exists_anywhere(f, f->path))
		r = -1;
	cgroup_host_free(f->host);
	free(f);
	return r;
}

static void create(struct fixture *f)
{
	assert_int_equal(cgroup_create(f->host, f->path, &f->group), 0);
}

/* As a child does it that was sent the files. */
static int join(const struct cgroup *group)
{
	int fds[CGROUP_JOIN_MAX];
	size_t count;
	int r = cgroup_join_files(group, fds, &count);

	return r < 0 ? r : cgroup_join(fds, count);
}

/* A child in the group that waits to be killed, and dies with us. */
static pid_t start_member(const struct fixture *f, bool ignore_signals)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	if (cgroup_clone_fd(f->group) >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_clone_fd(f->group);
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ignore_signals)
			(void)signal(SIGTERM, SIG_IGN);
		byte = join(f->group) == 0 ? 'y' : 'n';
		(void)!write(ready[1], &byte, 1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	assert_int_equal(byte, 'y');
	return pid;
}

static void reap(pid_t pid, int signal_number)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
}

/* The line of /proc/PID/cgroup for each hierarchy must end with our path. */
static void assert_member_everywhere(const struct fixture *f, pid_t pid)
{
	char name[64], *text = NULL, *rest, *line;
	size_t found = 0;

	(void)snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	assert_int_equal(fd_read_file_at(AT_FDCWD, name, 65536, &text, NULL), 0);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *path = strchr(line, '/');

		found += path && strcmp(path, f->path) == 0;
	}
	free(text);
	assert_int_equal(found, f->host->count);
}

static void assert_file(const struct fixture *f, const char *controller, const char *file,
			const char *expected)
{
	char text[4096];
	bool is_v2;
	int fd = cgroup_controller_dir(f->group, controller, &is_v2);

	assert_true(fd >= 0);
	assert_true(cgroup_read_file(fd, file, text, sizeof(text)) >= 0);
	assert_string_equal(text, expected);
}

static void test_create_open_remove(void **state)
{
	struct fixture *f = need(state);
	struct cgroup *again = NULL;

	assert_int_equal(cgroup_open(f->host, f->path, &again), -ENOENT);
	create(f);
	assert_int_equal(cgroup_open(f->host, f->path, &again), 0);
	cgroup_free(again);
	assert_int_equal(cgroup_remove(f->group, 0), 0);
	assert_false(exists_anywhere(f, f->path));
	assert_int_equal(cgroup_remove(f->group, 0), 0);
}

static void test_join(void **state)
{
	struct fixture *f = need(state);
	pid_t pid, *pids = NULL;
	size_t count = 0;

	create(f);
	pid = start_member(f, false);
	assert_member_everywhere(f, pid);
	assert_int_equal(cgroup_list_pids(f->group, &pids, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], pid);
	free(pids);
	assert_int_equal(cgroup_remove(f->group, 20), -EBUSY);
	assert_int_equal(cgroup_kill_all(f->group), 0);
	reap(pid, SIGKILL);
	assert_int_equal(cgroup_remove(f->group, 1000), 0);
}

static void test_attach_another(void **state)
{
	struct fixture *f = need(state);
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			(void)pause();
	create(f);
	assert_int_equal(cgroup_attach(f->group, pid), 0);
	assert_member_everywhere(f, pid);
	assert_int_equal(cgroup_attach(f->group, 0), -EINVAL);
	assert_int_equal(kill(pid, SIGTERM), 0);
	/* Its end is waited for, not slept through. */
	assert_int_equal(cgroup_remove(f->group, 5000), 0);
	reap(pid, SIGTERM);
}

static void test_exists(void **state)
{
	struct fixture *f = need(state);
	struct cgroup *second = NULL;
	pid_t pid;

	create(f);
	pid = start_member(f, false);
	assert_int_equal(cgroup_create(f->host, f->path, &second), -EEXIST);
	assert_member_everywhere(f, pid);
	assert_int_equal(cgroup_kill_all(f->group), 0);
	reap(pid, SIGKILL);
	/* An empty leftover is replaced, limits and all. */
	assert_int_equal(cgroup_create(f->host, f->path, &second), 0);
	cgroup_free(f->group);
	f->group = second;
	pid = start_member(f, false);
	assert_member_everywhere(f, pid);
	assert_int_equal(cgroup_kill_all(f->group), 0);
	reap(pid, SIGKILL);
}

static void make_child(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->host->count; i++)
		assert_true(mkdirat(f->group->dirs[i].fd, name, 0755) == 0);
}

static void test_nested(void **state)
{
	struct fixture *f = need(state);
	char child[80];

	create(f);
	make_child(f, "inner");
	make_child(f, "inner/most");
	make_child(f, "other");
	(void)snprintf(child, sizeof(child), "%s/inner/most", f->path);
	assert_true(exists_anywhere(f, child));
	assert_int_equal(cgroup_remove(f->group, 0), 0);
}

static void test_parents(void **state)
{
	struct fixture *f = need(state);
	struct cgroup *first = NULL, *second = NULL;
	char one[128], two[128];
	pid_t pid;

	(void)snprintf(one, sizeof(one), "%s/a/one", f->path);
	(void)snprintf(two, sizeof(two), "%s/a/two", f->path);
	assert_int_equal(cgroup_create(f->host, one, &first), 0);
	assert_int_equal(cgroup_create(f->host, two, &second), 0);
	f->group = second;
	pid = start_member(f, false);
	assert_int_equal(kill(pid, SIGKILL), 0);
	reap(pid, SIGKILL);
	f->group = NULL;

	/* The first made the parents; they stay while the second is there. */
	assert_int_equal(cgroup_remove(first, 0), 0);
	assert_true(exists_anywhere(f, two));
	cgroup_free(first);
	assert_int_equal(cgroup_create(f->host, one, &first), 0);
	assert_int_equal(cgroup_remove(second, 1000), 0);
	cgroup_free(second);
	assert_int_equal(cgroup_remove(first, 0), 0);
	cgroup_free(first);

	/* Parents that somebody else made are theirs. */
	assert_true(exists_anywhere(f, f->path));
	assert_int_equal(cgroup_open(f->host, f->path, &f->group), 0);
}

static void test_own_parent_goes(void **state)
{
	struct fixture *f = need(state);
	struct cgroup *made = NULL, *opened = NULL;
	char path[128];

	if (exists_anywhere(f, CGROUP_OWN_PARENT))
		skip();
	(void)snprintf(path, sizeof(path), CGROUP_OWN_PARENT "%s", f->path);
	assert_int_equal(cgroup_create(f->host, path, &made), 0);
	cgroup_free(made);
	assert_int_equal(cgroup_open(f->host, path, &opened), 0);
	assert_int_equal(cgroup_remove(opened, 0), 0);
	cgroup_free(opened);
	assert_false(exists_anywhere(f, path));
}

static void test_limits(void **state)
{
	static const struct cgroup_device_rule rules[] = {
		{false, 'a', -1, -1, 7},
		{true, 'c', 1, 3, 7},
		{true, 'c', 136, -1, CGROUP_DEVICE_READ | CGROUP_DEVICE_WRITE},
		{true, 'a', 7, -1, CGROUP_DEVICE_MKNOD},
	};
	struct fixture *f = need(state);
	struct cgroup_limits limits;
	char *what = NULL;
	bool v2;

	if (!cgroup_host_has(f->host, "memory") || !cgroup_host_has(f->host, "cpu"))
		skip();
	create(f);
	cgroup_limits_init(&limits);
	assert_int_equal(cgroup_apply(f->group, &limits, &what), 0);
	limits.memory_bytes = 64 << 20;
	limits.memory_swap_bytes = 96 << 20;
	limits.memory_reservation_bytes = 32 << 20;
	limits.cpu_shares = 512;
	limits.cpu_quota_us = 50000;
	limits.cpu_period_us = 200000;
	limits.pids_max = 17;
	limits.cpuset_cpus = "0";
	limits.cpuset_mems = "0";
	limits.devices = rules;
	limits.device_count = ARRAY_SIZE(rules);
	if (cgroup_apply(f->group, &limits, &what) < 0)
		fail_msg("%s", what);

	v2 = cgroup_host_mode(f->host) == CGROUP_MODE_V2;
	assert_file(f, "memory", v2 ? "memory.max" : "memory.limit_in_bytes", "67108864");
	assert_file(f, "memory", v2 ? "memory.low" : "memory.soft_limit_in_bytes", "33554432");
	assert_file(f, "cpu", v2 ? "cpu.weight" : "cpu.shares", v2 ? "20" : "512");
	assert_file(f, "cpuset", "cpuset.cpus", "0");
	assert_file(f, "pids", "pids.max", "17");
	if (v2) {
		assert_file(f, "memory", "memory.swap.max", "33554432");
		assert_file(f, "cpu", "cpu.max", "50000 200000");
		return;
	}
	assert_file(f, "memory", "memory.memsw.limit_in_bytes", "100663296");
	assert_file(f, "cpu", "cpu.cfs_quota_us", "50000");
	assert_file(f, "cpu", "cpu.cfs_period_us", "200000");
	assert_file(f, "devices", "devices.list", "c 1:3 rwm\nc 136:* rw\nc 7:* m\nb 7:* m");
}

static void test_limits_change(void **state)
{
	struct fixture *f = need(state);
	struct cgroup_limits limits;
	char *what = NULL;

	if (!cgroup_host_has(f->host, "memory") || !cgroup_host_has(f->host, "cpu"))
		skip();
	create(f);
	cgroup_limits_init(&limits);
	/* Up and down: the sum of memory and swap may never be below memory. */
	for (int i = 0; i < 4; i++) {
		limits.memory_bytes = (int64_t)(i % 2 ? 512 : 32) << 20;
		limits.memory_swap_bytes = limits.memory_bytes * 2;
		limits.cpu_period_us = i % 2 ? 1000000 : 10000;
		limits.cpu_quota_us = i % 2 ? 900000 : 1000;
		limits.pids_max = i % 2 ? -1 : 5;
		if (cgroup_apply(f->group, &limits, &what) < 0)
			fail_msg("%s", what);
	}
	assert_file(f, "pids", "pids.max", "max");
	limits.memory_bytes = limits.memory_swap_bytes = -1;
	limits.cpu_quota_us = -1;
	if (cgroup_apply(f->group, &limits, &what) < 0)
		fail_msg("%s", what);
}

static void test_limits_refused(void **state)
{
	struct fixture *f = need(state);
	struct cgroup_limits limits;
	struct cgroup_host *bare = xcalloc(1, sizeof(*bare));
	struct cgroup empty = {.host = bare};
	char *what = NULL;

	create(f);
	cgroup_limits_init(&limits);
	limits.cpuset_cpus = "4000-4001";
	assert_true(cgroup_apply(f->group, &limits, &what) < 0);
	assert_string_equal(what, "--cpuset-cpus: write cpuset.cpus");
	cleanup_free_ptr(&what);

	limits.cpuset_cpus = NULL;
	limits.memory_bytes = 1 << 20;
	assert_int_equal(cgroup_apply(&empty, &limits, &what), -EOPNOTSUPP);
	assert_string_equal(what, "--memory needs the memory controller");
	cleanup_free_ptr(&what);

	cgroup_limits_init(&limits);
	limits.blkio_weight = 100;
	assert_int_equal(cgroup_apply(&empty, &limits, &what), -EOPNOTSUPP);
	assert_string_equal(what, "--blkio-weight needs the blkio controller");
	cleanup_free_ptr(&what);
	free(bare);
}

static void test_pids_limit_holds(void **state)
{
	struct fixture *f = need(state);
	struct cgroup_limits limits;
	char *what = NULL;
	int status;
	pid_t pid;

	if (!cgroup_host_has(f->host, "pids"))
		skip();
	create(f);
	cgroup_limits_init(&limits);
	limits.pids_max = 1;
	assert_int_equal(cgroup_apply(f->group, &limits, &what), 0);
	pid = fork();
	if (pid == 0) {
		pid_t child;

		if (join(f->group) < 0)
			_exit(100);
		if (cgroup_host_mode(f->host) == CGROUP_MODE_V2 &&
		    cgroup_attach(f->group, getpid()) < 0)
			_exit(101);
		child = fork();
		if (child == 0)
			_exit(0);
		_exit(child < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EAGAIN);
}

static void test_oom(void **state)
{
	struct fixture *f = need(state);
	struct cgroup_limits limits;
	char *what = NULL;
	pid_t pid;

	if (!cgroup_host_has(f->host, "memory"))
		skip();
	create(f);
	assert_int_equal(cgroup_oom_kills(f->group), 0);
	cgroup_limits_init(&limits);
	limits.memory_bytes = limits.memory_swap_bytes = 8 << 20;
	assert_int_equal(cgroup_apply(f->group, &limits, &what), 0);
	pid = fork();
	if (pid == 0) {
		if (cgroup_attach(f->group, getpid()) < 0)
			_exit(100);
		for (;;) {
			volatile char *p = malloc(1 << 20);

			for (size_t i = 0; p && i < 1 << 20; i += 4096)
				p[i] = 1;
		}
	}
	reap(pid, SIGKILL);
	assert_int_equal(cgroup_oom_kills(f->group), 1);
}

static void count_forever(const struct fixture *f, volatile uint64_t *counter)
{
	if (cgroup_attach(f->group, getpid()) < 0)
		_exit(100);
	for (;;)
		++*counter;
}

static void await_progress(const volatile uint64_t *counter)
{
	uint64_t before = *counter;

	for (int i = 0; i < 5000 && *counter == before; i++)
		(void)poll(NULL, 0, 1);
	assert_true(*counter != before);
}

static void test_freeze(void **state)
{
	struct fixture *f = need(state);
	volatile uint64_t *counter =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t before;
	pid_t pid;

	create(f);
	pid = fork();
	if (pid == 0)
		count_forever(f, counter);
	await_progress(counter);
	assert_int_equal(cgroup_is_frozen(f->group), 0);
	assert_int_equal(cgroup_freeze(f->group, true), 0);
	assert_int_equal(cgroup_is_frozen(f->group), 1);
	before = *counter;
	(void)poll(NULL, 0, 5);
	assert_int_equal(*counter, before);
	assert_int_equal(cgroup_freeze(f->group, false), 0);
	assert_int_equal(cgroup_is_frozen(f->group), 0);
	await_progress(counter);
	assert_int_equal(kill(pid, SIGTERM), 0);
	reap(pid, SIGTERM);
	(void)munmap((void *)counter, 4096);
}

/* Hides v2, so that what a pure v1 machine does is tried here too. */
static void without_v2(struct fixture *f)
{
	for (size_t i = 0; i < f->host->count; i++) {
		if (!f->host->items[i].view.is_v2)
			continue;
		if (f->group)
			cleanup_close_fd(&f->group->dirs[i].fd);
	}
}

static void test_freeze_and_kill_v1(void **state)
{
	struct fixture *f = need(state);
	pid_t pids[3];

	if (cgroup_host_mode(f->host) == CGROUP_MODE_V2)
		skip();
	create(f);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = start_member(f, true);
	/* Only ours was closed: the directory is still to be removed. */
	without_v2(f);
	assert_int_equal(cgroup_freeze(f->group, true), 0);
	assert_int_equal(cgroup_is_frozen(f->group), 1);
	/* Frozen processes are killed as well. */
	assert_int_equal(cgroup_kill_all(f->group), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		reap(pids[i], SIGKILL);
	cgroup_free(f->group);
	assert_int_equal(cgroup_open(f->host, f->path, &f->group), 0);
}

/* Something that forks as fast as it can does not get away. */
static void fork_bomb(const struct fixture *f)
{
	if (cgroup_attach(f->group, getpid()) < 0)
		_exit(100);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;)
		(void)fork();
}

static void kill_bomb(struct fixture *f, bool v1_only)
{
	struct cgroup_limits limits;
	char *what = NULL;
	pid_t pid;

	create(f);
	cgroup_limits_init(&limits);
	limits.pids_max = 200;
	assert_int_equal(cgroup_apply(f->group, &limits, &what), 0);
	pid = fork();
	if (pid == 0)
		fork_bomb(f);
	for (size_t count = 0; count < 50;) {
		pid_t *pids = NULL;

		assert_int_equal(cgroup_list_pids(f->group, &pids, &count), 0);
		free(pids);
	}
	if (v1_only)
		without_v2(f);
	assert_int_equal(cgroup_kill_all(f->group), 0);
	reap(pid, SIGKILL);
	cgroup_free(f->group);
	assert_int_equal(cgroup_open(f->host, f->path, &f->group), 0);
	assert_int_equal(cgroup_remove(f->group, 2000), 0);
}

static void test_kill_bomb(void **state)
{
	struct fixture *f = need(state);

	if (!cgroup_host_has(f->host, "pids"))
		skip();
	kill_bomb(f, /* v1_only= */ false);
}

static void test_kill_bomb_v1(void **state)
{
	struct fixture *f = need(state);

	if (!cgroup_host_has(f->host, "pids") || cgroup_host_mode(f->host) == CGROUP_MODE_V2)
		skip();
	kill_bomb(f, /* v1_only= */ true);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_create_open_remove),
		CASE(test_join),
		CASE(test_attach_another),
		CASE(test_exists),
		CASE(test_nested),
		CASE(test_parents),
		CASE(test_own_parent_goes),
		CASE(test_limits),
		CASE(test_limits_change),
		CASE(test_limits_refused),
		CASE(test_pids_limit_holds),
		CASE(test_oom),
		CASE(test_freeze),
		CASE(test_freeze_and_kill_v1),
		CASE(test_kill_bomb),
		CASE(test_kill_bomb_v1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
