/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h - from the input's bytes to the tar stream, side by side in threads
 *
 * Theory.
 *
 *	reader ──raw ring──┬─> raw hash
 *	   └─> blob        └─> decoder ──tar ring──┬─> tar hash
 *	                                           └─> the caller, through struct tar_input
 *
 * A plain tar skips the middle: the caller is the raw ring's second consumer, and the digest of the
 * input is the digest of the tar. The blob is written from the bytes that were hashed, not copied by
 * the kernel from the file, which somebody could be changing.
 *
 * pipeline_new() starts the threads, so that it can be called before the system call filter forbids
 * to start any; they wait and read nothing until pipeline_start(), which finds out the compression.
 * The caller then takes the tar from `input` and ends with pipeline_finish().
 *
 * The first thread that fails leaves its error and aborts the rings. After a failure the process
 * reports and exits without joining: the reader may be waiting for a pipe that stays silent.
 *
 * Memory: two rings of 4 MiB and what the format's decoder needs, whatever the layer's size.
 */
#ifndef SKIFF_UNPACK_PIPELINE_H
#define SKIFF_UNPACK_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"
#include "unpack/decoder.h"
#include "unpack/tar_reader.h"

struct pipeline_request {
	int input_fd;
	bool region; /* only `size` bytes from `offset`, with pread(2) */
	uint64_t offset, size;
	int blob_fd;        /* NO_FD: none */
	int wake_fd;        /* says when the region has grown; NO_FD: it is there whole */
	uint64_t max_bytes; /* bound of the tar stream */
	bool hash;          /* digests are wanted */
	/* NULL, or called by whoever takes from the input, some ten times a second. */
	void (*progress)(uint64_t raw_bytes);
};

struct pipeline_totals {
	char digest[DIGEST_TEXT_LEN + 1], diff_id[DIGEST_TEXT_LEN + 1]; /* with `hash` */
	enum compression compression;
	uint64_t raw_bytes, tar_bytes;
};

struct pipeline;

/* The request is copied. Failure to start a thread aborts, like failure to allocate. */
struct pipeline *pipeline_new(const struct pipeline_request *request);

/* *ret_input is borrowed. */
int pipeline_start(struct pipeline *p, enum compression *ret_compression,
		   struct tar_input **ret_input, struct error *err);

/* Takes the rest of the tar stream, waits for all threads, frees `p`. */
int pipeline_finish(struct pipeline *p, struct pipeline_totals *ret_totals, struct error *err);

#endif
