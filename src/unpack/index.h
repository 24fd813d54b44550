/* SPDX-License-Identifier: Apache-2.0 */
/* index.h - the job "index": which files does an archive hold, and where */
#ifndef SKIFF_UNPACK_INDEX_H
#define SKIFF_UNPACK_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "unpack/confine.h"
#include "unpack/options.h"
#include "unpack/pipeline.h"
#include "unpack/tar_reader.h"

/* The object of protocol.h, appended to `ret_text`. The pipeline ends if it is used. */
int index_run(const struct options *options, const struct confinement *c, struct pipeline *pipeline,
	      struct strbuf *ret_text, struct error *err);

/* Where the files go of an archive that can be read only once. */
struct index_spool {
	int fd;        /* small ones, one after the other */
	uint64_t size; /* of it, so far */
	int dir_fd;    /* gets a file for each large one */
	size_t parts;  /* made so far */
};

/*
 * The list of entries of one tar, as a JSON array. With a spool (else NULL), which is borrowed, the
 * data of files is stored there on the way.
 */
int index_list(struct tar_input *input, struct index_spool *spool, uint64_t max_entries,
	       struct strbuf *ret_text, struct error *err);

#endif
