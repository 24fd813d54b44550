/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/decoder.h"

#include <assert.h>
#include <bzlib.h>
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"

/* What "xz -9" needs is 65 MiB, what "zstd -19" needs 8 MiB; both libraries refuse more than this. */
#define XZ_MEMORY_LIMIT ((uint64_t)96 << 20)
#define ZSTD_WINDOW_LOG 27

static const char *const names[] = {
	[COMPRESSION_NONE] = "none", [COMPRESSION_GZIP] = "gzip",   [COMPRESSION_ZSTD] = "zstd",
	[COMPRESSION_XZ] = "xz",     [COMPRESSION_BZIP2] = "bzip2",
};

static_assert(sizeof(names) / sizeof(names[0]) == COMPRESSION_COUNT, "every format has a name");

struct decoder {
	enum compression compression;
	bool in_member; /* bytes of a member were read and its end was not */
	union {
		struct inflate_state gzip;
		ZSTD_DStream *zstd;
		lzma_stream xz;
		bz_stream bzip2;
	};
};

const char *compression_name(enum compression compression)
{
	return names[compression];
}

static bool starts_with(const uint8_t *data, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && memcmp(data, magic, magic_len) == 0;
}

enum compression compression_of(const uint8_t *data, size_t len)
{
	if (starts_with(data, len, "\x1f\x8b\x08", 3))
		return COMPRESSION_GZIP;
	if (starts_with(data, len, "\x28\xb5\x2f\xfd", 4))
		return COMPRESSION_ZSTD;
	/* A zstd file may begin with a frame to be skipped: 0x184D2A50 to 5F, little endian. */
	if (len >= 4 && (data[0] & 0xf0) == 0x50 && memcmp(data + 1, "\x2a\x4d\x18", 3) == 0)
		return COMPRESSION_ZSTD;
	if (starts_with(data, len,
			"\xfd"
			"7zXZ\0",
			6))
		return COMPRESSION_XZ;
	if (starts_with(data, len, "BZh", 3))
		return COMPRESSION_BZIP2;
	return COMPRESSION_NONE;
}

/* Ready for the first member, or for the next one. Only memory can be missing: that aborts. */
static void start_member(struct decoder *d, bool first)
{
	switch (d->compression) {
	case COMPRESSION_NONE:
		return;
	case COMPRESSION_GZIP:
		if (first)
			isal_inflate_init(&d->gzip);
		else
			isal_inflate_reset(&d->gzip);
		d->gzip.crc_flag = ISAL_GZIP;
		return;
	case COMPRESSION_ZSTD: /* its streams run over frame ends by themselves */
		if (first) {
			d->zstd = ZSTD_createDStream();
			if (!d->zstd)
				abort();
			(void)ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
		}
		return;
	case COMPRESSION_XZ:
		d->xz = (lzma_stream)LZMA_STREAM_INIT;
		if (lzma_stream_decoder(&d->xz, XZ_MEMORY_LIMIT, LZMA_CONCATENATED) != LZMA_OK)
			abort();
		return;
	case COMPRESSION_BZIP2:
		if (!first)
			(void)BZ2_bzDecompressEnd(&d->bzip2);
		d->bzip2 = (bz_stream){0};
		if (BZ2_bzDecompressInit(&d->bzip2, 0, 0) != BZ_OK)
			abort();
		return;
	}
}

struct decoder *decoder_new(enum compression compression)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->compression = compression;
	start_member(d, /* first= */ true);
	return d;
}

void decoder_free(struct decoder *d)
{
	switch (d->compression) {
	case COMPRESSION_NONE:
	case COMPRESSION_GZIP:
		break;
	case COMPRESSION_ZSTD:
		(void)ZSTD_freeDStream(d->zstd);
		break;
	case COMPRESSION_XZ:
		lzma_end(&d->xz);
		break;
	case COMPRESSION_BZIP2:
		(void)BZ2_bzDecompressEnd(&d->bzip2);
		break;
	}
	free(d);
}

static int damaged(const struct decoder *d, const char *why, struct error *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "damaged %s data: %s", names[d->compression], why);
}

/* The libraries count in 32 bits. */
static unsigned int limited(size_t len)
{
	return len > 1 << 30 ? 1U << 30 : (unsigned int)len;
}

static const char *gzip_failure(int code)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM:
		return "wrong checksum";
	case ISAL_INVALID_WRAPPER:
		return "no gzip header where one should be";
	case ISAL_UNSUPPORTED_METHOD:
		return "unknown method";
	default:
		return "invalid block";
	}
}

