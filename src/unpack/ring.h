/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - bytes from one thread to several others
 *
 * Theory. One producer appends, each of up to RING_CONSUMERS consumers sees every byte; space is
 * free again when the slowest consumer has passed it. Nothing is copied on the way out: consumers
 * look into the buffer. The buffer's size is a multiple of 512 and positions start at 0, so a tar
 * header never lies across its end.
 *
 * To let threads run for a while once awake, the producer waits until RING_BATCH bytes are free and
 * consumers until as many are there (or the end is). Both cannot wait for each other: the buffer
 * holds more than two batches.
 *
 * ring_abort() makes every present and later wait return -ECANCELED at once: whoever fails first
 * records why somewhere else and aborts all rings.
 */
#ifndef SKIFF_UNPACK_RING_H
#define SKIFF_UNPACK_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define RING_CONSUMERS 2
#define RING_SIZE ((size_t)4 << 20)
#define RING_BATCH ((size_t)128 << 10)

struct ring {
	uint8_t *data;
	pthread_mutex_t lock;
	pthread_cond_t space;                 /* the producer waits here */
	pthread_cond_t bytes[RING_CONSUMERS]; /* and each consumer here */
	uint64_t head;                        /* bytes appended so far */
	uint64_t tails[RING_CONSUMERS];       /* bytes taken so far */
	bool producer_waits, consumer_waits[RING_CONSUMERS];
	bool ended, aborted;
};

void ring_init(struct ring *ring);
void ring_release(struct ring *ring);

/* A consumer that never takes part, called before the threads run. */
void ring_exclude(struct ring *ring, size_t consumer);

/* Producer: room for at least one byte, as much as is free in one piece; 0 or -ECANCELED. */
int ring_reserve(struct ring *ring, uint8_t **ret_space, size_t *ret_len);
void ring_commit(struct ring *ring, size_t len);
void ring_end(struct ring *ring);

/*
 * Consumer: what is there in one piece, at least 512 bytes unless the end comes before (given that
 * it took multiples of 512 so far); 0 at the end; -ECANCELED.
 */
ssize_t ring_peek(struct ring *ring, size_t consumer, const uint8_t **ret_data);
void ring_take(struct ring *ring, size_t consumer, size_t len);

/* Bytes taken by that consumer so far. */
uint64_t ring_taken(struct ring *ring, size_t consumer);

void ring_abort(struct ring *ring);

DEFINE_CLEANUP_VALUE(struct ring, ring_release);

#endif
