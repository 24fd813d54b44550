/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_entry.h - one entry of a tar archive: what the reader finds and the writer takes
 *
 * Reading foreign archives is the business of skiff-unpack alone (unpack/tar_reader.h); writing them
 * is not dangerous and anybody's (image/tar_writer.h).
 */
#ifndef SKIFF_IMAGE_TAR_ENTRY_H
#define SKIFF_IMAGE_TAR_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TAR_BLOCK 512

enum tar_type {
	TAR_FILE,
	TAR_DIR,
	TAR_SYMLINK,
	TAR_HARDLINK,
	TAR_CHAR,
	TAR_BLOCK_DEVICE,
	TAR_FIFO,
	TAR_UNKNOWN, /* a type that docker refuses; never written */
};

struct pax_xattr {
	const char *name;
	const char *value; /* any bytes */
	size_t len;
};

/* The parts of a sparse file that hold data: ascending, apart from each other. */
struct sparse_piece {
	uint64_t offset, len;
};

/* Everything is borrowed. */
struct tar_entry {
	enum tar_type type;
	const char *name; /* as written: not to be trusted when it was read */
	const char *link; /* target of links, "" or NULL otherwise */
	uint32_t mode;    /* permission bits, setuid, setgid, sticky */
	int64_t uid, gid;
	struct timespec mtime;
	uint64_t size; /* of the file; of no meaning for other types */
	int64_t dev_major, dev_minor;
	const struct pax_xattr *xattrs;
	size_t xattr_count;
	bool sparse;
	const struct sparse_piece *pieces; /* where the stored bytes belong, when sparse */
	size_t piece_count;

	/* Set by the reader only. */
	char flag;             /* as it is in the header, for messages */
	struct timespec atime; /* never before mtime */
	uint64_t stored;       /* of its data in the archive: less than size when it is sparse */
	uint64_t data_offset;  /* in the tar stream */
};

/* Rounds up to whole blocks; `size` must be below 2^62. */
static inline uint64_t tar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) & ~(uint64_t)(TAR_BLOCK - 1);
}

#endif
