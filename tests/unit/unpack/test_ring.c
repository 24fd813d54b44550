/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "unpack/ring.h"

#define TOTAL ((uint64_t)23 * 1000 * 1000 + 7)

static uint8_t byte_at(uint64_t position)
{
	return (uint8_t)(position * 31 + (position >> 12));
}

struct reading {
	struct ring *ring;
	size_t consumer, step;
	uint64_t seen, wrong, short_runs;
	ssize_t last;
};

static void *consume(void *context)
{
	struct reading *r = context;
	const uint8_t *data;

	while ((r->last = ring_peek(r->ring, r->consumer, &data)) > 0) {
		size_t len = (size_t)r->last < r->step ? (size_t)r->last : r->step;

		if (r->last < 512 && r->seen + (uint64_t)r->last != TOTAL)
			r->short_runs++;
		for (size_t i = 0; i < len; i++)
			r->wrong += data[i] != byte_at(r->seen + i);
		r->seen += len;
		ring_take(r->ring, r->consumer, len);
	}
	return NULL;
}

static int produce(struct ring *ring)
{
	uint64_t done = 0;

	for (size_t piece = 1; done < TOTAL; piece = piece * 7 % 300007 + 1) {
		uint8_t *space;
		size_t len;

		if (ring_reserve(ring, &space, &len) < 0)
			return -1;
		if (len > piece)
			len = piece;
		if (len > TOTAL - done)
			len = TOTAL - done;
		for (size_t i = 0; i < len; i++)
			space[i] = byte_at(done + i);
		done += len;
		ring_commit(ring, len);
	}
	ring_end(ring);
	return 0;
}

static void every_consumer_sees_every_byte(void **state)
{
	auto_(ring_release) struct ring ring = {0};
	struct reading readings[2] = {{.step = 512}, {.step = 1024 * 1024}};
	pthread_t threads[2];

	(void)state;
	ring_init(&ring);
	for (size_t i = 0; i < 2; i++) {
		readings[i].ring = &ring;
		readings[i].consumer = i;
		assert_int_equal(pthread_create(&threads[i], NULL, consume, &readings[i]), 0);
	}
	assert_int_equal(produce(&ring), 0);
	for (size_t i = 0; i < 2; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(readings[i].last, 0);
		assert_int_equal(readings[i].seen, TOTAL);
		assert_int_equal(readings[i].wrong, 0);
		assert_int_equal(ring_taken(&ring, i), TOTAL);
	}
	/* Who takes whole blocks is never shown less than one, but at the end. */
	assert_int_equal(readings[0].short_runs, 0);
}

static void excluded_consumers_are_not_waited_for(void **state)
{
	auto_(ring_release) struct ring ring = {0};
	struct reading reading = {.ring = &ring, .consumer = 1, .step = 4096};
	pthread_t thread;

	(void)state;
	ring_init(&ring);
	ring_exclude(&ring, 0);
	assert_int_equal(pthread_create(&thread, NULL, consume, &reading), 0);
	assert_int_equal(produce(&ring), 0);
	(void)pthread_join(thread, NULL);
	assert_int_equal(reading.seen, TOTAL);
}

static void aborting_ends_all_waits(void **state)
{
	auto_(ring_release) struct ring ring = {0};
	struct reading reading = {.ring = &ring, .consumer = 0, .step = 1};
	pthread_t thread;
	uint8_t *space;
	size_t len;

	(void)state;
	ring_init(&ring);
	assert_int_equal(pthread_create(&thread, NULL, consume, &reading), 0);
	ring_abort(&ring);
	(void)pthread_join(thread, NULL);
	assert_int_equal(reading.last, -ECANCELED);
	assert_int_equal(ring_reserve(&ring, &space, &len), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_consumer_sees_every_byte),
		cmocka_unit_test(excluded_consumers_are_not_waited_for),
		cmocka_unit_test(aborting_ends_all_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
