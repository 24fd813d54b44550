/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_header.h - one 512-byte block of a tar archive, decoded
 *
 * Pure functions on memory. The rules (which fields exist in which format, how numbers are
 * written, what is invalid) are those of Go's archive/tar, because what docker accepts and refuses
 * is what that package accepts and refuses.
 */
#ifndef SKIFF_UNPACK_TAR_HEADER_H
#define SKIFF_UNPACK_TAR_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/tar_entry.h"

enum tar_format {
	TAR_FORMAT_V7,
	TAR_FORMAT_USTAR, /* pax archives too */
	TAR_FORMAT_STAR,
	TAR_FORMAT_GNU,
};

struct tar_header {
	enum tar_format format;
	char flag; /* the type flag as it is in the block */
	int64_t mode, uid, gid, size, mtime, dev_major, dev_minor;
	char name[155 + 1 + 100 + 1];
	char link[100 + 1];
};

bool tar_block_is_zero(const uint8_t *block);

/*
 * Decodes a block. -EBADMSG when its checksum is wrong (so it is no header at all), -EINVAL when
 * a number in it is malformed or out of range.
 */
int tar_header_decode(const uint8_t *block, struct tar_header *ret_header);

/*
 * A numeric field: octal digits padded with spaces and NULs, or, when its first bit is set,
 * base 256. -EINVAL when it is neither or does not fit.
 */
int tar_number(const uint8_t *field, size_t len, int64_t *ret_value);

#endif
