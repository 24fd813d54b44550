/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_policy.h - whether the host's policy lets an image in (trust/policy.h)
 *
 * Asked before anything is unpacked; for registries once before anything is fetched, and once more
 * with the digest of the first document, before it is parsed.
 */
#ifndef SKIFF_ENGINE_IMAGE_POLICY_H
#define SKIFF_ENGINE_IMAGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct policy;
struct reference;
struct registry_helper;
struct source_images;

/* An archive or a directory on this machine. */
struct archive_origin {
	const char *path; /* as it was given; NULL: standard input */
	bool directory;
	const char *reference; /* which image in it was asked for; NULL: all */
};

/* ERR_DENIED when one of the images must not be taken in. */
int image_policy_check_archive(const struct archive_origin *origin,
			       const struct source_images *images, struct error *err);

/* The same for one place: `tag` is the image's name in it, NULL when it has none. */
int image_policy_check_path(const char *transport, const char *path, const char *tag,
			    struct error *err);

/*
 * For an image of a registry, before it is asked: ERR_DENIED, or 0 and the policy that was read,
 * which the caller frees with policy_free().
 */
int image_policy_begin(const struct reference *reference, struct policy **ret_policy,
		       struct error *err);

/*
 * With the digest of what was found there. Signatures, when they are needed, are fetched from the same
 * endpoint (cosign's tag, "sha256-….sig").
 */
int image_policy_check(const struct policy *policy, const struct reference *reference,
		       const char *digest, struct registry_helper *helper, int64_t endpoint,
		       struct error *err);

#endif
