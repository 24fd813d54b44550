/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull_internal.h - how an image comes from a registry
 *
 *	pull_documents()   manifest, perhaps by way of indexes, and configuration: verified and parsed
 *	image_layers_plan() (image_internal.h)   what the store lacks
 *	pull_layers()      fetches, unpacks and places it
 *	image_commit()     the documents, and the record
 *
 * What skiff-registry delivers is believed only when its digest is right.
 */
#ifndef SKIFF_ENGINE_PULL_INTERNAL_H
#define SKIFF_ENGINE_PULL_INTERNAL_H

#include <stdint.h>

#include "base/error.h"
#include "engine/image_internal.h"
#include "engine/registry.h"
#include "engine/registry_helper.h"
#include "image/manifest.h"
#include "image/reference.h"

struct policy;

struct pull {
	struct loader loader;
	const struct pull_request *request;
	struct reference reference;
	struct policy *policy; /* owned */
	bool from_index;       /* the image was chosen among others */
	bool trusted;          /* the policy has accepted a document that leads to the image */
	struct registry_helper helper;
	int64_t endpoint; /* of the helper's configuration: who had the manifest */
	struct source_image image;
	struct manifest manifest; /* the image's */
	char *digest;             /* of the first document: what a pin or RepoDigests name */
};

int pull_documents(struct pull *pull, struct error *err);

/* On success nothing of `jobs` is left to place. */
int pull_layers(struct pull *pull, struct layer_jobs *jobs, struct error *err);

#endif
