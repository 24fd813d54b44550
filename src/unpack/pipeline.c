/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "unpack/ring.h"

/* Small enough to be in the cache still when the next thread looks at it. */
#define CHUNK ((size_t)256 << 10)
#define PROGRESS_BYTES ((size_t)1 << 20)
#define PROGRESS_NS 100000000
/* Zstd needs some rounds in which nothing is seen to move; what needs more stands still. */
#define MAX_IDLE_ROUNDS 32
#define STACK_SIZE ((size_t)256 << 10)

enum { CONSUMER_HASH, CONSUMER_NEXT };

enum phase {
	PHASE_PARKED,
	PHASE_READING, /* the reader runs; the compression is not known yet */
	PHASE_PLAIN,
	PHASE_DECODING,
};

enum { THREAD_READER, THREAD_RAW_HASH, THREAD_DECODER, THREAD_TAR_HASH, THREAD_COUNT };

struct pipeline {
	struct tar_input input; /* first: the caller's pointer leads back to us */
	struct pipeline_request request;
	struct ring raw, tar;
	struct ring *output; /* the one that the caller reads */
	enum compression compression;
	struct sha256 raw_hash, tar_hash;
	uint64_t raw_bytes, tar_bytes;
	bool wake_ended;   /* the input will not grow any more */
	size_t since_look; /* bytes since the clock was read */
	int64_t last_report_ns;
	pthread_t threads[THREAD_COUNT];

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	enum phase phase;
	struct error error;
};

/* Takes the error over, if it is the first, and stops everybody. */
static void fail(struct pipeline *p, struct error *err)
{
	(void)pthread_mutex_lock(&p->lock);
	if (p->error.kind == ERR_NONE)
		(void)err_move(&p->error, err);
	else
		error_release(err);
	(void)pthread_mutex_unlock(&p->lock);
	ring_abort(&p->raw);
	ring_abort(&p->tar);
}

/* For the caller, whose ring was aborted: why. */
static int why_aborted(struct pipeline *p, struct error *err)
{
	(void)pthread_mutex_lock(&p->lock);
	assert(p->error.kind != ERR_NONE);
	(void)err_move(err, &p->error);
	(void)pthread_mutex_unlock(&p->lock);
	return err_result(err);
}

static enum phase wait_beyond(struct pipeline *p, enum phase phase)
{
	enum phase now;

	(void)pthread_mutex_lock(&p->lock);
	while (p->phase <= phase)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	now = p->phase;
	(void)pthread_mutex_unlock(&p->lock);
	return now;
}

static void enter(struct pipeline *p, enum phase phase)
{
	(void)pthread_mutex_lock(&p->lock);
	p->phase = phase;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

static int too_large(const struct pipeline *p, struct error *err)
{
	return err_set(err, ERR_INVALID, EFBIG,
		       "the archive unpacks to more than the %" PRIu64 " bytes allowed",
		       p->request.max_bytes);
}

/* At the present end of an input that is still being written. 1: look again, 0: that was all. */
static int wait_for_more(struct pipeline *p, struct error *err)
{
	char bytes[4096];
	ssize_t n;

	if (p->wake_ended)
		return 0;
	do
		n = read(p->request.wake_fd, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, errno, "wait for the input");
	p->wake_ended = n == 0;
	return 1;
}

static ssize_t read_once(const struct pipeline *p, uint8_t *space, size_t len)
{
	const struct pipeline_request *request = &p->request;
	ssize_t n;

	do
		n = request->region ? pread(request->input_fd, space, len,
					    (off_t)(request->offset + p->raw_bytes))
				    : read(request->input_fd, space, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Up to `len` bytes; 0 at the end of the input. */
static ssize_t read_some(struct pipeline *p, uint8_t *space, size_t len, struct error *err)
{
	const struct pipeline_request *request = &p->request;
	ssize_t n;
	int r = 0;

	if (request->region && len > request->size - p->raw_bytes)
		len = (size_t)(request->size - p->raw_bytes);
	if (len == 0)
		return 0;
	do
		n = read_once(p, space, len);
	while (n == 0 && request->wake_fd >= 0 && (r = wait_for_more(p, err)) > 0);
	if (r < 0)
		return r;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, errno, "read the input");
	if (n == 0 && request->region)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the input ends after %" PRIu64 " of %" PRIu64 " bytes",
			       p->raw_bytes, request->size);
	return n;
}

/* 1 after a chunk, 0 at the end. */
static int read_chunk(struct pipeline *p, struct error *err)
{
	uint8_t *space;
	size_t len;
	ssize_t n;
	int r;

	r = ring_reserve(&p->raw, &space, &len);
	if (r < 0)
		return err_set(err, ERR_CANCELLED, 0, "cancelled");
	n = read_some(p, space, len < CHUNK ? len : CHUNK, err);
	if (n <= 0)
		return (int)n;
	if (p->request.blob_fd >= 0) {
		r = fd_write_all(p->request.blob_fd, space, (size_t)n);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "write the blob");
	}
	p->raw_bytes += (uint64_t)n;
	if (p->raw_bytes > p->request.max_bytes)
		return too_large(p, err);
	ring_commit(&p->raw, (size_t)n);
	return 1;
}

