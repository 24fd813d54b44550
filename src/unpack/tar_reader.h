/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_reader.h - walks a tar stream entry by entry
 *
 * Understands V7, ustar, pax, star and GNU archives: long names, base-256 numbers, all four ways
 * to write sparse files. It reads from a `struct tar_input`, touches no file, and copies no content.
 *
 * Why not libarchive: it was measured. Loading it with all it links (libxml2, ICU, nettle, …)
 * costs 2.8 ms per process, four times everything else that unpacking a small layer costs before
 * the first byte; it converts names between character sets, so that outside a UTF-8 locale it stops
 * at the first name of Debian's ca-certificates that is not ASCII, while docker keeps the bytes; and
 * what docker accepts or refuses is the rule set of Go's archive/tar, which this file follows.
 *
 *	auto_(tar_reader_release) struct tar_reader reader = {.input = &input};
 *
 *	while ((r = tar_reader_next(&reader, &entry, err)) > 0)
 *		while ((n = tar_reader_data(&reader, &data, err)) > 0)
 *			use data[0..n), then tar_reader_consume(&reader, n);
 *
 * What is not consumed is skipped by the next tar_reader_next().
 */
#ifndef SKIFF_UNPACK_TAR_READER_H
#define SKIFF_UNPACK_TAR_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "image/tar_entry.h"
#include "unpack/tar_pax.h"

/* Where the bytes come from. */
struct tar_input {
	/*
	 * Makes the next bytes visible without taking them: at least TAR_BLOCK of them unless the
	 * input ends before. Returns how many are in *ret_data, 0 at the end, or a negative errno.
	 */
	ssize_t (*peek)(struct tar_input *input, const uint8_t **ret_data, struct error *err);

	/* Takes `len` bytes, seen or not; it is an error if the input ends before. */
	int (*skip)(struct tar_input *input, uint64_t len, struct error *err);
};

/* All pointers in an entry are valid until the next tar_reader_next(). */
struct tar_reader {
	struct tar_input *input;
	uint64_t offset;    /* bytes taken from the input */
	uint64_t data_left; /* of the entry's stored bytes */
	uint64_t padding;   /* after them */
	bool ended;         /* the end-of-archive marker was seen */
	struct strbuf long_name, long_link, pax_text;
	struct pax pax;
	struct sparse_map map;
	char name[257], link[101]; /* from the plain header */
};

/* 1 and *ret_entry, or 0 at the end of the archive, or a negative errno. */
int tar_reader_next(struct tar_reader *reader, struct tar_entry *ret_entry, struct error *err);

/* The next run of the entry's stored bytes: their number, 0 after the last, or a negative errno. */
ssize_t tar_reader_data(struct tar_reader *reader, const uint8_t **ret_data, struct error *err);
int tar_reader_consume(struct tar_reader *reader, uint64_t len, struct error *err);
void tar_reader_release(struct tar_reader *reader);

DEFINE_CLEANUP_VALUE(struct tar_reader, tar_reader_release);

#endif
