/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of the files that tell what a group uses, and one reading of a v2 group. */
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
#include "sys/cgroup_usage.h"

static void numbers_by_key(void **state)
{
	const char *text = "usage_usec 12\nuser 7\nuser_usec 18446744073709551616\nempty \nlast 3";

	(void)state;
	assert_int_equal(cgroup_stat_number(text, "usage_usec", 1), 12);
	assert_int_equal(cgroup_stat_number(text, "user", 1), 7);
	assert_int_equal(cgroup_stat_number(text, "user_usec", 1), 0);
	assert_int_equal(cgroup_stat_number(text, "empty", 1), 0);
	assert_int_equal(cgroup_stat_number(text, "last", 1), 3);
	assert_int_equal(cgroup_stat_number(text, "sage_usec", 9), 9);
	assert_int_equal(cgroup_stat_number("", "x", 9), 9);
}

static void sums_over_devices(void **state)
{
	struct cgroup_usage usage = {0};
	uint64_t reads = 0, writes = 0;

	(void)state;
	cgroup_sum_blkio("8:0 Read 100\n8:0 Write 20\n8:0 Sync 7\n8:16 Read 1\n8:16 Write 2\n"
			 "8:0 Total 120\nTotal 123\n",
			 &reads, &writes);
	assert_int_equal(reads, 101);
	assert_int_equal(writes, 22);
	cgroup_sum_io_stat("8:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=9 dios=1\n"
			   "253:1 rbytes=1 wbytes=2 rios=1 wios=1\n7:0 \n",
			   &usage);
	assert_int_equal(usage.read_bytes, 101);
	assert_int_equal(usage.write_bytes, 22);
	assert_int_equal(usage.reads, 4);
	assert_int_equal(usage.writes, 5);
}

static void pressure(void **state)
{
	struct cgroup_pressure p;

	(void)state;
	cgroup_parse_pressure("some avg10=1.25 avg60=0.00 avg300=0.00 total=77\n"
			      "full avg10=0.50 avg60=0.00 avg300=0.00 total=11\n",
			      &p);
	assert_true(p.some_avg10 == 1.25 && p.full_avg10 == 0.5);
	assert_int_equal(p.some_us, 77);
	assert_int_equal(p.full_us, 11);
	cgroup_parse_pressure("", &p);
	assert_true(p.some_avg10 == 0 && p.full_us == 0);
}

static void put(int dir_fd, const char *name, const char *text)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void a_group_of_v2(void **state)
{
	auto_(cgroup_host_free) struct cgroup_host *host = xcalloc(1, sizeof(*host));
	auto_(cgroup_free) struct cgroup *group = NULL;
	char root[] = "/tmp/skiff-test-XXXXXX";
	struct cgroup_usage usage;
	int root_fd, fd;

	(void)state;
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	host->count = 1;
	host->items[0] = (struct hierarchy){
		.view.is_v2 = true,
		.controllers = xstrdup("cpuset cpu io memory pids"),
		.root_fd = root_fd,
	};
	put(root_fd, "cgroup.subtree_control", "");
	assert_int_equal(cgroup_create(host, "/group", &group), 0);
	fd = group->dirs[0].fd;
	put(fd, "cpu.stat",
	    "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 9\n"
	    "nr_throttled 4\nthrottled_usec 6\n");
	put(fd, "memory.current", "1000\n");
	put(fd, "memory.max", "max\n");
	put(fd, "memory.stat", "anon 1\ninactive_file 300\n");
	put(fd, "memory.events", "low 0\noom 2\noom_kill 1\n");
	put(fd, "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4\n");
	put(fd, "pids.current", "7\n");
	put(fd, "pids.max", "10\n");
	put(fd, "io.pressure", "some avg10=2.00 avg60=0.00 avg300=0.00 total=5\n");

	cgroup_usage_read(group, &usage);
	assert_int_equal(usage.cpu_ns, 5000);
	assert_int_equal(usage.cpu_system_ns, 2000);
	assert_int_equal(usage.throttled_periods, 4);
	assert_int_equal(usage.throttled_ns, 6000);
	assert_int_equal(usage.memory_bytes, 1000);
	assert_int_equal(usage.memory_idle_bytes, 300);
	assert_true(usage.memory_limit_bytes == CGROUP_NO_LIMIT);
	assert_int_equal(usage.oom_kills, 1);
	assert_int_equal(usage.writes, 4);
	assert_int_equal(usage.pids, 7);
	assert_int_equal(usage.pids_limit, 10);
	assert_true(usage.has_pressure && usage.io_pressure.some_avg10 == 2.0);
	(void)path_remove_tree(AT_FDCWD, root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_by_key),
		cmocka_unit_test(sums_over_devices),
		cmocka_unit_test(pressure),
		cmocka_unit_test(a_group_of_v2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
