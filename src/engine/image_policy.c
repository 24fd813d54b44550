/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "image/archive_source.h"
#include "trust/policy.h"
#include "trust/trust_paths.h"

static const char *transport_of(enum archive_layout layout, bool directory)
{
	switch (layout) {
	case LAYOUT_DOCKER:
		return "docker-archive";
	case LAYOUT_OCI:
		return directory ? "oci" : "oci-archive";
	case LAYOUT_DIR:
		return "dir";
	}
	return "";
}

/* Archives bring no signatures: where some are needed, they are missing. */
static int check_one(const struct policy *policy, const struct policy_image *image,
		     struct error *err)
{
	return policy_verify(policy, image, "", NULL, 0, err);
}

/* An image that was not asked for by name is asked about under each name that it has. */
static int check_names(const struct policy *policy, struct policy_image *image,
		       const struct source_image *source, struct error *err)
{
	int r = 0;

	if (source->names.count == 0)
		return check_one(policy, image, err);
	for (size_t i = 0; r >= 0 && i < source->names.count; i++) {
		const char *name = source->names.items[i];
		const char *colon = strrchr(name, ':');

		image->tag = name;
		r = check_one(policy, image, err);
		if (r >= 0 && colon) {
			image->tag = colon + 1;
			r = check_one(policy, image, err);
		}
	}
	return r;
}

int image_policy_check_archive(const struct archive_origin *origin,
			       const struct source_images *images, struct error *err)
{
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(policy_free) struct policy *policy = NULL;
	auto_free char *path = origin->path ? realpath(origin->path, NULL) : NULL;
	struct policy_image image = {
		.transport = transport_of(images->layout, origin->directory),
		.path = path,
		.tag = origin->reference,
	};
	int r;

	trust_paths_init(&paths);
	r = policy_load(&paths, &policy, err);
	if (r < 0)
		return r;
	if (origin->reference || images->layout != LAYOUT_OCI)
		return check_one(policy, &image, err);
	for (size_t i = 0; r >= 0 && i < images->count; i++)
		r = check_names(policy, &image, &images->items[i], err);
	return r;
}

int image_policy_check_path(const char *transport, const char *path, const char *tag,
			    struct error *err)
{
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(policy_free) struct policy *policy = NULL;
	auto_free char *real = realpath(path, NULL);
	const struct policy_image image = {.transport = transport, .path = real, .tag = tag};
	int r;

	trust_paths_init(&paths);
	r = policy_load(&paths, &policy, err);
	return r < 0 ? r : check_one(policy, &image, err);
}
