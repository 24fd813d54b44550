/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the durable state below --root: directories and the database
 *
 * Opening is cheap: directories are checked and the database is opened with its schema current. It
 * is never closed with a checkpoint (that would cost a disk flush per command); WAL,
 * synchronous=NORMAL. Functions that write open a transaction of their own; none is held while
 * waiting for anything else.
 */
#ifndef SKIFF_STORAGE_STORE_H
#define SKIFF_STORAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct store;

/*
 * Opens the store, creating it (directories of mode 0700, schema) when it is not there. An existing
 * root that is writable by others or not ours is refused.
 */
int store_open(const char *root, struct store **ret_store, struct error *err);
void store_close(struct store *store);

/* Borrowed; O_PATH descriptors are not: these can be used with the *at calls and fsync. */
int store_root_fd(const struct store *store);
const char *store_root_path(const struct store *store);

/*
 * A new directory below ROOT/staging with a random name; *ret_fd holds an flock on it, by which the
 * sweep knows that it is in use. *ret_name is relative to ROOT; caller frees and removes.
 */
int store_staging_new(struct store *store, char **ret_name, int *ret_fd, struct error *err);

/*
 * A new directory (mode 0700) at `name`, relative to ROOT, and an flock on it in *ret_fd: what the
 * sweep finds locked it leaves alone. A container's directory ("containers/ID") is made with this
 * and kept locked until its record exists.
 */
int store_locked_dir_new(struct store *store, const char *name, int *ret_fd, struct error *err);

/*
 * Removes what earlier crashes left: unlocked directories in staging/, container directories
 * without a record and without a lock, layers and blobs nobody refers to. Returns bytes freed in
 * *ret_bytes.
 */
int store_sweep(struct store *store, uint64_t *ret_bytes, struct error *err);

DEFINE_CLEANUP(struct store *, store_close);

#endif
