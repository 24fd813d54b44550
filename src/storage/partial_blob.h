/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partial_blob.h - blobs on their way into the store: oci/partial/HEX
 *
 * The file begins with the blob's first bytes and may lack the rest. One process at a time works on
 * it, the holder of its lock; whoever wants the same blob waits for the lock and then finds it either
 * stored, or as far as the other one came. So nothing is fetched twice, by whomever, and a download that
 * was killed goes on where it ended. Nothing in such a file is believed: its digest is checked
 * when it is whole.
 *
 *	partial_blob_open()       the lock may be somebody else's: partial_blob_lock() says
 *	blob_is_stored() …        look again, now that it is ours
 *	(bytes are appended and checked)
 *	partial_blob_place()      it becomes a blob; or partial_blob_discard(); or it stays for the next
 *	partial_blob_close()      gives the lock back
 *
 * Files that nobody has touched for PARTIAL_BLOB_KEEP_S are removed by the sweep, all that nobody
 * works on by partial_blobs_remove().
 */
#ifndef SKIFF_STORAGE_PARTIAL_BLOB_H
#define SKIFF_STORAGE_PARTIAL_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "storage/store.h"

#define PARTIAL_BLOB_KEEP_S ((int64_t)24 * 60 * 60)

struct partial_blob {
	char *path; /* relative to the store; NULL: not open */
	int fd;     /* for reading, and the holder of the lock */
};

#define PARTIAL_BLOB_EMPTY ((struct partial_blob){.fd = NO_FD})

int partial_blob_open(struct store *store, const char *digest, struct partial_blob *ret_blob,
		      struct error *err);
void partial_blob_close(struct partial_blob *blob);

/*
 * 1: it is ours. 0: somebody else has it; a child that waits in flock(2) for the same open file gets
 * the lock for both. -ESTALE: what we have open is not the file any more; open it again.
 */
int partial_blob_lock(struct store *store, struct partial_blob *blob, struct error *err);

/* With the lock. For appending only (O_WRONLY | O_APPEND). */
int partial_blob_open_append(struct store *store, const struct partial_blob *blob,
			     struct error *err);
int partial_blob_size(const struct partial_blob *blob, uint64_t *ret_bytes, struct error *err);

/* Whole, verified and flushed, it becomes the blob. */
int partial_blob_place(struct store *store, struct partial_blob *blob, const char *digest,
		       struct error *err);
int partial_blob_discard(struct store *store, struct partial_blob *blob, struct error *err);

/* Removes those that nobody works on and that were last written before `before_s` (since 1970) or,
 * as clocks are turned back, long after now; INT64_MAX: all. */
void partial_blobs_remove(struct store *store, int64_t before_s, uint64_t *bytes);

DEFINE_CLEANUP_VALUE(struct partial_blob, partial_blob_close);

#endif
