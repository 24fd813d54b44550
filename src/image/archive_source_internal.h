/* SPDX-License-Identifier: Apache-2.0 */
/* archive_source_internal.h - between archive_source.c and its layouts */
#ifndef SKIFF_IMAGE_ARCHIVE_SOURCE_INTERNAL_H
#define SKIFF_IMAGE_ARCHIVE_SOURCE_INTERNAL_H

#include "image/archive_source.h"

struct descriptor;

/* Of all documents of an archive together: one small index may name the same thing many times. */
#define SOURCE_BUDGET_BYTES ((size_t)64 << 20)

struct source_budget {
	size_t used_bytes;
};

int source_budget_take(struct source_budget *budget, size_t len, struct error *err);

/* Takes *image (which is empty afterwards) into the list. */
void source_images_add(struct source_images *images, struct source_image *image);

/* Appends `name`, normalized. ERR_INVALID when it is no reference. */
int source_image_add_name(struct source_image *image, const char *name, struct error *err);

/* Whether `name`, as the archive has it, is what the user calls `reference`. */
bool source_name_matches(const char *name, const char *reference);

int docker_images_read(const struct archive *archive, const struct source_request *request,
		       struct source_images *images, struct error *err);
int oci_images_read(const struct archive *archive, const struct source_request *request,
		    struct source_images *images, struct error *err);
int dir_images_read(const struct archive *archive, const struct source_request *request,
		    struct source_images *images, struct error *err);

#endif
