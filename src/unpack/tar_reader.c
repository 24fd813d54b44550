/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/tar_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "unpack/tar_header.h"
#include "unpack/tar_path.h"

/* Sizes above this would make sums of offsets overflow; no file system has such files. */
#define SIZE_LIMIT ((int64_t)1 << 60)

/* Offsets of the sparse map in an old GNU header, and in the blocks that may follow it. */
enum {
	OLD_GNU_MAP = 386,
	OLD_GNU_PIECES = 4,
	OLD_GNU_EXTENDED = 482,
	OLD_GNU_REAL_SIZE = 483,
	EXTENSION_PIECES = 21,
	EXTENSION_EXTENDED = 504,
	SPARSE_NUMBER_SIZE = 12,
};

void tar_reader_release(struct tar_reader *r)
{
	strbuf_release(&r->long_name);
	strbuf_release(&r->long_link);
	strbuf_release(&r->pax_text);
	pax_release(&r->pax);
	sparse_release(&r->map);
}

static int skip(struct tar_reader *r, uint64_t len, struct error *err)
{
	int result;

	if (len == 0)
		return 0;
	result = r->input->skip(r->input, len, err);
	if (result == 0)
		r->offset += len;
	return result;
}

/*
 * What fills the last block of an entry may be missing at the end of the input: umoci writes such
 * layers, and Go's reader, which docker and podman use, takes them. The digest tells a cut one.
 */
static int skip_padding(struct tar_reader *r, struct error *err)
{
	const uint8_t *data;
	ssize_t n;

	if (r->padding == 0)
		return 0;
	n = r->input->peek(r->input, &data, err);
	if (n < 0)
		return (int)n;
	return skip(r, (uint64_t)n < r->padding ? (uint64_t)n : r->padding, err);
}

static int cut_short(const struct tar_reader *r, struct error *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "the archive is cut short at byte %" PRIu64,
		       r->offset);
}

/* 1 with a block, 0 at the end of the input; part of a block is an error. */
static int peek_block(struct tar_reader *r, const uint8_t **ret_block, struct error *err)
{
	ssize_t n = r->input->peek(r->input, ret_block, err);

	if (n <= 0)
		return (int)n;
	return n < TAR_BLOCK ? cut_short(r, err) : 1;
}

/* The body of a special entry (long name, pax header) into `text`. */
static int read_body(struct tar_reader *r, uint64_t size, struct strbuf *text, struct error *err)
{
	uint64_t left = tar_padded(size);

	if (size > PAX_MAX_BYTES)
		return err_set(err, ERR_INVALID, EFBIG,
			       "an extended header of %" PRIu64 " bytes at byte %" PRIu64, size,
			       r->offset);
	strbuf_clear(text);
	strbuf_reserve(text, left);
	while (left > 0) {
		const uint8_t *data;
		ssize_t n = r->input->peek(r->input, &data, err);
		size_t take;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return cut_short(r, err);
		take = (uint64_t)n < left ? (size_t)n : (size_t)left;
		strbuf_add(text, data, take);
		if (skip(r, take, err) < 0)
			return err_result(err);
		left -= take;
	}
	text->len = (size_t)size;
	if (text->data)
		text->data[text->len] = '\0';
	return 0;
}

/*
 * The end is two blocks of zeros, or simply no more blocks: docker accepts both, and so do we where
 * a digest vouches for the whole.
 */
static int read_end(struct tar_reader *r, struct error *err)
{
	const uint8_t *block;
	int n;

	r->ended = true;
	if (skip(r, TAR_BLOCK, err) < 0)
		return err_result(err);
	n = peek_block(r, &block, err);
	if (n <= 0)
		return n;
	if (!tar_block_is_zero(block))
		return err_set(err, ERR_INVALID, EINVAL,
			       "damaged tar archive: data after a block of zeros at byte %" PRIu64,
			       r->offset);
	return skip(r, TAR_BLOCK, err);
}

