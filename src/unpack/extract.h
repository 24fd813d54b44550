/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extract.h - entries of a layer become files
 *
 * What results is, file by file, what docker's own unpacking for overlay2 gives; where it depends
 * on the order of entries, on duplicates, or on what is already there, docker's rules hold:
 *
 *	- a later entry replaces an earlier one of the same name, except that a directory over a
 *	  directory only changes its attributes;
 *	- an entry for the root itself is ignored;
 *	- owner, then extended attributes, then mode, then times; directories' times at the very end;
 *	- attributes that a hard link's header gives are set on the file;
 *	- access time is the later of the recorded one and the modification time.
 *
 * Stricter than docker, on purpose:
 *
 *	- a name or hard link target that climbs out with ".." is refused, not bent back inside;
 *	- a hard link's target must be in this layer, reached through no symbolic link;
 *	- trusted.* and user.overlay.* attributes are left out: the overlay would believe them; other
 *	  security.* attributes than capabilities are left out: they are the host's to decide;
 *	- owners that are not 32 bits, and 4294967295, which means "unchanged" to the kernel.
 *
 * And more lenient: a whiteout of something that is in the same layer hides what is below of it
 * (the image specification says so), instead of failing.
 */
#ifndef SKIFF_UNPACK_EXTRACT_H
#define SKIFF_UNPACK_EXTRACT_H

#include <stdint.h>

#include "base/error.h"
#include "unpack/confine.h"
#include "unpack/dir_times.h"
#include "unpack/parents.h"
#include "unpack/tar_reader.h"

struct extract_limits {
	uint64_t max_bytes, max_entries;
};

enum extract_owner {
	EXTRACT_OWNER_RECORDED,
	EXTRACT_OWNER_OURS,  /* files belong to whoever makes them */
	EXTRACT_OWNER_GIVEN, /* to uid and gid */
};

/*
 * How docker's cp differs from a layer: names that begin with ".wh." are names like others; a
 * directory is not replaced by something else, nor the other way round; attributes that the
 * filesystem does not know are left out.
 */
struct extract_target {
	struct parents_base base;
	bool copy; /* as cp does */
	enum extract_owner owner;
	uid_t uid;
	gid_t gid;
};

struct extractor {
	const struct confinement *confinement;
	struct extract_limits limits;
	struct extract_target target;
	struct parents parents;
	struct dir_times dir_times;
	uint64_t entries, bytes;
};

/* A layer: the root must be an empty directory; it becomes 0755, root's, without an ACL. */
int extract_init(struct extractor *x, const struct confinement *c,
		 const struct extract_limits *limits, struct error *err);

/* Into what is there already. */
void extract_init_copy(struct extractor *x, const struct confinement *c,
		       const struct extract_limits *limits, const struct extract_target *target);
void extract_release(struct extractor *x);

/* The reader stands at the entry; its data is taken from there. */
int extract_entry(struct extractor *x, struct tar_reader *reader, const struct tar_entry *entry,
		  struct error *err);

/* After the last entry. */
int extract_finish(struct extractor *x, struct error *err);

DEFINE_CLEANUP_VALUE(struct extractor, extract_release);

#endif
