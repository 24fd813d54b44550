/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive_source.h - which images an archive holds, whatever its layout
 *
 *	docker   manifest.json is a list of files (`docker save`; podman, skopeo, buildah too)
 *	oci      index.json and blobs/ (OCI image layout; newer `docker save` archives have both,
 *and the index is the one that says more) dir      manifest.json is a manifest, blobs lie beside it
 *(skopeo's dir:)
 *
 * All small documents (indexes, manifests, configurations) are read, verified against their digests
 * and checked here; layers are only located, and their digests, sizes and diff ids collected.
 */
#ifndef SKIFF_IMAGE_ARCHIVE_SOURCE_H
#define SKIFF_IMAGE_ARCHIVE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/archive.h"
#include "image/image_config.h"
#include "image/platform.h"

enum archive_layout {
	LAYOUT_DOCKER,
	LAYOUT_OCI,
	LAYOUT_DIR,
};

#define ARCHIVE_LAYOUT_COUNT 3

struct source_layer {
	char *file;   /* name in the archive */
	char *digest; /* of the file; NULL when the layout does not say */
	uint64_t size_bytes;
};

struct source_image {
	char *id; /* digest of the configuration */
	char *config_text;
	size_t config_len;
	struct image_config config;
	char *manifest_text; /* NULL: the layout has none */
	size_t manifest_len;
	char *manifest_digest;
	struct source_layer *layers; /* as many as config.diff_ids, bottom first */
	size_t layer_count;
	struct strv names; /* normalized */
};

struct source_images {
	enum archive_layout layout;
	struct source_image *items;
	size_t count;
};

struct source_request {
	const struct platform *platform;
	bool any_platform; /* nobody asked for it: what is there for one platform only is taken too */
	bool layout_set;   /* else it is found out */
	enum archive_layout layout;
	const char *reference; /* only this image; NULL: all */
	bool single;           /* more than one is an error that lists them */
};

int source_images_read(const struct archive *archive, const struct source_request *request,
		       struct source_images *ret_images, struct error *err);
void source_images_release(struct source_images *images);

/*
 * For an image that comes from elsewhere, piece by piece: parses config_text, sets id, and checks the
 * platform (NULL: any will do) and the number of layers. `what` names it in messages.
 */
int source_image_check(struct source_image *image, const char *what,
		       const struct platform *platform, struct error *err);
void source_image_release(struct source_image *image);

DEFINE_CLEANUP_VALUE(struct source_image, source_image_release);
DEFINE_CLEANUP_VALUE(struct source_images, source_images_release);

#endif