/* 1 with the next header, 0 at the end. *ret_block holds a copy: sparse maps are in it. */
static int read_header(struct tar_reader *r, struct tar_header *ret_header,
		       uint8_t ret_block[TAR_BLOCK], struct error *err)
{
	const uint8_t *block;
	int result;

	result = peek_block(r, &block, err);
	if (result <= 0)
		return result;
	if (tar_block_is_zero(block))
		return read_end(r, err);
	result = tar_header_decode(block, ret_header);
	if (result == -EBADMSG && r->offset == 0)
		return err_set(err, ERR_INVALID, EINVAL, "not a tar archive");
	if (result < 0)
		return err_set(err, ERR_INVALID, EINVAL, "damaged tar header at byte %" PRIu64,
			       r->offset);
	memcpy(ret_block, block, TAR_BLOCK);
	result = skip(r, TAR_BLOCK, err);
	return result < 0 ? result : 1;
}

/* Headers that speak about the next one. 1 when it was such a header, 0 when it is an entry. */
static int read_special(struct tar_reader *r, const struct tar_header *h, struct error *err)
{
	int result;

	switch (h->flag) {
	case 'L':
		result = read_body(r, (uint64_t)h->size, &r->long_name, err);
		return result < 0 ? result : 1;
	case 'K':
		result = read_body(r, (uint64_t)h->size, &r->long_link, err);
		return result < 0 ? result : 1;
	case 'x':
		pax_release(&r->pax);
		result = read_body(r, (uint64_t)h->size, &r->pax_text, err);
		if (result == 0)
			result = pax_parse(r->pax_text.data, r->pax_text.len, &r->pax, err);
		return result < 0 ? result : 1;
	case 'g': /* global defaults: git writes its commit id there; docker ignores them */
		if (h->size > SIZE_LIMIT)
			return cut_short(r, err);
		result = skip(r, tar_padded((uint64_t)h->size), err);
		return result < 0 ? result : 1;
	default:
		return 0;
	}
}

static enum tar_type type_of(char flag, const char *name)
{
	size_t len = strlen(name);

	switch (flag) {
	case '\0': /* before POSIX, directories were files whose names end in '/' */
		return len > 0 && name[len - 1] == '/' ? TAR_DIR : TAR_FILE;
	case '0':
	case '7': /* "contiguous": an ordinary file on every system of today */
	case 'S':
		return TAR_FILE;
	case '1':
		return TAR_HARDLINK;
	case '2':
		return TAR_SYMLINK;
	case '3':
		return TAR_CHAR;
	case '4':
		return TAR_BLOCK_DEVICE;
	case '5':
		return TAR_DIR;
	case '6':
		return TAR_FIFO;
	default:
		return TAR_UNKNOWN;
	}
}

/* Docker's rule: what cannot be a time of a file in 64 bits of nanoseconds becomes 1970. */
static struct timespec bounded_time(struct timespec t)
{
	if (t.tv_sec < 0 || t.tv_sec > INT64_MAX / 1000000000 - 1)
		return (struct timespec){0};
	return t;
}

static bool is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* What the plain header, the long names and the pax records say together. */
static void merge(struct tar_reader *r, const struct tar_header *h, struct tar_entry *e)
{
	const struct pax *pax = &r->pax;

	memcpy(r->name, h->name, sizeof(r->name));
	memcpy(r->link, h->link, sizeof(r->link));
	e->name = r->long_name.len ? r->long_name.data : r->name;
	e->link = r->long_link.len ? r->long_link.data : r->link;
	e->name = pax->path ? pax->path : e->name;
	e->link = pax->link ? pax->link : e->link;
	e->flag = h->flag;
	e->mode = (uint32_t)h->mode & 07777;
	e->uid = pax->has_uid ? pax->uid : h->uid;
	e->gid = pax->has_gid ? pax->gid : h->gid;
	e->mtime = pax->has_mtime ? pax->mtime : (struct timespec){.tv_sec = h->mtime};
	e->mtime = bounded_time(e->mtime);
	e->atime = pax->has_atime ? bounded_time(pax->atime) : e->mtime;
	if (is_later(e->mtime, e->atime))
		e->atime = e->mtime;
	e->stored = (uint64_t)(pax->has_size ? pax->size : h->size);
	e->size = e->stored;
	e->dev_major = h->dev_major;
	e->dev_minor = h->dev_minor;
	e->xattrs = pax->xattrs;
	e->xattr_count = pax->xattr_count;
}

static int bad_map(const struct tar_entry *e, struct error *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "malformed sparse map of '%s'",
		       tar_path_show(e->name).text);
}

