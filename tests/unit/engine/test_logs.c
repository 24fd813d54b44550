/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "engine/container.h"
#include "engine/logs.h"
#include "monitor/json_log.h"

#define SECOND 1000000000LL
#define START (1700000000LL * SECOND)

static char directory[] = "/tmp/skiff-test-logs-XXXXXX";

static int open_dir(void **state)
{
	int fd;

	memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
	if (!mkdtemp(directory))
		return -1;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = (void *)(intptr_t)fd;
	return fd < 0 ? -1 : 0;
}

static int close_dir(void **state)
{
	(void)close((int)(intptr_t)*state);
	return path_remove_tree(AT_FDCWD, directory);
}

static int dir_of(void **state)
{
	return (int)(intptr_t)*state;
}

/* Lines "1", "2", … one second apart, odd ones on standard output, even ones on standard error. */
static void write_log(int dir_fd, int first, int last, uint64_t max_bytes)
{
	const struct json_log_options options = {.max_bytes = max_bytes, .max_files = 50};
	struct json_log log;

	json_log_init(&log, dir_fd, &options);
	for (int i = first; i <= last; i++) {
		auto_free char *text = xasprintf("%d\n", i);

		json_log_add(&log, i % 2 ? JSON_LOG_STDOUT : JSON_LOG_STDERR, text, strlen(text),
			     START + i * SECOND);
	}
	json_log_close(&log);
}

static const struct logs_request everything = {.tail = -1, .stdout_fd = NO_FD, .stderr_fd = NO_FD};

/* Both streams in one, as `2>&1` gives them. Static, so that assertions may use it in place. */
static const char *read_log(int dir_fd, struct logs_request request)
{
	auto_(error_release) struct error err = {0};
	auto_close int fd = memfd_create("out", MFD_CLOEXEC);
	static char *text;

	request.stdout_fd = request.stderr_fd = fd;
	assert_int_equal(logs_read(dir_fd, NO_FD, /* is_local= */ false, &request, &err), 0);
	(void)lseek(fd, 0, SEEK_SET);
	free(text);
	text = NULL;
	assert_int_equal(fd_read_text(fd, 64 << 20, &text, NULL), 0);
	return text;
}

