/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_place.h - "transport:name", as podman and skopeo write where an image is
 *
 * What has no transport is an image in the store.
 */
#ifndef SKIFF_ENGINE_COPY_PLACE_H
#define SKIFF_ENGINE_COPY_PLACE_H

enum place_kind {
	PLACE_STORE,
	PLACE_REGISTRY,
	PLACE_LAYOUT,
	PLACE_DIRECTORY,
	PLACE_DOCKER_ARCHIVE,
	PLACE_OCI_ARCHIVE,
};

#define PLACE_KIND_COUNT 6

struct place {
	enum place_kind kind;
	const char *name; /* what follows the transport; borrowed */
};

struct place place_parse(const char *text);

/* "oci-archive"; NULL for the store. A constant. */
const char *place_transport(enum place_kind kind);

/*
 * "path[:reference]" at its first colon; but a path with a colon in it is taken whole when it exists.
 * *ret_reference is NULL when there is none. The caller frees both.
 */
void place_split(const char *name, char **ret_path, char **ret_reference);

#endif