static void *run_reader(void *context)
{
	auto_(error_release) struct error err = {0};
	struct pipeline *p = context;
	int r;

	(void)wait_beyond(p, PHASE_PARKED);
	do
		r = read_chunk(p, &err);
	while (r > 0);
	if (r < 0)
		fail(p, &err);
	else
		ring_end(&p->raw);
	return NULL;
}

static void hash_ring(struct ring *ring, struct sha256 *hash)
{
	const uint8_t *data;
	ssize_t n;

	while ((n = ring_peek(ring, CONSUMER_HASH, &data)) > 0) {
		size_t len = (size_t)n < CHUNK ? (size_t)n : CHUNK;

		sha256_update(hash, data, len);
		ring_take(ring, CONSUMER_HASH, len);
	}
}

static void *run_raw_hash(void *context)
{
	struct pipeline *p = context;

	(void)wait_beyond(p, PHASE_PARKED);
	if (p->request.hash)
		hash_ring(&p->raw, &p->raw_hash);
	return NULL;
}

static void *run_tar_hash(void *context)
{
	struct pipeline *p = context;

	if (wait_beyond(p, PHASE_READING) == PHASE_DECODING && p->request.hash)
		hash_ring(&p->tar, &p->tar_hash);
	return NULL;
}

/* Feeds one run of input through the decoder. */
static int decode_run(struct pipeline *p, struct decoder *decoder, struct decoder_buffers *b,
		      struct error *err)
{
	unsigned int idle = 0;
	bool more = false;

	while (b->in_len > 0 || more) {
		size_t before = b->in_len, len;
		uint8_t *space;

		if (ring_reserve(&p->tar, &space, &len) < 0)
			return err_set(err, ERR_CANCELLED, 0, "cancelled");
		b->out = space;
		b->out_len = len < CHUNK ? len : CHUNK;
		if (decoder_run(decoder, b, &more, err) < 0)
			return err_result(err);
		len = (size_t)(b->out - space);
		idle = len == 0 && b->in_len == before ? idle + 1 : 0;
		if (idle > MAX_IDLE_ROUNDS)
			return err_set(err, ERR_INVALID, EINVAL, "damaged %s data",
				       compression_name(p->compression));
		p->tar_bytes += len;
		if (p->tar_bytes > p->request.max_bytes)
			return too_large(p, err);
		ring_commit(&p->tar, len);
	}
	return 0;
}

static int decode(struct pipeline *p, struct error *err)
{
	auto_(decoder_free) struct decoder *decoder = decoder_new(p->compression);
	struct decoder_buffers buffers = {0};
	const uint8_t *data;
	ssize_t n;

	while ((n = ring_peek(&p->raw, CONSUMER_NEXT, &data)) > 0) {
		size_t len = (size_t)n < CHUNK ? (size_t)n : CHUNK;

		buffers.in = data;
		buffers.in_len = len;
		if (decode_run(p, decoder, &buffers, err) < 0)
			return err_result(err);
		ring_take(&p->raw, CONSUMER_NEXT, len);
	}
	if (n < 0)
		return err_set(err, ERR_CANCELLED, 0, "cancelled");
	return decoder_finish(decoder, err);
}

static void *run_decoder(void *context)
{
	auto_(error_release) struct error err = {0};
	struct pipeline *p = context;

	if (wait_beyond(p, PHASE_READING) != PHASE_DECODING)
		return NULL;
	if (decode(p, &err) < 0)
		fail(p, &err);
	else
		ring_end(&p->tar);
	return NULL;
}

