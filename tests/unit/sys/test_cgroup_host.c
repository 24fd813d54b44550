/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery from texts of machines we do not have, and the conversions between v1 and v2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "sys/cgroup_internal.h"

static struct cgroup_host *parse(const char *text)
{
	struct cgroup_host *host = xcalloc(1, sizeof(*host));
	char *copy = xstrdup(text);

	cgroup_host_parse(host, copy);
	free(copy);
	return host;
}

static void test_v1_combined(void **state)
{
	auto_(cgroup_host_free) struct cgroup_host *host = parse(
		"25 30 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
		"26 25 0:23 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup "
		"rw,xattr,release_agent=/lib/agent,name=systemd\n"
		"27 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 master:4 - cgroup cgroup "
		"rw,cpu,cpuacct\n"
		"28 25 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,seclabel,memory\n");

	(void)state;
	assert_int_equal(cgroup_host_mode(host), CGROUP_MODE_V1);
	assert_int_equal(cgroup_host_count(host), 3);
	assert_string_equal(cgroup_host_get(host, 0)->name, "systemd");
	assert_string_equal(cgroup_host_get(host, 0)->mount_data, "none,name=systemd");
	assert_string_equal(cgroup_host_get(host, 1)->name, "cpu,cpuacct");
	assert_string_equal(cgroup_host_get(host, 1)->mount_data, "cpu,cpuacct");
	assert_string_equal(cgroup_host_get(host, 2)->mount_data, "memory");
	assert_null(cgroup_host_get(host, 3));
	assert_true(cgroup_host_has(host, "cpuacct"));
	assert_true(cgroup_host_has(host, "cpu"));
	assert_false(cgroup_host_has(host, "cp"));
	assert_false(cgroup_host_has(host, "devices"));
	assert_false(cgroup_host_has(host, "pids"));
	assert_false(cgroup_host_has(host, ""));
}

static void test_v2(void **state)
{
	auto_(cgroup_host_free) struct cgroup_host *host =
		parse("30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 "
		      "rw,nsdelegate,memory_recursiveprot\n");

	(void)state;
	assert_int_equal(cgroup_host_mode(host), CGROUP_MODE_V2);
	assert_string_equal(cgroup_host_get(host, 0)->name, "");
	assert_true(cgroup_host_get(host, 0)->is_v2);
	assert_true(cgroup_host_has(host, "devices"));
	assert_true(cgroup_host_has(host, "freezer"));
	assert_false(cgroup_host_has(host, "memory"));
}

static void test_hybrid_and_duplicates(void **state)
{
	auto_(cgroup_host_free) struct cgroup_host *host =
		parse("40 1 0:40 /docker/abc /var/lib/x/cgroup rw - cgroup cgroup rw,pids\n"
		      "41 1 0:40 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		      "42 1 0:40 / /other/pids rw - cgroup cgroup rw,pids\n"
		      "43 1 0:41 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		      "44 1 0:42 / /odd\\040place/free\\134zer rw - cgroup cgroup rw,freezer\n");

	(void)state;
	assert_int_equal(cgroup_host_mode(host), CGROUP_MODE_HYBRID);
	assert_int_equal(cgroup_host_count(host), 3);
	assert_string_equal(host->items[0].mount_point, "/sys/fs/cgroup/pids");
	assert_string_equal(cgroup_host_get(host, 1)->name, "unified");
	assert_string_equal(host->items[2].mount_point, "/odd place/free\\zer");
	assert_string_equal(cgroup_host_get(host, 2)->name, "free\\zer");
}

static void test_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		" - cgroup",
		"1 2 3 - cgroup",
		"1 2 0:3 / /m rw - cgroup",
		"1 2 0:3 / /m rw - cgroup cgroup",
		"1 2 0:3 / /m rw - cgroup2x cgroup rw\n",
		"1 2 0:3 / /m\\0 rw - cgroupx\\777 cgroup rw",
		"1 2 0:3 / /m rw cgroup - cgroup",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_(cgroup_host_free) struct cgroup_host *host = parse(texts[i]);

		assert_int_equal(cgroup_host_count(host), 0);
		assert_int_equal(cgroup_host_mode(host), CGROUP_MODE_NONE);
	}
}

static void test_too_many(void **state)
{
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;

	(void)state;
	for (int i = 0; i < 100; i++)
		strbuf_addf(&text, "1 2 0:%d / /m%d rw - cgroup cgroup rw,name=n%d\n", i, i, i);
	host = parse(strbuf_text(&text));
	assert_int_equal(cgroup_host_count(host), CGROUP_HIERARCHIES_MAX);
}

static void test_bad_paths(void **state)
{
	static const char *const paths[] = {"",     "/",     "a",   "a/b",   "//",
					    "/a/",  "/a//b", "/..", "/a/..", "/a/../b",
					    "/./a", "/a/.",  "//a", "../x"};
	auto_(cgroup_host_free) struct cgroup_host *host = parse("");
	char too_long[5000];

	(void)state;
	memset(too_long, 'a', sizeof(too_long));
	for (size_t i = 0; i < sizeof(too_long); i += 100)
		too_long[i] = '/';
	too_long[sizeof(too_long) - 1] = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(paths); i++) {
		const char *path = i < ARRAY_SIZE(paths) ? paths[i] : too_long;
		struct cgroup *group = NULL;

		assert_int_equal(cgroup_create(host, path, &group), -EINVAL);
		assert_int_equal(cgroup_open(host, path, &group), -EINVAL);
		assert_null(group);
	}
}

static void test_conversions(void **state)
{
	int64_t swap = 0;

	(void)state;
	assert_int_equal(cgroup_shares_to_weight(0), 1);
	assert_int_equal(cgroup_shares_to_weight(2), 1);
	assert_int_equal(cgroup_shares_to_weight(1024), 39);
	assert_int_equal(cgroup_shares_to_weight(262144), 10000);
	assert_int_equal(cgroup_shares_to_weight(UINT64_MAX), 10000);
	assert_int_equal(cgroup_blkio_to_io_weight(10), 1);
	assert_int_equal(cgroup_blkio_to_io_weight(500), 4950);
	assert_int_equal(cgroup_blkio_to_io_weight(1000), 10000);

	assert_int_equal(cgroup_swap_max(100, 300, &swap), 0);
	assert_int_equal(swap, 200);
	assert_int_equal(cgroup_swap_max(100, 100, &swap), 0);
	assert_int_equal(swap, 0);
	assert_int_equal(cgroup_swap_max(100, -1, &swap), 0);
	assert_int_equal(swap, -1);
	assert_int_equal(cgroup_swap_max(CGROUP_UNSET, -1, &swap), 0);
	assert_int_equal(cgroup_swap_max(300, 100, &swap), -EINVAL);
	assert_int_equal(cgroup_swap_max(CGROUP_UNSET, 100, &swap), -EINVAL);
	assert_int_equal(cgroup_swap_max(-1, 100, &swap), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1_combined),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_hybrid_and_duplicates),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_conversions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
