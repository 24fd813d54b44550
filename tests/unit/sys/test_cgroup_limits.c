/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written into v2's files, tried on a directory that looks like a v2 hierarchy: the machine
 * that runs the tests may not have one with controllers.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "sys/cgroup_internal.h"

struct fixture {
	struct cgroup_host *host;
	struct cgroup *group;
	char root[64];
	int root_fd;
};

static void make_file(int dir_fd, const char *name)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct hierarchy *h;

	(void)snprintf(f->root, sizeof(f->root), "/tmp/skiff-test-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->root_fd = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->root_fd >= 0);
	f->host = xcalloc(1, sizeof(*f->host));
	h = &f->host->items[0];
	f->host->count = 1;
	*h = (struct hierarchy){
		.view.is_v2 = true,
		.controllers = xstrdup("cpuset cpu io memory hugetlb pids"),
		.root_fd = fd_dup(f->root_fd),
	};
	make_file(f->root_fd, "cgroup.subtree_control");
	assert_int_equal(mkdirat(f->root_fd, "own", 0755), 0);
	make_file(f->root_fd, "own/cgroup.subtree_control");
	assert_int_equal(cgroup_create(f->host, "/own/group", &f->group), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cgroup_free(f->group);
	cgroup_host_free(f->host);
	(void)close(f->root_fd);
	(void)path_remove_tree(AT_FDCWD, f->root);
	free(f);
	return 0;
}

static void assert_text(const struct fixture *f, const char *file, const char *expected)
{
	char path[128], text[128];

	(void)snprintf(path, sizeof(path), "own/group/%s", file);
	assert_true(cgroup_read_file(f->root_fd, path, text, sizeof(text)) >= 0);
	assert_string_equal(text, expected);
}

static void make_files(const struct fixture *f, const char *const *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		make_file(f->group->dirs[0].fd, files[i]);
}

static void test_enable_down_the_path(void **state)
{
	struct fixture *f = *state;
	char text[128];

	assert_true(cgroup_read_file(f->root_fd, "cgroup.subtree_control", text, sizeof(text)) > 0);
	assert_string_equal(text, "+cpuset +cpu +io +memory +pids ");
	assert_true(cgroup_read_file(f->root_fd, "own/cgroup.subtree_control", text, sizeof(text)) >
		    0);
	assert_string_equal(text, "+cpuset +cpu +io +memory +pids ");
}

static void test_texts(void **state)
{
	static const char *const files[] = {"memory.max",  "memory.low", "memory.swap.max",
					    "cpu.max",     "cpu.weight", "cpuset.cpus",
					    "cpuset.mems", "pids.max",   "io.weight"};
	struct fixture *f = *state;
	struct cgroup_limits limits;
	char *what = NULL;

	make_files(f, files, ARRAY_SIZE(files));
	cgroup_limits_init(&limits);
	limits.memory_bytes = 1000;
	limits.memory_swap_bytes = 1500;
	limits.memory_reservation_bytes = 800;
	limits.cpu_shares = 1024;
	limits.cpu_quota_us = 150000;
	limits.cpu_period_us = 100000;
	limits.cpuset_cpus = "0-1";
	limits.cpuset_mems = "0";
	limits.pids_max = 12;
	limits.blkio_weight = 500;
	if (cgroup_apply(f->group, &limits, &what) < 0)
		fail_msg("%s", what);
	assert_text(f, "memory.max", "1000");
	assert_text(f, "memory.swap.max", "500");
	assert_text(f, "memory.low", "800");
	assert_text(f, "cpu.weight", "39");
	assert_text(f, "cpu.max", "150000 100000");
	assert_text(f, "cpuset.cpus", "0-1");
	assert_text(f, "cpuset.mems", "0");
	assert_text(f, "pids.max", "12");
	assert_text(f, "io.weight", "4950");
}

static void test_unlimited(void **state)
{
	static const char *const files[] = {"memory.max", "memory.swap.max", "cpu.max", "pids.max",
					    "io.bfq.weight"};
	struct fixture *f = *state;
	struct cgroup_limits limits;
	char *what = NULL;

	make_files(f, files, ARRAY_SIZE(files));
	cgroup_limits_init(&limits);
	limits.memory_bytes = limits.memory_swap_bytes = limits.pids_max = limits.cpu_quota_us = -1;
	limits.blkio_weight = 500;
	if (cgroup_apply(f->group, &limits, &what) < 0)
		fail_msg("%s", what);
	assert_text(f, "memory.max", "max");
	assert_text(f, "memory.swap.max", "max");
	assert_text(f, "cpu.max", "max");
	assert_text(f, "pids.max", "max");
	assert_text(f, "io.bfq.weight", "500");
}

/* The kernel takes one device and any of its keys at a time; a plain file keeps the last write. */
static void test_block_io(void **state)
{
	static const struct {
		struct cgroup_io_limit limit;
		const char *file, *text;
	} cases[] = {
		{{CGROUP_IO_READ_BPS, 8, 16, 1048576}, "io.max", "8:16 rbps=1048576"},
		{{CGROUP_IO_WRITE_BPS, 8, 16, 0}, "io.max", "8:16 wbps=max"},
		{{CGROUP_IO_READ_IOPS, 259, 1, 100}, "io.max", "259:1 riops=100"},
		{{CGROUP_IO_WRITE_IOPS, 7, 0, 1}, "io.max", "7:0 wiops=1"},
		{{CGROUP_IO_WEIGHT, 8, 0, 500}, "io.weight", "8:0 4950"},
		{{CGROUP_IO_WEIGHT, 8, 0, 0}, "io.weight", "8:0 default"},
	};
	static const char *const files[] = {"io.max", "io.weight", "io.bfq.weight"};
	struct fixture *f = *state;
	struct cgroup_limits limits;
	char *what = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_files(f, files, 2);
		cgroup_limits_init(&limits);
		limits.io_limits = &cases[i].limit;
		limits.io_limit_count = 1;
		if (cgroup_apply(f->group, &limits, &what) < 0)
			fail_msg("%s", what);
		assert_text(f, cases[i].file, cases[i].text);
		assert_int_equal(unlinkat(f->group->dirs[0].fd, cases[i].file, 0), 0);
	}
	/* BFQ's own file wins and takes the weight as it is. */
	make_files(f, files, ARRAY_SIZE(files));
	cgroup_limits_init(&limits);
	limits.io_limits = &cases[4].limit;
	limits.io_limit_count = 1;
	if (cgroup_apply(f->group, &limits, &what) < 0)
		fail_msg("%s", what);
	assert_text(f, "io.bfq.weight", "8:0 500");
}