/* `count` pairs of numbers in a block; a pair that begins with a NUL ends the list. */
static int add_old_pieces(struct tar_reader *r, const uint8_t *field, size_t count)
{
	for (size_t i = 0; i < count && field[0]; i++, field += (size_t)2 * SPARSE_NUMBER_SIZE) {
		int64_t offset, len;

		if (tar_number(field, SPARSE_NUMBER_SIZE, &offset) < 0 ||
		    tar_number(field + SPARSE_NUMBER_SIZE, SPARSE_NUMBER_SIZE, &len) < 0 ||
		    offset < 0 || len < 0)
			return -EINVAL;
		if (sparse_add(&r->map, (uint64_t)offset, (uint64_t)len) < 0)
			return -E2BIG;
	}
	return 0;
}

/* Type 'S': the map begins in the header and goes on in blocks between it and the data. */
static int read_old_map(struct tar_reader *r, const uint8_t *header, struct tar_entry *e,
			struct error *err)
{
	bool extended = header[OLD_GNU_EXTENDED] != 0;
	int64_t size;

	if (tar_number(header + OLD_GNU_REAL_SIZE, SPARSE_NUMBER_SIZE, &size) < 0 || size < 0 ||
	    add_old_pieces(r, header + OLD_GNU_MAP, OLD_GNU_PIECES) < 0)
		return bad_map(e, err);
	while (extended) {
		const uint8_t *block;
		int n = peek_block(r, &block, err);

		if (n < 0)
			return n;
		if (n == 0)
			return cut_short(r, err);
		if (add_old_pieces(r, block, EXTENSION_PIECES) < 0)
			return bad_map(e, err);
		extended = block[EXTENSION_EXTENDED] != 0;
		if (skip(r, TAR_BLOCK, err) < 0)
			return err_result(err);
	}
	e->size = (uint64_t)size;
	return 0;
}

/* State of the decimal lines at the front of a version 1.0 sparse file's data. */
struct map_lines {
	uint64_t wanted; /* numbers still to come; the first line says how many */
	uint64_t value, offset;
	bool has_count, has_digit, has_offset;
};

static int add_line(struct tar_reader *r, struct map_lines *lines)
{
	if (!lines->has_digit)
		return -EINVAL;
	if (!lines->has_count) {
		if (lines->value > SPARSE_MAX_PIECES)
			return -E2BIG;
		lines->has_count = true;
		lines->wanted = 2 * lines->value;
	} else {
		lines->wanted--;
		if (lines->has_offset && sparse_add(&r->map, lines->offset, lines->value) < 0)
			return -E2BIG;
		lines->offset = lines->value;
		lines->has_offset = !lines->has_offset;
	}
	lines->value = 0;
	lines->has_digit = false;
	return 0;
}

static int add_lines(struct tar_reader *r, struct map_lines *lines, const uint8_t *block)
{
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		if (lines->has_count && lines->wanted == 0)
			return 0;
		if (block[i] == '\n') {
			if (add_line(r, lines) < 0)
				return -EINVAL;
			continue;
		}
		if (block[i] < '0' || block[i] > '9' || lines->value > (uint64_t)SIZE_LIMIT)
			return -EINVAL;
		lines->value = lines->value * 10 + (block[i] - '0');
		lines->has_digit = true;
	}
	return 0;
}

/* Version 1.0: the map is the first blocks of the data, and is counted in its size. */
static int read_data_map(struct tar_reader *r, struct tar_entry *e, struct error *err)
{
	struct map_lines lines = {0};

	do {
		const uint8_t *block;
		int n;

		if (e->stored < TAR_BLOCK)
			return bad_map(e, err);
		n = peek_block(r, &block, err);
		if (n < 0)
			return n;
		if (n == 0)
			return cut_short(r, err);
		if (add_lines(r, &lines, block) < 0)
			return bad_map(e, err);
		if (skip(r, TAR_BLOCK, err) < 0)
			return err_result(err);
		e->stored -= TAR_BLOCK;
	} while (!lines.has_count || lines.wanted > 0);
	return 0;
}

static bool text_is(const char *text, const char *wanted)
{
	return text && strcmp(text, wanted) == 0;
}

