/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes.h - the job "changes": what a container wrote, as docker's diff lists it
 *
 * The tree holds "/upper" and "/lower" (runtime/tree.h). Every change is written to the stream as one
 * letter, the path and a NUL: 'A' what is new, 'D' what is gone, 'C' what is in both and differs.
 *
 * What counts is how the files differ, not what the overlay had to copy: these are the rules of docker
 * where it compares whole trees (archive.ChangesDirs()); only what the container wrote is looked at.
 *
 *	- a file is changed when its mode, owner, size, time, device or capabilities differ;
 *	- a directory when its mode or owner does, or when anything below it is a change: then it
 *	  stands before that;
 *	- of what is gone only the topmost directory is listed, after what is there beside it;
 *	- of a directory that something else has taken the place of, nothing below is listed.
 */
#ifndef SKIFF_UNPACK_CHANGES_H
#define SKIFF_UNPACK_CHANGES_H

#include <stdint.h>

#include "base/error.h"
#include "unpack/confine.h"

int changes_run(const struct confinement *c, int stream_fd, uint64_t *ret_count, struct error *err);

#endif