static int run_gzip(struct decoder *d, struct decoder_buffers *b, bool *ret_more, struct error *err)
{
	struct inflate_state *s = &d->gzip;
	unsigned int in = limited(b->in_len), out = limited(b->out_len);
	int r;

	s->next_in = (uint8_t *)b->in; /* the library does not write there */
	s->avail_in = in;
	s->next_out = b->out;
	s->avail_out = out;
	r = isal_inflate(s);
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT && r != ISAL_OUT_OVERFLOW)
		return damaged(d, gzip_failure(r), err);
	if (in > s->avail_in)
		d->in_member = true;
	b->in += in - s->avail_in;
	b->in_len -= in - s->avail_in;
	b->out += out - s->avail_out;
	b->out_len -= out - s->avail_out;
	*ret_more = s->avail_out == 0;
	if (s->block_state == ISAL_BLOCK_FINISH) {
		d->in_member = false;
		*ret_more = false;
		start_member(d, /* first= */ false);
	}
	return 0;
}

static int run_zstd(struct decoder *d, struct decoder_buffers *b, bool *ret_more, struct error *err)
{
	ZSTD_inBuffer in = {.src = b->in, .size = b->in_len};
	ZSTD_outBuffer out = {.dst = b->out, .size = b->out_len};
	size_t r = ZSTD_decompressStream(d->zstd, &out, &in);

	if (ZSTD_isError(r))
		return damaged(d, ZSTD_getErrorName(r), err);
	d->in_member = r != 0;
	b->in += in.pos;
	b->in_len -= in.pos;
	b->out += out.pos;
	b->out_len -= out.pos;
	*ret_more = b->out_len == 0 && r != 0;
	return 0;
}

static int run_xz(struct decoder *d, struct decoder_buffers *b, bool *ret_more, struct error *err)
{
	lzma_ret r;

	d->in_member = true; /* only lzma_code(LZMA_FINISH) knows */
	d->xz.next_in = b->in;
	d->xz.avail_in = b->in_len;
	d->xz.next_out = b->out;
	d->xz.avail_out = b->out_len;
	r = lzma_code(&d->xz, LZMA_RUN);
	if (r == LZMA_MEMLIMIT_ERROR)
		return damaged(d, "needs too much memory", err);
	if (r != LZMA_OK && r != LZMA_BUF_ERROR)
		return damaged(d,
			       r == LZMA_FORMAT_ERROR ? "no xz header where one should be"
						      : "invalid block",
			       err);
	b->in = d->xz.next_in;
	b->in_len = d->xz.avail_in;
	b->out = d->xz.next_out;
	b->out_len = d->xz.avail_out;
	*ret_more = b->out_len == 0;
	return 0;
}

static int run_bzip2(struct decoder *d, struct decoder_buffers *b, bool *ret_more,
		     struct error *err)
{
	unsigned int in = limited(b->in_len), out = limited(b->out_len);
	int r;

	d->bzip2.next_in = (char *)b->in; /* the library does not write there */
	d->bzip2.avail_in = in;
	d->bzip2.next_out = (char *)b->out;
	d->bzip2.avail_out = out;
	r = BZ2_bzDecompress(&d->bzip2);
	if (r != BZ_OK && r != BZ_STREAM_END)
		return damaged(d,
			       r == BZ_DATA_ERROR_MAGIC ? "no bzip2 header where one should be"
							: "invalid block",
			       err);
	if (in > d->bzip2.avail_in)
		d->in_member = true;
	b->in += in - d->bzip2.avail_in;
	b->in_len -= in - d->bzip2.avail_in;
	b->out += out - d->bzip2.avail_out;
	b->out_len -= out - d->bzip2.avail_out;
	*ret_more = b->out_len == 0;
	if (r == BZ_STREAM_END) {
		d->in_member = false;
		*ret_more = false;
		start_member(d, /* first= */ false);
	}
	return 0;
}

int decoder_run(struct decoder *d, struct decoder_buffers *b, bool *ret_more, struct error *err)
{
	*ret_more = false;
	switch (d->compression) {
	case COMPRESSION_NONE:
		return err_set(err, ERR_INTERNAL, 0, "nothing to decompress");
	case COMPRESSION_GZIP:
		return run_gzip(d, b, ret_more, err);
	case COMPRESSION_ZSTD:
		return run_zstd(d, b, ret_more, err);
	case COMPRESSION_XZ:
		return run_xz(d, b, ret_more, err);
	case COMPRESSION_BZIP2:
		return run_bzip2(d, b, ret_more, err);
	}
	return 0;
}

int decoder_finish(struct decoder *d, struct error *err)
{
	if (d->compression == COMPRESSION_XZ) {
		uint8_t nothing;

		d->xz.avail_in = 0;
		d->xz.next_out = &nothing;
		d->xz.avail_out = 1;
		d->in_member = lzma_code(&d->xz, LZMA_FINISH) != LZMA_STREAM_END;
	}
	if (d->in_member)
		return err_set(err, ERR_INVALID, EINVAL, "the %s data is cut short",
			       names[d->compression]);
	return 0;
}
