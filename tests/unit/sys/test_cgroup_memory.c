/* SPDX-License-Identifier: Apache-2.0 */
/* One reading of a group's memory, from files as v1 and v2 have them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "sys/cgroup_internal.h"
#include "sys/cgroup_memory.h"
#include "sys/cgroup_usage.h"

struct file {
	const char *name, *text;
};

/* Makes a group of one hierarchy that has these files, and reads it. */
static void read_files(bool is_v2, const struct file *files, size_t count,
		       struct cgroup_memory *ret_memory)
{
	auto_(cgroup_host_free) struct cgroup_host *host = xcalloc(1, sizeof(*host));
	auto_(cgroup_free) struct cgroup *group = NULL;
	char root[] = "/tmp/skiff-test-XXXXXX";

	assert_non_null(mkdtemp(root));
	host->count = 1;
	host->items[0] = (struct hierarchy){
		.view.is_v2 = is_v2,
		.controllers = xstrdup("memory"),
		.root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};
	if (is_v2) {
		auto_close int fd = openat(host->items[0].root_fd, "cgroup.subtree_control",
					   O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
	}
	assert_int_equal(cgroup_create(host, "/group", &group), 0);
	for (size_t i = 0; i < count; i++) {
		auto_close int fd = openat(group->dirs[0].fd, files[i].name,
					   O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(fd_write_all(fd, files[i].text, strlen(files[i].text)), 0);
	}
	cgroup_memory_read(group, ret_memory);
	(void)path_remove_tree(AT_FDCWD, root);
}

static void version_1(void **state)
{
	static const struct file files[] = {
		{"memory.usage_in_bytes", "1000\n"},
		{"memory.max_usage_in_bytes", "1500\n"},
		{"memory.limit_in_bytes", "9223372036854771712\n"},
		{"memory.failcnt", "7\n"},
		{"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"},
		{"memory.stat", "cache 300\nrss 5\ninactive_file 20\ntotal_cache 900\n"},
		{"memory.memsw.usage_in_bytes", "1100\n"},
		{"memory.memsw.limit_in_bytes", "2000\n"},
		{"memory.kmem.usage_in_bytes", "64\n"},
		{"memory.kmem.failcnt", "3\n"},
		{"memory.kmem.tcp.usage_in_bytes", "32\n"},
	};
	struct cgroup_memory m;

	(void)state;
	read_files(false, files, ARRAY_SIZE(files), &m);
	assert_int_equal(m.cache_bytes, 300);
	assert_int_equal(m.memory.bytes, 1000);
	assert_int_equal(m.memory.peak_bytes, 1500);
	assert_int_equal(m.memory.limit_bytes, 9223372036854771712U);
	assert_int_equal(m.memory.limit_hits, 7);
	assert_int_equal(m.with_swap.bytes, 1100);
	assert_int_equal(m.with_swap.limit_bytes, 2000);
	assert_int_equal(m.kernel.bytes, 64);
	assert_int_equal(m.kernel.limit_hits, 3);
	assert_int_equal(m.kernel_tcp.bytes, 32);
}

static void version_2(void **state)
{
	static const struct file files[] = {
		{"memory.current", "1000\n"},
		{"memory.peak", "1500\n"},
		{"memory.max", "4000\n"},
		{"memory.events", "low 0\nmax 7\noom_kill 2\n"},
		{"memory.swap.current", "50\n"},
		{"memory.swap.max", "100\n"},
		{"memory.swap.events", "max 4\n"},
		{"memory.stat", "anon 1\nfile 300\ninactive_file 20\n"},
	};
	struct cgroup_memory m;

	(void)state;
	read_files(true, files, ARRAY_SIZE(files), &m);
	assert_int_equal(m.cache_bytes, 300);
	assert_int_equal(m.memory.bytes, 1000);
	assert_int_equal(m.memory.peak_bytes, 1500);
	assert_int_equal(m.memory.limit_bytes, 4000);
	assert_int_equal(m.memory.limit_hits, 7);
	assert_int_equal(m.with_swap.bytes, 1050);
	assert_int_equal(m.with_swap.limit_bytes, 4100);
	assert_int_equal(m.with_swap.limit_hits, 4);
}

static void without_limits(void **state)
{
	static const struct file files[] = {{"memory.current", "1000\n"},
					    {"memory.max", "max\n"},
					    {"memory.swap.max", "100\n"}};
	struct cgroup_memory m;

	(void)state;
	read_files(true, files, ARRAY_SIZE(files), &m);
	assert_true(m.memory.limit_bytes == CGROUP_NO_LIMIT);
	assert_true(m.with_swap.limit_bytes == CGROUP_NO_LIMIT);
	assert_int_equal(m.with_swap.bytes, 1000);
	assert_int_equal(m.cache_bytes, 0);
	assert_int_equal(m.memory.peak_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1),
		cmocka_unit_test(version_2),
		cmocka_unit_test(without_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
