/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h - the job "pack": a tree of files becomes a tar stream
 *
 * Theory. The tree belongs to a container that may be running and hostile. The process has lost
 * everything else (confine.h), so no link and no race leads further than the container itself can
 * see; beyond that, every file is reached from the descriptor of its directory without following a
 * link, and what a header says is what fstat(2) says of the open file. A file that goes away or
 * becomes something else meanwhile is left out, one that shrinks is filled up.
 *
 * Order is by name, byte for byte, directory by directory: the same tree makes the same archive. As in
 * docker's archives times are whole seconds, sockets are left out, directories' names end in '/', and a
 * further name of the same file is a hard link.
 *
 * Kernel filesystems (proc, sysfs, cgroup, …) and the /dev of a running container are not its files:
 * they are left empty, unless the path that was asked for lies in one.
 */
#ifndef SKIFF_UNPACK_PACK_H
#define SKIFF_UNPACK_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "unpack/confine.h"

struct pack_request {
	const char *path; /* resolved in the root; a link at its end is not followed */
	const char *as;   /* the name of its entry; NULL: only what is in the directory */
	bool whiteouts;   /* it is an overlay's upper directory: a layer is made of it */
	bool sparse;      /* holes are kept */
	int stream_fd;
};

struct pack_result {
	uint64_t entries;
	uint64_t bytes; /* of the archive */
};

int pack_run(const struct pack_request *request, const struct confinement *c,
	     struct pack_result *ret_result, struct error *err);

#endif
