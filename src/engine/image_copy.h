/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_copy.h - use case: an image from one place to another, byte for byte
 *
 *	docker://NAME[:TAG|@DIGEST]    a registry
 *	oci:DIRECTORY[:NAME]           an OCI image layout
 *	dir:DIRECTORY                  skopeo's directory
 *	oci-archive:FILE[:NAME]        the same as a tar
 *	docker-archive:FILE[:NAME[:TAG]]    what `docker load` reads
 *	NAME                           the store
 *
 * Manifests and blobs are never changed, so all digests stay what they are. Each document and each
 * blob is verified before it is passed on, and the host's policy is asked about the source. Artifacts
 * are copied as images are: what their layers are is not looked at.
 */
#ifndef SKIFF_ENGINE_IMAGE_COPY_H
#define SKIFF_ENGINE_IMAGE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/registry.h"

struct image_copy_request {
	const char *source, *target;
	const char *platform; /* which image of an index; NULL: this machine's */
	bool all;             /* the index, all that it names, and what refers to it */
	struct registry_options source_registry, target_registry;
	const struct image_progress *progress; /* of each blob; NULL: none */
};

struct image_copy_result {
	char *digest; /* of the document that the target's name leads to; NULL: the store's affair */
};

int image_copy(struct engine *engine, const struct image_copy_request *request,
	       struct image_copy_result *ret_result, struct error *err);
void image_copy_result_release(struct image_copy_result *result);

/* Whether this is a place on this machine other than the store: "oci:…", "dir:…" or an archive. */
bool image_copy_is_file_place(const char *text);

DEFINE_CLEANUP_VALUE(struct image_copy_result, image_copy_result_release);

#endif
