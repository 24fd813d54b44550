/* SPDX-License-Identifier: Apache-2.0 */
/* volume.h - named and anonymous volumes: volumes/NAME/_data and their records */
#ifndef SKIFF_STORAGE_VOLUME_H
#define SKIFF_STORAGE_VOLUME_H

#include <stdbool.h>

#include "base/error.h"
#include "storage/store.h"

/*
 * Makes sure the volume exists; *ret_created tells whether it is new. `name` NULL: an anonymous
 * one with a random 64-digit name. *ret_name is owned by the caller. Names are
 * [a-zA-Z0-9][a-zA-Z0-9_.-]+.
 */
int volume_ensure(struct store *store, const char *name, char **ret_name, bool *ret_created,
		  struct error *err);

/* "volumes/NAME/_data", relative to ROOT; caller frees. */
char *volume_data_path(const char *name);

/* ERR_CONFLICT when a container refers to it, ERR_NOT_FOUND when there is none. */
int volume_remove(struct store *store, const char *name, struct error *err);

#endif
