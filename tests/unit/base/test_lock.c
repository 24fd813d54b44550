/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/lock.h"

static void a_lock_has_one_holder(void **state)
{
	char name[] = "/tmp/skiff-test-XXXXXX";
	auto_close int dir_fd = NO_FD;
	auto_close int first = NO_FD;

	(void)state;
	assert_non_null(mkdtemp(name));
	dir_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(lock_is_held(dir_fd, "lock"), -ENOENT);
	first = lock_file(dir_fd, "lock", /* wait= */ false);
	assert_true(first >= 0);
	assert_int_equal(lock_file(dir_fd, "lock", /* wait= */ false), -EWOULDBLOCK);
	assert_int_equal(lock_is_held(dir_fd, "lock"), 1);
	cleanup_close_fd(&first);
	assert_int_equal(lock_is_held(dir_fd, "lock"), 0);
	assert_int_equal(unlinkat(dir_fd, "lock", 0), 0);
	assert_int_equal(rmdir(name), 0);
}

static void a_lock_dies_with_its_holder(void **state)
{
	char name[] = "/tmp/skiff-test-XXXXXX";
	auto_close int dir_fd = NO_FD;
	int pipes[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(name));
	dir_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (lock_file(dir_fd, "lock", /* wait= */ false) < 0)
			_exit(1);
		(void)!write(pipes[1], "x", 1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(lock_is_held(dir_fd, "lock"), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(lock_is_held(dir_fd, "lock"), 0);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	assert_int_equal(unlinkat(dir_fd, "lock", 0), 0);
	assert_int_equal(rmdir(name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_has_one_holder),
		cmocka_unit_test(a_lock_dies_with_its_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