static void take_map(struct tar_reader *r, struct sparse_map *map)
{
	sparse_release(&r->map);
	r->map = *map;
	*map = (struct sparse_map){0};
}

/* The pax ways. 1 when the entry is sparse, 0 when it is not. */
static int read_pax_map(struct tar_reader *r, struct tar_entry *e, struct error *err)
{
	struct pax *pax = &r->pax;
	int result = 0;

	if (text_is(pax->sparse_major, "1") && text_is(pax->sparse_minor, "0"))
		result = read_data_map(r, e, err);
	else if (pax->sparse_major && !text_is(pax->sparse_major, "0"))
		return bad_map(e, err); /* a version from the future: its data would be garbage */
	else if (pax->sparse_map)
		result = sparse_parse_list(pax->sparse_map, &r->map) < 0 ? bad_map(e, err) : 0;
	else if (pax->sparse_pairs.count > 0 || pax->sparse_major)
		take_map(r, &pax->sparse_pairs);
	else
		return 0;
	if (result < 0)
		return result;
	if (pax->sparse_name)
		e->name = pax->sparse_name;
	if (pax->has_sparse_size)
		e->size = (uint64_t)pax->sparse_size;
	return 1;
}

static int read_map(struct tar_reader *r, const struct tar_header *h, const uint8_t *block,
		    struct tar_entry *e, struct error *err)
{
	int result;

	r->map.count = 0;
	if (e->type != TAR_FILE)
		return 0;
	if (h->flag == 'S') {
		result = h->format == TAR_FORMAT_GNU ? read_old_map(r, block, e, err)
						     : bad_map(e, err);
		if (result < 0)
			return result;
	} else {
		result = read_pax_map(r, e, err);
		if (result <= 0)
			return result;
	}
	if (e->size > (uint64_t)SIZE_LIMIT || !sparse_is_valid(&r->map, e->size, e->stored))
		return bad_map(e, err);
	e->sparse = true;
	e->pieces = r->map.pieces;
	e->piece_count = r->map.count;
	return 0;
}

static int start_entry(struct tar_reader *r, const struct tar_header *h, const uint8_t *block,
		       struct tar_entry *e, struct error *err)
{
	merge(r, h, e);
	e->type = type_of(h->flag, e->name);

	/* Links, directories and devices have no data, whatever the size field says. */
	if (e->type != TAR_FILE && e->type != TAR_UNKNOWN)
		e->stored = e->size = 0;
	if (e->stored > (uint64_t)SIZE_LIMIT)
		return err_set(err, ERR_INVALID, EFBIG, "absurd size of '%s'",
			       tar_path_show(e->name).text);
	if (read_map(r, h, block, e, err) < 0)
		return err_result(err);
	r->data_left = e->stored;
	r->padding = tar_padded(e->stored) - e->stored;
	e->data_offset = r->offset;
	return 1;
}

int tar_reader_next(struct tar_reader *r, struct tar_entry *ret_entry, struct error *err)
{
	struct tar_entry entry = {0};
	uint8_t block[TAR_BLOCK];
	struct tar_header h;
	int result;

	result = skip(r, r->data_left, err);
	if (result == 0)
		result = skip_padding(r, err);
	if (result < 0)
		return result;
	r->data_left = r->padding = 0;
	strbuf_clear(&r->long_name);
	strbuf_clear(&r->long_link);
	pax_release(&r->pax);
	do {
		result = r->ended ? 0 : read_header(r, &h, block, err);
		if (result <= 0)
			return result;
		result = read_special(r, &h, err);
	} while (result > 0);
	if (result < 0)
		return result;
	result = start_entry(r, &h, block, &entry, err);
	if (result > 0)
		*ret_entry = entry;
	return result;
}

ssize_t tar_reader_data(struct tar_reader *r, const uint8_t **ret_data, struct error *err)
{
	ssize_t n;

	if (r->data_left == 0)
		return 0;
	n = r->input->peek(r->input, ret_data, err);
	if (n < 0)
		return n;
	if (n == 0)
		return cut_short(r, err);
	return (uint64_t)n < r->data_left ? n : (ssize_t)r->data_left;
}

int tar_reader_consume(struct tar_reader *r, uint64_t len, struct error *err)
{
	int result = skip(r, len, err);

	if (result == 0)
		r->data_left -= len;
	return result;
}
