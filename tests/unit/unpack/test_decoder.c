/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "unpack/decoder.h"

/* "hello, hello, hello\n" by gzip, zstd, xz and bzip2. */
static const uint8_t gzip_text[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
	0xd7, 0x51, 0xc8, 0x40, 0xa2, 0xb8, 0x00, 0xe7, 0x42, 0x6e, 0x52, 0x14, 0x00, 0x00, 0x00,
};
static const uint8_t zstd_text[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x75, 0x00, 0x00, 0x40, 0x68, 0x65, 0x6c, 0x6c,
	0x6f, 0x2c, 0x20, 0x0a, 0x01, 0x00, 0xe2, 0x8a, 0x11, 0x21, 0x69, 0x9d, 0x87,
};
static const uint8_t xz_text[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02,
	0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00,
	0x13, 0x00, 0x0e, 0x5d, 0x00, 0x34, 0x19, 0x49, 0xee, 0x8d, 0xef, 0x8c, 0x87,
	0x31, 0xf5, 0x2f, 0x64, 0x00, 0x00, 0x00, 0x00, 0x00, 0xb0, 0x48, 0x85, 0x59,
	0xd7, 0xa9, 0xae, 0x4b, 0x00, 0x01, 0x2a, 0x14, 0x7e, 0xad, 0x37, 0x55, 0x1f,
	0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};
static const uint8_t bzip2_text[] = {
	0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xcb, 0x52, 0xe5,
	0x67, 0x00, 0x00, 0x05, 0x51, 0x00, 0x00, 0x10, 0x40, 0x04, 0x02, 0x44, 0xa0,
	0x00, 0x21, 0x24, 0x31, 0x08, 0x60, 0x2f, 0x18, 0x44, 0xc7, 0x15, 0x17, 0x8b,
	0xb9, 0x22, 0x9c, 0x28, 0x48, 0x65, 0xa9, 0x72, 0xb3, 0x80,
};

static const struct sample {
	enum compression compression;
	const uint8_t *data;
	size_t len;
} samples[] = {
	{COMPRESSION_GZIP, gzip_text, sizeof(gzip_text)},
	{COMPRESSION_ZSTD, zstd_text, sizeof(zstd_text)},
	{COMPRESSION_XZ, xz_text, sizeof(xz_text)},
	{COMPRESSION_BZIP2, bzip2_text, sizeof(bzip2_text)},
};

/* Decodes with `in_step` and `out_step` bytes at a time. Returns the first failure's result. */
static int decode(enum compression compression, const uint8_t *data, size_t len, size_t in_step,
		  size_t out_step, struct strbuf *ret_text)
{
	auto_(decoder_free) struct decoder *decoder = decoder_new(compression);
	auto_(error_release) struct error err = {0};

	for (size_t at = 0; at < len; at += in_step) {
		struct decoder_buffers b = {.in = data + at,
					    .in_len = len - at < in_step ? len - at : in_step};
		bool more = false;

		for (int rounds = 0; (b.in_len > 0 || more) && rounds < 1000; rounds++) {
			uint8_t out[64];

			b.out = out;
			b.out_len = out_step;
			if (decoder_run(decoder, &b, &more, &err) < 0)
				return err_result(&err);
			strbuf_add(ret_text, out, out_step - b.out_len);
		}
	}
	return decoder_finish(decoder, &err);
}

static void formats_are_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		assert_int_equal(compression_of(samples[i].data, samples[i].len),
				 samples[i].compression);
		assert_int_equal(compression_of(samples[i].data, 2), COMPRESSION_NONE);
	}
	assert_int_equal(compression_of(NULL, 0), COMPRESSION_NONE);
	assert_int_equal(compression_of((const uint8_t *)"\x53\x2a\x4d\x18", 4), COMPRESSION_ZSTD);
	assert_string_equal(compression_name(COMPRESSION_BZIP2), "bzip2");
}

static void any_cut_gives_the_same(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 64};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t in = 0; in < ARRAY_SIZE(steps); in++)
			for (size_t out = 0; out < ARRAY_SIZE(steps); out++) {
				auto_(strbuf_release) struct strbuf text = {0};

				assert_int_equal(decode(samples[i].compression, samples[i].data,
							samples[i].len, steps[in], steps[out],
							&text),
						 0);
				assert_string_equal(strbuf_text(&text), "hello, hello, hello\n");
			}
}

static void members_follow_each_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t step = 1; step < 300; step += 13) {
			auto_(strbuf_release) struct strbuf twice = {0};
			auto_(strbuf_release) struct strbuf text = {0};

			strbuf_add(&twice, samples[i].data, samples[i].len);
			strbuf_add(&twice, samples[i].data, samples[i].len);
			assert_int_equal(decode(samples[i].compression, (uint8_t *)twice.data,
						twice.len, step, 64, &text),
					 0);
			assert_string_equal(strbuf_text(&text),
					    "hello, hello, hello\nhello, hello, hello\n");
		}
}

static void what_is_cut_short_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t len = 1; len < samples[i].len; len++) {
			auto_(strbuf_release) struct strbuf text = {0};

			assert_true(decode(samples[i].compression, samples[i].data, len, 64, 64,
					   &text) < 0);
		}
}

static void garbage_after_the_end_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		auto_(strbuf_release) struct strbuf more = {0};
		auto_(strbuf_release) struct strbuf text = {0};

		strbuf_add(&more, samples[i].data, samples[i].len);
		strbuf_adds(&more, "garbage garbage garbage");
		assert_true(decode(samples[i].compression, (uint8_t *)more.data, more.len, 64, 64,
				   &text) < 0);
	}
}

/* Every format has a checksum of its content; zstd's and bzip2's and xz's headers too. */
static void a_flipped_bit_in_the_content_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		auto_free uint8_t *copy = xmemdup(samples[i].data, samples[i].len);
		auto_(strbuf_release) struct strbuf text = {0};

		copy[samples[i].len / 2] ^= 0x10;
		assert_true(decode(samples[i].compression, copy, samples[i].len, 64, 64, &text) <
			    0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_recognised),
		cmocka_unit_test(any_cut_gives_the_same),
		cmocka_unit_test(members_follow_each_other),
		cmocka_unit_test(what_is_cut_short_is_an_error),
		cmocka_unit_test(garbage_after_the_end_is_an_error),
		cmocka_unit_test(a_flipped_bit_in_the_content_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
