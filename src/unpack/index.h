/* SPDX-License-Identifier: Apache-2.0 */
/* index.h - the job "index": which files does an archive hold, and where */
#ifndef SKIFF_UNPACK_INDEX_H
#define SKIFF_UNPACK_INDEX_H

#include "base/error.h"
#include "base/strbuf.h"
#include "unpack/options.h"
#include "unpack/pipeline.h"
#include "unpack/tar_reader.h"

/* The object of protocol.h, appended to `ret_text`. The pipeline ends if it is used. */
int index_run(const struct options *options, struct pipeline *pipeline, struct strbuf *ret_text,
	      struct error *err);

/* The list of entries of one tar, as a JSON array; index_run() without files, for tests. */
int index_list(struct tar_input *input, uint64_t max_entries, struct strbuf *ret_text,
	       struct error *err);

#endif
