/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder.h - gzip, zstd, xz and bzip2, one stream at a time
 *
 * Gzip is inflated by ISA-L: 0.62 s where zlib takes 1.47 s (415 MB of a Debian root).
 * Streams that consist of several members (pigz, eStargz, zstd:chunked) are read to the end of the
 * last one; what follows it and is no member is an error, as in docker.
 *
 *	while input: decoder_run() until it asks for more; at the end of the input: decoder_finish()
 */
#ifndef SKIFF_UNPACK_DECODER_H
#define SKIFF_UNPACK_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_XZ,
	COMPRESSION_BZIP2,
};

#define COMPRESSION_COUNT 5

/* "none", "gzip", … as in the protocol. */
const char *compression_name(enum compression compression);

/* By the first bytes; anything unknown is COMPRESSION_NONE. */
enum compression compression_of(const uint8_t *data, size_t len);

/* Moved forward by decoder_run(). */
struct decoder_buffers {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
};

struct decoder;

struct decoder *decoder_new(enum compression compression);
void decoder_free(struct decoder *decoder);

/*
 * Works until the input is used up or the output is full. All input may be used while output is
 * still held back: call again with fresh output space until *ret_more is false.
 */
int decoder_run(struct decoder *decoder, struct decoder_buffers *buffers, bool *ret_more,
		struct error *err);

/* The input has ended: was that at the end of a member? */
int decoder_finish(struct decoder *decoder, struct error *err);

DEFINE_CLEANUP(struct decoder *, decoder_free);

#endif
