/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_documents.h - the documents of an archive of images
 *
 * An archive holds an OCI image layout (OCI image specification, "Image Layout") and beside it what
 * `docker load` reads, so that everybody finds what he knows:
 *
 *	oci-layout        the version of the layout
 *	index.json        one entry per name, with containerd's annotation and the standard one
 *	manifest.json     one element per image: its names, its configuration, its layers
 *	blobs/sha256/HEX  configurations, manifests and layers, as they are in the store
 *
 * The same images in the same order make the same bytes.
 */
#ifndef SKIFF_IMAGE_SAVE_DOCUMENTS_H
#define SKIFF_IMAGE_SAVE_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

#define OCI_LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct platform;

/* Everything is borrowed. */
struct saved_image {
	const char *id;              /* digest of the configuration */
	const char *manifest_digest; /* NULL: it has none, and no entry in an index */
	const char *manifest_media_type;
	uint64_t manifest_bytes;
	const struct platform *platform;
	const struct strv *layers; /* digests of the blobs, bottom first */
	const struct strv *names;  /* normalized references */
};

/* Caller frees; never NULL. */
char *save_index_text(const struct saved_image *images, size_t count);
char *save_manifest_text(const struct saved_image *images, size_t count);

/* "sha256:HEX" -> "blobs/sha256/HEX"; caller frees. */
char *save_blob_name(const char *digest);

#endif
