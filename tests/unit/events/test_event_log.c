/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "events/event_log.h"
#include "events/event_reader.h"

static char directory[] = "/tmp/skiff-events-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	(void)memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = {EVENT_LOG_NAME, EVENT_LOG_OLD_NAME};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *path = xasprintf("%s/%s", directory, names[i]);

		(void)unlink(path);
	}
	return rmdir(directory);
}

static struct event_reader *open_reader(void)
{
	struct event_reader *reader;

	assert_int_equal(event_reader_open(directory, &reader), 0);
	return reader;
}

static void emit(const char *action, const char *attributes)
{
	const struct event_attribute more[] = {{"exitCode", "3"}, {"odd\n\"", "ä"}, {0}};
	const struct event event = {"container", action, "abc", attributes, more};

	event_emit(directory, &event);
}

static json_t *next(struct event_reader *reader)
{
	json_t *event = NULL;

	assert_int_equal(event_reader_next(reader, &event), 1);
	return event;
}

static void test_an_event_is_read_as_written(void **state)
{
	auto_(event_reader_close) struct event_reader *reader = NULL;
	auto_(json_decref) json_t *event = NULL;
	const json_t *attributes;
	json_t *none;

	(void)state;
	emit("die", "{\"image\":\"busybox\",\"exitCode\":\"label\"}");
	reader = open_reader();
	event = next(reader);
	assert_string_equal(json_get_string(event, "Type", ""), "container");
	assert_string_equal(json_get_string(event, "Action", ""), "die");
	assert_string_equal(json_get_string(event, "ID", ""), "abc");
	assert_true(json_get_int(event, "timeNano", 0) > 0);
	attributes = json_object_get(event, "Attributes");
	assert_string_equal(json_get_string(attributes, "image", ""), "busybox");
	assert_string_equal(json_get_string(attributes, "exitCode", ""), "3");
	assert_string_equal(json_get_string(attributes, "odd\n\"", ""), "ä");
	assert_int_equal(event_reader_next(reader, &none), 0);
}

static void test_a_reader_hears_of_a_file_that_did_not_exist(void **state)
{
	auto_(event_reader_close) struct event_reader *reader = open_reader();
	json_t *event;

	(void)state;
	assert_int_equal(event_reader_next(reader, &event), 0);
	emit("start", NULL);
	event_reader_drain(reader);
	json_decref(next(reader));
	assert_int_equal(event_reader_next(reader, &event), 0);
}

static void test_what_is_no_event_is_skipped(void **state)
{
	auto_free char *path = xasprintf("%s/" EVENT_LOG_NAME, directory);
	auto_(event_reader_close) struct event_reader *reader = NULL;
	FILE *file = fopen(path, "we");

	(void)state;
	assert_non_null(file);
	(void)fputs("rubbish\n\n[1]\n{\"Type\":\"x\"}\n{\"half", file);
	(void)fclose(file);
	reader = open_reader();
	json_decref(next(reader));
	assert_int_equal(event_reader_next(reader, &(json_t *){NULL}), 0);
}

static void write_many(int writer, int count)
{
	for (int i = 0; i < count; i++) {
		auto_free char *action = xasprintf("%d-%d", writer, i);

		emit(action,
		     "{\"filler\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}");
	}
}

enum { WRITERS = 3, LINES = 2000, ROUNDS = 4 };

/* Counts the lines of each writer while they write: less than a file's worth, so one rotation at most. */
static void read_round(struct event_reader *reader, int seen[WRITERS])
{
	int running = WRITERS;
	json_t *event;

	for (int w = 0; w < WRITERS; w++)
		if (fork() == 0) {
			write_many(w, LINES);
			_exit(0);
		}
	for (bool last = false; !last;) {
		last = running == 0;
		while (running > 0 && waitpid(-1, NULL, WNOHANG) > 0)
			running--;
		while (event_reader_next(reader, &event) > 0) {
			int writer, line;

			assert_int_equal(sscanf(json_get_string(event, "Action", ""), "%d-%d",
						&writer, &line),
					 2);
			assert_int_equal(line, seen[writer]);
			seen[writer] = (line + 1) % LINES;
			json_decref(event);
		}
	}
}

static void test_nothing_is_lost_over_rotations(void **state)
{
	auto_free char *old_path = xasprintf("%s/" EVENT_LOG_OLD_NAME, directory);
	auto_(event_reader_close) struct event_reader *reader = open_reader();
	int seen[WRITERS] = {0};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		read_round(reader, seen);
		for (int w = 0; w < WRITERS; w++)
			assert_int_equal(seen[w], 0);
	}
	assert_int_equal(access(old_path, F_OK), 0);
}

static void test_it_is_bounded(void **state)
{
	auto_free char *path = xasprintf("%s/" EVENT_LOG_NAME, directory);
	auto_free char *old_path = xasprintf("%s/" EVENT_LOG_OLD_NAME, directory);
	struct stat now, old;

	(void)state;
	write_many(0, 20000);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(stat(old_path, &old), 0);
	/* Nobody looks exactly when it is full. */
	assert_true(now.st_size < 2 * EVENT_LOG_MAX_BYTES && old.st_size < 2 * EVENT_LOG_MAX_BYTES);
	assert_true(old.st_size >= EVENT_LOG_MAX_BYTES);
}

static void test_too_many_labels_are_left_out(void **state)
{
	auto_(event_reader_close) struct event_reader *reader = NULL;
	auto_(strbuf_release) struct strbuf attributes = {0};
	auto_(json_decref) json_t *event = NULL;

	(void)state;
	strbuf_adds(&attributes, "{\"label\":\"");
	for (int i = 0; i < EVENT_LINE_MAX_BYTES; i++)
		strbuf_addc(&attributes, 'x');
	strbuf_adds(&attributes, "\"}");
	emit("die", strbuf_text(&attributes));
	reader = open_reader();
	event = next(reader);
	assert_int_equal(json_object_size(json_object_get(event, "Attributes")), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_event_is_read_as_written, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_a_reader_hears_of_a_file_that_did_not_exist,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_what_is_no_event_is_skipped, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_nothing_is_lost_over_rotations, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_it_is_bounded, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_too_many_labels_are_left_out, make_directory,
						remove_directory),
	};

	return cmocka_run_group_tests_name("event_log", tests, NULL, NULL);
}