static void refuse(struct fixture *f, const struct cgroup_limits *limits, int result,
		   const char *expected)
{
	char *what = NULL;

	assert_int_equal(cgroup_apply(f->group, limits, &what), result);
	assert_string_equal(what, expected);
	free(what);
}

static void test_refused(void **state)
{
	static const struct cgroup_io_limit io = {CGROUP_IO_READ_BPS, 8, 0, 1};
	static const char *const files[] = {"memory.max"};
	struct fixture *f = *state;
	struct cgroup_limits limits;

	/* The controller is there but not enabled for this group: its files are missing. */
	cgroup_limits_init(&limits);
	limits.pids_max = 1;
	refuse(f, &limits, -EOPNOTSUPP, "--pids-limit needs the pids controller");

	make_files(f, files, ARRAY_SIZE(files));
	cgroup_limits_init(&limits);
	limits.memory_swap_bytes = 100;
	refuse(f, &limits, -EINVAL,
	       "--memory-swap must not be smaller than --memory, which it needs");
	limits.memory_bytes = 200;
	refuse(f, &limits, -EINVAL,
	       "--memory-swap must not be smaller than --memory, which it needs");

	cgroup_limits_init(&limits);
	limits.memory_swappiness = 10;
	refuse(f, &limits, -EOPNOTSUPP, "--memory-swappiness needs cgroup v1");
	cgroup_limits_init(&limits);
	limits.oom_kill_disable = 1;
	refuse(f, &limits, -EOPNOTSUPP, "--oom-kill-disable needs cgroup v1");
	cgroup_limits_init(&limits);
	limits.cpu_rt_runtime_us = 10;
	refuse(f, &limits, -EOPNOTSUPP, "--cpu-rt-runtime needs cgroup v1");
	cgroup_limits_init(&limits);
	limits.cpu_rt_period_us = 10;
	refuse(f, &limits, -EOPNOTSUPP, "--cpu-rt-period needs cgroup v1");
	cgroup_limits_init(&limits);
	limits.io_limits = &io;
	limits.io_limit_count = 1;
	refuse(f, &limits, -EOPNOTSUPP, "--device-read-bps needs CONFIG_BLK_DEV_THROTTLING");
	cgroup_limits_init(&limits);
	limits.blkio_weight = 100;
	refuse(f, &limits, -EOPNOTSUPP, "--blkio-weight needs a scheduler with weights (bfq)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enable_down_the_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlimited, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_io, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
