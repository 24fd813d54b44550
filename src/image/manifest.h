/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h - the JSON documents that lead to an image
 *
 * - an index (OCI image index, docker manifest list) names manifests, or further indexes
 * - a manifest (OCI image manifest, docker schema 2) names a configuration and layers
 * - manifest.json of a `docker save` archive names files in the archive
 *
 * Media type and shape must agree: a document that has the members of two kinds, or says it is one
 * and looks like another, is refused (CVE-2021-41190). All digests are SHA-256, all sizes are
 * positive, all counts bounded.
 */
#ifndef SKIFF_IMAGE_MANIFEST_H
#define SKIFF_IMAGE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/platform.h"

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"

#define MANIFEST_MAX_BYTES ((size_t)4 << 20)
#define MANIFEST_MAX_LAYERS 512
#define INDEX_MAX_ENTRIES 4096

struct descriptor {
	char *media_type; /* may be NULL */
	char *digest;     /* "sha256:…" */
	uint64_t size_bytes;
	struct platform platform; /* empty when absent */
	char *name;               /* annotation io.containerd.image.name, else NULL */
	char *ref_name;           /* annotation org.opencontainers.image.ref.name, else NULL */
	struct strv urls;         /* where else it may be fetched; few */
	bool attestation;         /* not an image: docker's buildx puts these into indexes */
};

void descriptor_release(struct descriptor *descriptor);

enum manifest_kind {
	MANIFEST_INDEX, /* `items` are manifests and indexes */
	MANIFEST_IMAGE, /* `config` is set, `items` are the layers, bottom first */
};

struct manifest {
	enum manifest_kind kind;
	char *media_type; /* what it says of itself; may be NULL */
	struct descriptor config;
	struct descriptor *items;
	size_t count;
};

/* `expected_media_type` is what the descriptor that led here said; NULL when nothing did. */
int manifest_parse(const char *text, size_t len, const char *expected_media_type,
		   struct manifest *ret_manifest, struct error *err);
void manifest_release(struct manifest *manifest);

/*
 * The item of an index that suits `wanted` best: its position, or -ENOENT, and then *ret_offered is
 * what there is instead ("linux/arm64, linux/s390x", may be empty), owned by the caller. Attestations and
 * items without a platform are no candidates, but an only item without one is.
 */
int manifest_choose(const struct manifest *index, const struct platform *wanted,
		    char **ret_offered);

/* One element of a `docker save` archive's manifest.json. */
struct docker_save_image {
	char *config;       /* name in the archive */
	struct strv names;  /* RepoTags, as they are */
	struct strv layers; /* names in the archive, bottom first */
};

struct docker_save {
	struct docker_save_image *items;
	size_t count;
};

/* Names in it are relative and clean, else ERR_INVALID. */
int docker_save_parse(const char *text, size_t len, struct docker_save *ret_save,
		      struct error *err);
void docker_save_release(struct docker_save *save);

DEFINE_CLEANUP_VALUE(struct descriptor, descriptor_release);
DEFINE_CLEANUP_VALUE(struct manifest, manifest_release);
DEFINE_CLEANUP_VALUE(struct docker_save, docker_save_release);

#endif
