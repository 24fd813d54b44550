/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_pax.h - the records of a pax extended header, and maps of sparse files
 *
 * Pure functions on memory. A record is "LENGTH KEY=VALUE\n". An empty value takes nothing away
 * from the plain header. Unknown keys are ignored. Of extended attributes those written as
 * SCHILY.xattr.NAME count, as in docker.
 */
#ifndef SKIFF_UNPACK_TAR_PAX_H
#define SKIFF_UNPACK_TAR_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/tar_entry.h"

#define PAX_MAX_BYTES ((size_t)1 << 20) /* longest header body; longer ones are refused */
#define PAX_MAX_XATTRS 256
#define SPARSE_MAX_PIECES 262144

struct sparse_map {
	struct sparse_piece *pieces;
	size_t count, capacity;
};

/* All pointers lead into the text that was parsed. */
struct pax {
	const char *path, *link; /* NULL: not given */
	bool has_uid, has_gid, has_size, has_mtime, has_atime;
	int64_t uid, gid, size;
	struct timespec mtime, atime;
	struct pax_xattr *xattrs;
	size_t xattr_count;

	/* GNU.sparse.*: versions 0.0 (offset and numbytes), 0.1 (map), 1.0 (major, minor) */
	const char *sparse_major, *sparse_minor, *sparse_name, *sparse_map;
	bool has_sparse_size;
	int64_t sparse_size;
	struct sparse_map sparse_pairs;
	uint64_t sparse_offset; /* seen, its numbytes still missing */
	bool sparse_half;
};

/*
 * Parses a body of `len` bytes. The text is changed: separators become NULs, and pointers in
 * *ret_pax lead into it. *ret_pax must be released or empty.
 */
int pax_parse(char *text, size_t len, struct pax *ret_pax, struct error *err);
void pax_release(struct pax *pax);

/* "1350244992.023960108": 0 or -EINVAL. Digits below the nanosecond are dropped. */
int pax_time(const char *text, struct timespec *ret_time);

/* Appends a piece; -E2BIG above SPARSE_MAX_PIECES. Empty pieces are dropped. */
int sparse_add(struct sparse_map *map, uint64_t offset, uint64_t len);

/* "offset,len,offset,len": version 0.1. */
int sparse_parse_list(const char *text, struct sparse_map *map);

/* Ascending, apart, within `size`, and `stored` bytes in all? */
bool sparse_is_valid(const struct sparse_map *map, uint64_t size, uint64_t stored);
void sparse_release(struct sparse_map *map);

DEFINE_CLEANUP_VALUE(struct pax, pax_release);
DEFINE_CLEANUP_VALUE(struct sparse_map, sparse_release);

#endif
