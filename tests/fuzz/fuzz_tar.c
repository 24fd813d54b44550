/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tar.c - a layer from its compressed bytes to every entry's name, map and content, in memory
 *
 * Input that is compressed is decoded first; what comes out is walked as the job "index" does and as
 * the job "layer" does, short of making files (fuzz_layer.c makes them).
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/strbuf.h"
#include "unpack/decoder.h"
#include "unpack/index.h"
#include "unpack/tar_path.h"

#include "../unit/unpack/memory_input.h"

#define MAX_DECODED ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const uint8_t *data, size_t size, struct strbuf *ret_tar)
{
	auto_(decoder_free) struct decoder *decoder = decoder_new(compression_of(data, size));
	struct decoder_buffers b = {.in = data, .in_len = size};
	auto_(error_release) struct error err = {0};
	bool more = true;

	for (int rounds = 0; (b.in_len > 0 || more) && rounds < 100000; rounds++) {
		uint8_t out[4096];

		b.out = out;
		b.out_len = sizeof(out);
		if (decoder_run(decoder, &b, &more, &err) < 0 || ret_tar->len > MAX_DECODED)
			return;
		strbuf_add(ret_tar, out, sizeof(out) - b.out_len);
	}
	(void)decoder_finish(decoder, &err);
}

static void walk(const uint8_t *data, size_t size)
{
	struct memory_input input = memory_input(data, size);
	auto_(tar_reader_release) struct tar_reader reader = {.input = &input.input};
	auto_(error_release) struct error err = {0};
	struct tar_entry entry;

	input.step = 700;
	while (tar_reader_next(&reader, &entry, &err) > 0) {
		struct tar_path path, parent;
		const uint8_t *content;
		const char *hidden;
		ssize_t n;

		(void)tar_path_show(entry.name);
		if (tar_path_clean(entry.name, &path) == 0) {
			(void)tar_path_whiteout(&path, &hidden);
			(void)tar_path_split(&path, &parent);
		}
		while ((n = tar_reader_data(&reader, &content, &err)) > 0)
			if (tar_reader_consume(&reader, (uint64_t)n, &err) < 0)
				return;
	}
}

static void list(const uint8_t *data, size_t size)
{
	struct memory_input input = memory_input(data, size);
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error err = {0};

	(void)index_list(&input.input, NULL, 1000, &text, &err);
}

/* The same as a stream: what was stored is as long as it says. */
static void list_stream(const uint8_t *data, size_t size)
{
	struct memory_input input = memory_input(data, size);
	auto_close int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct index_spool spool = {.fd = fd, .dir_fd = NO_FD};
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(error_release) struct error err = {0};

	if (index_list(&input.input, &spool, 1000, &text, &err) >= 0 &&
	    (spool.size > size || spool.parts > 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(strbuf_release) struct strbuf tar = {0};

	if (compression_of(data, size) != COMPRESSION_NONE) {
		decode(data, size, &tar);
		data = (const uint8_t *)strbuf_text(&tar);
		size = tar.len;
	}
	walk(data, size);
	list(data, size);
	list_stream(data, size);
	return 0;
}
