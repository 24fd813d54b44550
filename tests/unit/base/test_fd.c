/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static void reads_are_bounded(void **state)
{
	auto_free char *text = NULL;
	int pipes[2];
	size_t len;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(pipes[1], "hello", 5), 0);
	(void)close(pipes[1]);
	assert_int_equal(fd_read_text(pipes[0], 4, &text, &len), -EFBIG);
	assert_null(text);
	(void)close(pipes[0]);
}

static void only_regular_files_are_read(void **state)
{
	char name[] = "/tmp/skiff-test-XXXXXX";
	auto_free char *text = NULL;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(name));
	assert_int_equal(fd_read_file_at(AT_FDCWD, name, 100, &text, &len), -EINVAL);
	assert_int_equal(fd_read_file_at(AT_FDCWD, "/dev/zero", 100, &text, &len), -EINVAL);
	assert_int_equal(rmdir(name), 0);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(fd_read_file_at(AT_FDCWD, name, 100, &text, &len), -EINVAL);
	assert_int_equal(unlink(name), 0);
}

static void descriptors_travel(void **state)
{
	int socks[2], fds[2] = {NO_FD, NO_FD}, sent[2] = {0, 1};
	char data[8];
	size_t count;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks), 0);
	assert_int_equal(fd_send(socks[0], "ab", 2, sent, 2), 2);
	assert_int_equal(fd_recv(socks[1], data, sizeof(data), fds, 2, &count), 2);
	assert_int_equal(count, 2);
	assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	(void)close(fds[0]);
	(void)close(fds[1]);

	/* One more than there is room for: refused, and nothing stays open. */
	assert_int_equal(fd_send(socks[0], "ab", 2, sent, 2), 2);
	assert_int_equal(fd_recv(socks[1], data, sizeof(data), fds, 1, &count), -EMSGSIZE);
	assert_int_equal(fd_send(socks[0], "0123456789", 10, NULL, 0), 10);
	assert_int_equal(fd_recv(socks[1], data, sizeof(data), fds, 1, &count), -EMSGSIZE);
	(void)close(socks[0]);
	assert_int_equal(fd_recv(socks[1], data, sizeof(data), fds, 1, &count), 0);
	(void)close(socks[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_are_bounded),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(descriptors_travel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
