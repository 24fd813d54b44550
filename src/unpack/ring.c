/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/ring.h"

#include <assert.h>
#include <errno.h>

#include "base/alloc.h"

static_assert(RING_SIZE % 512 == 0, "a tar block lies in one piece");
static_assert(RING_SIZE > 2 * RING_BATCH, "producer and consumer cannot wait for each other");

#define EXCLUDED UINT64_MAX

void ring_init(struct ring *ring)
{
	*ring = (struct ring){.data = xmalloc(RING_SIZE)};
	(void)pthread_mutex_init(&ring->lock, NULL);
	(void)pthread_cond_init(&ring->space, NULL);
	for (size_t i = 0; i < RING_CONSUMERS; i++)
		(void)pthread_cond_init(&ring->bytes[i], NULL);
}

void ring_release(struct ring *ring)
{
	if (!ring->data)
		return;
	(void)pthread_mutex_destroy(&ring->lock);
	(void)pthread_cond_destroy(&ring->space);
	for (size_t i = 0; i < RING_CONSUMERS; i++)
		(void)pthread_cond_destroy(&ring->bytes[i]);
	free(ring->data);
	*ring = (struct ring){0};
}

void ring_exclude(struct ring *ring, size_t consumer)
{
	(void)pthread_mutex_lock(&ring->lock);
	ring->tails[consumer] = EXCLUDED;
	if (ring->producer_waits)
		(void)pthread_cond_signal(&ring->space);
	(void)pthread_mutex_unlock(&ring->lock);
}

static size_t free_bytes(const struct ring *ring)
{
	uint64_t slowest = EXCLUDED;

	for (size_t i = 0; i < RING_CONSUMERS; i++)
		if (ring->tails[i] < slowest)
			slowest = ring->tails[i];
	if (slowest == EXCLUDED)
		return RING_SIZE; /* nobody looks: the bytes are dropped */
	return RING_SIZE - (size_t)(ring->head - slowest);
}

int ring_reserve(struct ring *ring, uint8_t **ret_space, size_t *ret_len)
{
	size_t at, room;
	bool aborted;

	(void)pthread_mutex_lock(&ring->lock);
	while (!ring->aborted && free_bytes(ring) < RING_BATCH) {
		ring->producer_waits = true;
		(void)pthread_cond_wait(&ring->space, &ring->lock);
	}
	ring->producer_waits = false;
	at = (size_t)(ring->head % RING_SIZE);
	room = free_bytes(ring);
	aborted = ring->aborted;
	(void)pthread_mutex_unlock(&ring->lock);
	if (aborted)
		return -ECANCELED;
	if (room > RING_SIZE - at)
		room = RING_SIZE - at;
	*ret_space = ring->data + at;
	*ret_len = room;
	return 0;
}

/* Called with the lock held: wakes those whose wait is over. */
static void wake_consumers(struct ring *ring)
{
	for (size_t i = 0; i < RING_CONSUMERS; i++)
		if (ring->consumer_waits[i] &&
		    (ring->ended || ring->head - ring->tails[i] >= RING_BATCH))
			(void)pthread_cond_signal(&ring->bytes[i]);
}

void ring_commit(struct ring *ring, size_t len)
{
	(void)pthread_mutex_lock(&ring->lock);
	ring->head += len;
	wake_consumers(ring);
	(void)pthread_mutex_unlock(&ring->lock);
}

void ring_end(struct ring *ring)
{
	(void)pthread_mutex_lock(&ring->lock);
	ring->ended = true;
	wake_consumers(ring);
	(void)pthread_mutex_unlock(&ring->lock);
}

ssize_t ring_peek(struct ring *ring, size_t consumer, const uint8_t **ret_data)
{
	uint64_t tail;
	size_t at, len;
	bool aborted;

	(void)pthread_mutex_lock(&ring->lock);
	tail = ring->tails[consumer];
	/* Go on with what is there; having run dry, wait for a batch. */
	if (ring->head - tail < 512) {
		while (!ring->aborted && !ring->ended && ring->head - tail < RING_BATCH) {
			ring->consumer_waits[consumer] = true;
			(void)pthread_cond_wait(&ring->bytes[consumer], &ring->lock);
		}
		ring->consumer_waits[consumer] = false;
	}
	len = (size_t)(ring->head - tail);
	aborted = ring->aborted;
	(void)pthread_mutex_unlock(&ring->lock);
	if (aborted)
		return -ECANCELED;
	at = (size_t)(tail % RING_SIZE);
	*ret_data = ring->data + at;
	return (ssize_t)(len > RING_SIZE - at ? RING_SIZE - at : len);
}

void ring_take(struct ring *ring, size_t consumer, size_t len)
{
	(void)pthread_mutex_lock(&ring->lock);
	ring->tails[consumer] += len;
	if (ring->producer_waits && free_bytes(ring) >= RING_BATCH)
		(void)pthread_cond_signal(&ring->space);
	(void)pthread_mutex_unlock(&ring->lock);
}

uint64_t ring_taken(struct ring *ring, size_t consumer)
{
	uint64_t taken;

	(void)pthread_mutex_lock(&ring->lock);
	taken = ring->tails[consumer];
	(void)pthread_mutex_unlock(&ring->lock);
	return taken;
}

void ring_abort(struct ring *ring)
{
	(void)pthread_mutex_lock(&ring->lock);
	ring->aborted = true;
	(void)pthread_cond_signal(&ring->space);
	for (size_t i = 0; i < RING_CONSUMERS; i++)
		(void)pthread_cond_signal(&ring->bytes[i]);
	(void)pthread_mutex_unlock(&ring->lock);
}
