/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - the jobs of cp: what is at a path, and a tar stream into a directory that is in use
 */
#ifndef SKIFF_UNPACK_COPY_H
#define SKIFF_UNPACK_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "unpack/confine.h"
#include "unpack/options.h"
#include "unpack/pipeline.h"

struct found_path {
	bool exists;
	char *path; /* where it is, owned: what was asked for, or where its last link leads */
	struct stat st;
};

/*
 * Looks at a path in the root. With `follow`, a link at its end is followed, also when it leads to
 * nothing: then that is where a file would have to be made.
 */
int copy_find(const struct confinement *c, const char *path, bool follow,
	      struct found_path *ret_found, struct error *err);
void found_path_release(struct found_path *found);

/* Ends the pipeline when it succeeds; *ret_bytes are those of the tar stream. */
int copy_extract(const struct options *options, const struct confinement *c,
		 struct pipeline *pipeline, uint64_t *ret_entries, uint64_t *ret_bytes,
		 struct error *err);

DEFINE_CLEANUP_VALUE(struct found_path, found_path_release);

#endif
