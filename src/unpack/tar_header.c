/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/tar_header.h"

#include <errno.h>
#include <string.h>

/* Where the fields are: POSIX.1-1988 ustar, and what star put in place of its prefix. */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_FLAG = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,
	AT_STAR_TRAILER = 508,

	NAME_SIZE = 100,
	NUMBER_SIZE = 8,
	LONG_NUMBER_SIZE = 12,
	PREFIX_SIZE = 155,
	STAR_PREFIX_SIZE = 131,
};

bool tar_block_is_zero(const uint8_t *block)
{
	return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

/* Two's complement, big endian; the first bit only says that this is base 256. */
static int base256(const uint8_t *field, size_t len, int64_t *ret_value)
{
	uint8_t fill = field[0] & 0x40 ? 0xff : 0x00;
	uint64_t value = fill ? UINT64_MAX : 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = i == 0 ? (uint8_t)((field[0] & 0x7f) | (fill & 0x80)) : field[i];

		/* What is shifted out must be sign, and the sign must stay what it was. */
		if ((uint8_t)(value >> 56) != fill)
			return -EINVAL;
		value = value << 8 | byte;
	}
	if ((value >> 63 != 0) != (fill != 0))
		return -EINVAL;
	*ret_value = (int64_t)value;
	return 0;
}

static bool is_padding(uint8_t c)
{
	return c == ' ' || c == '\0';
}

int tar_number(const uint8_t *field, size_t len, int64_t *ret_value)
{
	int64_t value = 0;

	if (len > 0 && field[0] & 0x80)
		return base256(field, len, ret_value);
	while (len > 0 && is_padding(field[0])) {
		field++;
		len--;
	}
	while (len > 0 && is_padding(field[len - 1]))
		len--;
	for (size_t i = 0; i < len && field[i]; i++) {
		if (field[i] < '0' || field[i] > '7' || value > INT64_MAX >> 3)
			return -EINVAL;
		value = value << 3 | (field[i] - '0');
	}
	*ret_value = value;
	return 0;
}

/* Old writers summed signed characters; readers accept both sums. */
static bool checksum_is_right(const uint8_t *block)
{
	int64_t stored, plain = 0, as_signed = 0;

	if (tar_number(block + AT_CHECKSUM, NUMBER_SIZE, &stored) < 0)
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool own = i >= AT_CHECKSUM && i < AT_CHECKSUM + NUMBER_SIZE;
		uint8_t byte = own ? ' ' : block[i];

		plain += byte;
		as_signed += (int8_t)byte;
	}
	return stored == plain || stored == as_signed;
}

static enum tar_format format_of(const uint8_t *block)
{
	const uint8_t *magic = block + AT_MAGIC;

	if (memcmp(magic, "ustar\0", 6) == 0)
		return memcmp(block + AT_STAR_TRAILER, "tar\0", 4) == 0 ? TAR_FORMAT_STAR
									: TAR_FORMAT_USTAR;
	if (memcmp(magic, "ustar  \0", 8) == 0)
		return TAR_FORMAT_GNU;
	return TAR_FORMAT_V7;
}

/* A field that is terminated by a NUL unless it is full. Returns its length. */
static size_t copy_text(char *to, const uint8_t *field, size_t len)
{
	size_t n = strnlen((const char *)field, len);

	memcpy(to, field, n);
	to[n] = '\0';
	return n;
}

static void decode_name(const uint8_t *block, struct tar_header *h)
{
	size_t prefix_size = 0, n = 0;

	if (h->format == TAR_FORMAT_USTAR)
		prefix_size = PREFIX_SIZE;
	else if (h->format == TAR_FORMAT_STAR)
		prefix_size = STAR_PREFIX_SIZE;
	if (prefix_size)
		n = copy_text(h->name, block + AT_PREFIX, prefix_size);
	if (n > 0)
		h->name[n++] = '/';
	(void)copy_text(h->name + n, block + AT_NAME, NAME_SIZE);
	(void)copy_text(h->link, block + AT_LINK, NAME_SIZE);
}

int tar_header_decode(const uint8_t *block, struct tar_header *ret_header)
{
	struct tar_header h = {.format = format_of(block), .flag = (char)block[AT_FLAG]};

	if (!checksum_is_right(block))
		return -EBADMSG;
	if (tar_number(block + AT_MODE, NUMBER_SIZE, &h.mode) < 0 ||
	    tar_number(block + AT_UID, NUMBER_SIZE, &h.uid) < 0 ||
	    tar_number(block + AT_GID, NUMBER_SIZE, &h.gid) < 0 ||
	    tar_number(block + AT_SIZE, LONG_NUMBER_SIZE, &h.size) < 0 ||
	    tar_number(block + AT_MTIME, LONG_NUMBER_SIZE, &h.mtime) < 0)
		return -EINVAL;
	if (h.format != TAR_FORMAT_V7 &&
	    (tar_number(block + AT_MAJOR, NUMBER_SIZE, &h.dev_major) < 0 ||
	     tar_number(block + AT_MINOR, NUMBER_SIZE, &h.dev_minor) < 0))
		return -EINVAL;
	if (h.size < 0)
		return -EINVAL;
	decode_name(block, &h);
	*ret_header = h;
	return 0;
}
