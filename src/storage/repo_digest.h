/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repo_digest.h - under which digests registries have our images
 *
 * "docker.io/library/alpine@sha256:…" names what a pull was given, or a push has made: a manifest, or an
 * index that led to one. It is not a tag: it never moves, but it goes with the last tag of its
 * repository. The manifest is kept beside it, since one image may have several (compressed in another
 * way, in the format of another registry): what is pushed again is what was pulled.
 */
#ifndef SKIFF_STORAGE_REPO_DIGEST_H
#define SKIFF_STORAGE_REPO_DIGEST_H

#include "base/error.h"
#include "base/strv.h"
#include "storage/image_record.h"
#include "storage/store.h"

/* `name` as above; `manifest` is the digest of a blob of this image. */
int repo_digest_add(struct store *store, const char *image_id, const char *name,
		    const char *manifest, struct error *err);

/* All of an image, by name. */
int repo_digest_list(struct store *store, const char *image_id, struct strv *ret_names,
		     struct error *err);

/* ERR_NOT_FOUND. */
int repo_digest_find(struct store *store, const char *name, struct image_record *ret_record,
		     struct error *err);

/* The manifest under which `repository` ("docker.io/library/alpine") has the image; NULL: none. */
int repo_digest_manifest(struct store *store, const char *image_id, const char *repository,
			 char **ret_manifest, struct error *err);

/* Repositories of a registry ("docker.io") that were seen to have this blob; paths only. */
int repo_digest_blob_homes(struct store *store, const char *domain, const char *blob,
			   struct strv *ret_paths, struct error *err);

/* All repositories ("docker.io/library/alpine") of which an image that has this blob came or went. */
int repo_digest_blob_repositories(struct store *store, const char *blob, struct strv *ret_names,
				  struct error *err);

#endif
