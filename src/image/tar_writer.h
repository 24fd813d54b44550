/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_writer.h - writes a tar archive to a descriptor
 *
 * The format is that of Go's archive/tar, which docker writes: a plain ustar header wherever it can
 * say everything, and before it a pax header (POSIX.1-2001) with what it cannot: long names, times
 * that are no whole seconds, owners above 2097151, files of 8 GiB, extended attributes
 * (SCHILY.xattr.*), and maps of sparse files (GNU.sparse 1.0, which GNU tar, libarchive and Go read).
 * The same entries make the same bytes: no process id, no clock, nothing of the machine is in them.
 *
 *	auto_(tar_writer_release) struct tar_writer w;
 *
 *	tar_writer_init(&w, fd);
 *	for each file:
 *		tar_writer_entry(&w, &entry, err)
 *		exactly its bytes, by tar_writer_data() or tar_writer_copy()
 *	tar_writer_finish(&w, err)
 *
 * The bytes of a file are `size` many, or, when it is sparse, those of its pieces one after the other.
 * Nothing is checked for what it means: names are written as they are given.
 */
#ifndef SKIFF_IMAGE_TAR_WRITER_H
#define SKIFF_IMAGE_TAR_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "image/tar_entry.h"

struct tar_writer {
	int fd;             /* borrowed */
	uint64_t data_left; /* of the current file */
	uint64_t padding;   /* after it */
	uint64_t written;   /* bytes so far, what is buffered included */
	struct strbuf out;  /* not yet written */
	struct strbuf pax;  /* records of one header */
};

void tar_writer_init(struct tar_writer *w, int fd);
void tar_writer_release(struct tar_writer *w);

/* The header. What the file before it lacked is an error of ours. */
int tar_writer_entry(struct tar_writer *w, const struct tar_entry *entry, struct error *err);

int tar_writer_data(struct tar_writer *w, const void *data, size_t len, struct error *err);

/*
 * The next `len` bytes of the file `fd`, from its current position, without bringing them into memory
 * where the kernel can do that. A file that ends before is filled up with zeros: somebody cut it while
 * we read, and the header has its old size.
 */
int tar_writer_copy(struct tar_writer *w, int fd, uint64_t len, struct error *err);

/* The end of the archive; everything is written then. */
int tar_writer_finish(struct tar_writer *w, struct error *err);

DEFINE_CLEANUP_VALUE(struct tar_writer, tar_writer_release);

#endif