static ssize_t peek(struct tar_input *input, const uint8_t **ret_data, struct error *err)
{
	struct pipeline *p = (struct pipeline *)input;
	ssize_t n = ring_peek(p->output, CONSUMER_NEXT, ret_data);

	return n < 0 ? why_aborted(p, err) : n;
}

/* Input bytes whose content was taken, or, behind a decoder, soon will be. */
static void report_progress(struct pipeline *p, size_t taken)
{
	int64_t now;

	p->since_look += taken;
	if (!p->request.progress || p->since_look < PROGRESS_BYTES)
		return;
	p->since_look = 0;
	now = clock_monotonic_ns();
	if (now - p->last_report_ns < PROGRESS_NS)
		return;
	p->last_report_ns = now;
	p->request.progress(ring_taken(&p->raw, CONSUMER_NEXT));
}

static int skip(struct tar_input *input, uint64_t len, struct error *err)
{
	struct pipeline *p = (struct pipeline *)input;

	while (len > 0) {
		const uint8_t *data;
		ssize_t n = peek(input, &data, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(err, ERR_INVALID, EINVAL, "the archive is cut short");
		if ((uint64_t)n > len)
			n = (ssize_t)len;
		ring_take(p->output, CONSUMER_NEXT, (size_t)n);
		report_progress(p, (size_t)n);
		len -= (uint64_t)n;
	}
	return 0;
}

struct pipeline *pipeline_new(const struct pipeline_request *request)
{
	static void *(*const bodies[THREAD_COUNT])(void *) = {run_reader, run_raw_hash, run_decoder,
							      run_tar_hash};
	struct pipeline *p = xcalloc(1, sizeof(*p));
	pthread_attr_t attributes;

	p->input = (struct tar_input){.peek = peek, .skip = skip};
	p->request = *request;
	ring_init(&p->raw);
	ring_init(&p->tar);
	sha256_init(&p->raw_hash);
	sha256_init(&p->tar_hash);
	if (!request->hash) {
		ring_exclude(&p->raw, CONSUMER_HASH);
		ring_exclude(&p->tar, CONSUMER_HASH);
	}
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->changed, NULL);
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (size_t i = 0; i < THREAD_COUNT; i++)
		if (pthread_create(&p->threads[i], &attributes, bodies[i], p) != 0)
			abort();
	(void)pthread_attr_destroy(&attributes);
	return p;
}

int pipeline_start(struct pipeline *p, enum compression *ret_compression,
		   struct tar_input **ret_input, struct error *err)
{
	const uint8_t *data = NULL;
	ssize_t n;

	enter(p, PHASE_READING);
	n = ring_peek(&p->raw, CONSUMER_NEXT, &data);
	if (n < 0)
		return why_aborted(p, err);
	p->compression = compression_of(data, (size_t)n);
	p->output = p->compression == COMPRESSION_NONE ? &p->raw : &p->tar;
	enter(p, p->compression == COMPRESSION_NONE ? PHASE_PLAIN : PHASE_DECODING);
	*ret_compression = p->compression;
	*ret_input = &p->input;
	return 0;
}

int pipeline_finish(struct pipeline *p, struct pipeline_totals *ret_totals, struct error *err)
{
	struct pipeline_totals totals = {.compression = p->compression};
	const uint8_t *data;
	ssize_t n;

	while ((n = peek(&p->input, &data, err)) > 0)
		ring_take(p->output, CONSUMER_NEXT, (size_t)n);
	if (n < 0)
		return (int)n;
	for (size_t i = 0; i < THREAD_COUNT; i++)
		(void)pthread_join(p->threads[i], NULL);
	totals.raw_bytes = p->raw_bytes;
	totals.tar_bytes = p->compression == COMPRESSION_NONE ? p->raw_bytes : p->tar_bytes;
	sha256_digest(&p->raw_hash, totals.digest);
	sha256_digest(&p->tar_hash, totals.diff_id);
	if (p->compression == COMPRESSION_NONE)
		memcpy(totals.diff_id, totals.digest, sizeof(totals.diff_id));
	ring_release(&p->raw);
	ring_release(&p->tar);
	free(p);
	*ret_totals = totals;
	return 0;
}