static const char *numbers(int first, int last)
{
	static char text[65536];
	size_t n = 0;

	text[0] = '\0';
	for (int i = first; i <= last; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d\n", i);
	return text;
}

static void test_nothing(void **state)
{
	assert_string_equal(read_log(dir_of(state), everything), "");
}

static void test_all(void **state)
{
	write_log(dir_of(state), 1, 5000, 0);
	assert_string_equal(read_log(dir_of(state), everything), numbers(1, 5000));
}

static void test_streams(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_close int out = memfd_create("out", MFD_CLOEXEC);
	struct logs_request request = everything;
	char text[16] = "";

	write_log(dir_of(state), 1, 4, 0);
	request.stdout_fd = out;
	assert_int_equal(logs_read(dir_of(state), NO_FD, /* is_local= */ false, &request, &err), 0);
	assert_int_equal(pread(out, text, sizeof(text), 0), 4);
	assert_string_equal(text, "1\n3\n");
}

static void test_rotated_and_compressed(void **state)
{
	write_log(dir_of(state), 1, 40, 400);
	assert_int_equal(log_compress_all(dir_of(state), "json.log", 50), 0);
	write_log(dir_of(state), 41, 60, 400);
	assert_int_equal(faccessat(dir_of(state), "json.log.8.gz", F_OK, 0), 0);
	assert_int_equal(faccessat(dir_of(state), "json.log.1", F_OK, 0), 0);
	assert_string_equal(read_log(dir_of(state), everything), numbers(1, 60));
}

static void test_tail(void **state)
{
	struct logs_request request = everything;

	write_log(dir_of(state), 1, 40, 400);
	assert_int_equal(log_compress_all(dir_of(state), "json.log", 50), 0);
	write_log(dir_of(state), 41, 60, 400);
	for (int n = 0; n <= 65; n += n % 3 + 1) {
		request.tail = n;
		assert_string_equal(read_log(dir_of(state), request),
				    numbers(n > 60 ? 1 : 61 - n, 60));
	}
}

/* Blocks that are searched backwards end anywhere in a line. */
static void test_tail_of_large_file(void **state)
{
	struct logs_request request = everything;

	write_log(dir_of(state), 1, 6000, 0);
	for (int n = 1; n < 6000; n += 397) {
		request.tail = n;
		assert_string_equal(read_log(dir_of(state), request), numbers(6001 - n, 6000));
	}
}

static void test_half_a_record(void **state)
{
	struct logs_request request = everything;
	auto_close int fd = NO_FD;

	write_log(dir_of(state), 1, 3, 0);
	fd = openat(dir_of(state), "json.log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(fd_write_all(fd, "{\"log\":\"4\\n\",\"str", 17), 0);
	assert_string_equal(read_log(dir_of(state), everything), numbers(1, 3));
	request.tail = 1;
	assert_string_equal(read_log(dir_of(state), request), numbers(3, 3));
	/* The next monitor ends it; the damaged line is passed over. */
	write_log(dir_of(state), 5, 6, 0);
	assert_string_equal(read_log(dir_of(state), everything), "1\n2\n3\n5\n6\n");
}

static void test_absurdly_long_line(void **state)
{
	auto_free char *text = xmalloc(3 << 20);
	auto_close int fd = NO_FD;

	memset(text, 'x', 3 << 20);
	write_log(dir_of(state), 1, 2, 0);
	fd = openat(dir_of(state), "json.log", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(fd_write_all(fd, text, 3 << 20), 0);
	write_log(dir_of(state), 3, 4, 0);
	assert_string_equal(read_log(dir_of(state), everything), numbers(1, 4));
}

static void test_since_and_until(void **state)
{
	struct logs_request request = everything;

	write_log(dir_of(state), 1, 20, 400);
	request.since_ns = START + 5 * SECOND;
	assert_string_equal(read_log(dir_of(state), request), numbers(5, 20));
	request.until_ns = START + 8 * SECOND;
	assert_string_equal(read_log(dir_of(state), request), numbers(5, 8));
}

static void test_timestamps(void **state)
{
	struct logs_request request = everything;

	write_log(dir_of(state), 1, 1, 0);
	request.timestamps = true;
	assert_string_equal(read_log(dir_of(state), request), "2023-11-14T22:13:21.000000000Z 1\n");
	request.details = true;
	assert_string_equal(read_log(dir_of(state), request),
			    "2023-11-14T22:13:21.000000000Z  1\n");
}

/* A container that does not run has nothing to follow. */
static void test_follow_of_stopped(void **state)
{
	struct logs_request request = everything;

	write_log(dir_of(state), 1, 3, 0);
	request.follow = true;
	assert_string_equal(read_log(dir_of(state), request), numbers(1, 3));
}

/* A writer that rotates all the time, and readers that must see each line once and in order. */
static void test_reading_while_rotating(void **state)
{
	const struct json_log_options options = {.max_bytes = 4000, .max_files = 100};
	struct json_log log;
	pid_t writer;
	int status;

	json_log_init(&log, dir_of(state), &options);
	writer = fork();
	if (writer == 0) {
		for (int i = 1; i <= 3000; i++) {
			char text[16];
			int n = snprintf(text, sizeof(text), "%d\n", i);

			json_log_add(&log, JSON_LOG_STDOUT, text, (size_t)n, START + i);
			json_log_flush(&log);
		}
		_exit(0);
	}
	for (bool running = true; running;) {
		const char *text;
		int last = 0;

		running = waitpid(writer, &status, WNOHANG) == 0;
		text = read_log(dir_of(state), everything);
		for (const char *p = text; *p; p = strchr(p, '\n') + 1)
			last++;
		/* Compare with what it must be: 1, 2, 3, … without a gap. */
		for (int i = 1; i <= last; i++) {
			char wanted[16];
			int n = snprintf(wanted, sizeof(wanted), "%d\n", i);

			if (strncmp(text, wanted, (size_t)n) != 0)
				fail_msg("line %d is %.10s", i, text);
			text += n;
		}
	}
	json_log_close(&log);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, open_dir, close_dir)
	const struct CMUnitTest tests[] = {
		WITH_DIR(test_nothing),
		WITH_DIR(test_all),
		WITH_DIR(test_streams),
		WITH_DIR(test_rotated_and_compressed),
		WITH_DIR(test_tail),
		WITH_DIR(test_tail_of_large_file),
		WITH_DIR(test_half_a_record),
		WITH_DIR(test_absurdly_long_line),
		WITH_DIR(test_since_and_until),
		WITH_DIR(test_timestamps),
		WITH_DIR(test_follow_of_stopped),
		WITH_DIR(test_reading_while_rotating),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
