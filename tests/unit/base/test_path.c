/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/path.h"

/* A scratch directory with "root" inside, which plays the container, and a canary beside it. */
struct world {
	char name[32];
	int dir_fd, root_fd;
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	memcpy(w->name, "/tmp/skiff-test-XXXXXX", 23);
	if (!mkdtemp(w->name))
		return -1;
	w->dir_fd = open(w->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(w->dir_fd, "root", 0755) < 0 || mkdirat(w->dir_fd, "canary", 0755) < 0)
		return -1;
	w->root_fd = openat(w->dir_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	int r = path_remove_tree(AT_FDCWD, w->name);

	(void)close(w->root_fd);
	(void)close(w->dir_fd);
	free(w);
	return r;
}

static void links_stay_inside(void **state)
{
	struct world *w = *state;
	auto_close int fd = NO_FD;
	struct stat st;

	assert_int_equal(symlinkat("/../../canary", w->root_fd, "absolute"), 0);
	assert_int_equal(symlinkat("../../../canary", w->root_fd, "relative"), 0);
	assert_int_equal(path_open_in_root(w->root_fd, "/absolute", O_PATH, 0), -ENOENT);
	assert_int_equal(path_open_in_root(w->root_fd, "relative/../../canary", O_PATH, 0),
			 -ENOENT);
	fd = path_mkdir_in_root(w->root_fd, "/a/b/../c/d", 0750, (uid_t)-1, (gid_t)-1);
	assert_true(fd >= 0);
	assert_int_equal(fstatat(w->root_fd, "a/c/d", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(path_open_beneath(w->root_fd, "relative", O_PATH, 0), -ELOOP);
	assert_int_equal(path_open_beneath(w->root_fd, "..", O_PATH, 0), -EXDEV);
}

static void directories_are_made_through_inner_links(void **state)
{
	struct world *w = *state;
	auto_close int fd = NO_FD;
	struct stat st;

	assert_int_equal(mkdirat(w->root_fd, "real", 0755), 0);
	assert_int_equal(symlinkat("/real", w->root_fd, "link"), 0);
	fd = path_mkfile_in_root(w->root_fd, "/link/x/file", 0640);
	assert_true(fd >= 0);
	assert_int_equal(fstatat(w->root_fd, "real/x/file", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
	/* A link that leads to nothing is not replaced. */
	assert_int_equal(symlinkat("/nowhere", w->root_fd, "dangling"), 0);
	assert_int_equal(path_mkdir_in_root(w->root_fd, "/dangling", 0755, (uid_t)-1, (gid_t)-1),
			 -ENOENT);
	assert_int_equal(fstatat(w->dir_fd, "canary/x", &st, 0), -1);
}

static void magic_links_are_refused(void **state)
{
	auto_close int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(path_open_in_root(proc_fd, "/self/root", O_PATH, 0), -ELOOP);
	assert_int_equal(path_open_in_root(proc_fd, "/self/fd/0", O_PATH, 0), -ELOOP);
}

static void removing_follows_nothing(void **state)
{
	struct world *w = *state;
	struct stat st;

	assert_int_equal(mkdirat(w->dir_fd, "canary/kept", 0755), 0);
	assert_int_equal(mkdirat(w->root_fd, "tree", 0755), 0);
	assert_int_equal(mkdirat(w->root_fd, "tree/deep", 0), 0);
	assert_int_equal(symlinkat("../../canary", w->root_fd, "tree/link"), 0);
	assert_int_equal(mknodat(w->root_fd, "tree/fifo", S_IFIFO | 0600, 0), 0);
	assert_int_equal(path_remove_tree(w->root_fd, "tree"), 0);
	assert_int_equal(fstatat(w->root_fd, "tree", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(w->dir_fd, "canary/kept", &st, 0), 0);
	assert_int_equal(path_remove_tree(w->root_fd, "tree"), 0);
}

static void removing_has_no_depth_limit(void **state)
{
	struct world *w = *state;
	auto_close int fd = dup(w->root_fd);
	struct rlimit before, few;
	struct stat st;

	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, i == 0 ? "top" : "d", 0755), 0);
		next = openat(fd, i == 0 ? "top" : "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = 512, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(path_remove_tree(w->root_fd, "top"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(fstatat(w->root_fd, "top", &st, 0), -1);
}

static void cleaning_is_lexical(void **state)
{
	static const char *const cases[][2] = {
		{"", "/"},         {"/", "/"},           {"//a//b/", "/a/b"},
		{"a/./b", "/a/b"}, {"/a/../../b", "/b"}, {"/a/b/../..", "/"},
		{"..", "/"},       {"/a/..b", "/a/..b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *clean = path_clean(cases[i][0]);

		assert_string_equal(clean, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_stay_inside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(directories_are_made_through_inner_links, set_up,
						tear_down),
		cmocka_unit_test(magic_links_are_refused),
		cmocka_unit_test_setup_teardown(removing_follows_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removing_has_no_depth_limit, set_up, tear_down),
		cmocka_unit_test(cleaning_is_lexical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
