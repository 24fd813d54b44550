/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the helper's arguments, as protocol.h describes them */
#ifndef SKIFF_UNPACK_OPTIONS_H
#define SKIFF_UNPACK_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum job {
	JOB_INDEX,
	JOB_LAYER,
	JOB_PACK,
	JOB_FIND,
	JOB_EXTRACT,
	JOB_CHANGES,
};

struct options {
	enum job job;
	bool spool, blob, progress;
	bool follow; /* the region is still being written */
	bool region; /* offset and size are given */
	uint64_t offset, size;
	uint64_t max_bytes, max_entries;
	const char *digest, *diff_id; /* NULL: not given */
	const char *path, *as;        /* NULL: not given */
	const char *owner;
	bool whiteouts, sparse, follow_link, no_owner;
};

/* Pointers in *ret_options lead into argv. */
int options_parse(int argc, char **argv, struct options *ret_options, struct error *err);

#endif
