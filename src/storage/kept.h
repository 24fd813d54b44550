/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.h - layers that have come and whose image has not
 *
 * A pull that was ended after some of its layers were complete has not come for nothing: they stay for
 * KEPT_S, recorded like those of images, and the next pull finds them. When an image has them they
 * are that image's; when none has come, a sweep removes them.
 */
#ifndef SKIFF_STORAGE_KEPT_H
#define SKIFF_STORAGE_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "storage/image_record.h"
#include "storage/store.h"

#define KEPT_S ((int64_t)24 * 60 * 60)

/* Layer and blob have been placed (layer_place(), blob_place()), under image_store_begin()'s lock. */
int kept_add(struct store *store, const struct image_layer *layer, const struct image_blob *blob,
	     struct error *err);

/* Forgets those whose time has passed, or with `all` every one; their files go with store_sweep(). */
int kept_forget(struct store *store, bool all, struct error *err);

#endif
