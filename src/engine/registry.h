/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - use cases with registries: pull, push, search
 *
 * Names are as the user typed them. All are ended by SIGINT, SIGTERM and SIGHUP with ERR_CANCELLED;
 * what is complete by then is kept for the next try.
 */
#ifndef SKIFF_ENGINE_REGISTRY_H
#define SKIFF_ENGINE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/image.h"

struct registry_options {
	bool skip_tls_verify; /* any certificate, and plain HTTP, will do */
	const char *authfile; /* --authfile; NULL: the usual files */
	const char *creds;    /* --creds user:password */
	const char *cert_dir; /* --cert-dir */
};

struct pull_request {
	const char *name;     /* "alpine", "host:5000/app:1", "app@sha256:…" */
	const char *platform; /* NULL: this machine's */
	bool foreign_layers; /* layers that lie elsewhere by their manifest's word are fetched too */
	struct registry_options registry;
	const struct image_progress *progress; /* NULL: none */
};

struct pull_result {
	char *id; /* of the image */
	char *name; /* "docker.io/library/alpine:latest", normalized; with a digest when one was asked for */
	char *digest;   /* of what the name led to: an index or a manifest */
	bool was_there; /* nothing new */
	char *alien;    /* NULL, or the platform of an image that this machine cannot run */
};

int image_pull(struct engine *engine, const struct pull_request *request,
	       struct pull_result *ret_result, struct error *err);
void pull_result_release(struct pull_result *result);

struct push_request {
	const char *name;     /* where to: "host:5000/app:1" */
	const char *image;    /* what: a name or an id in the store; NULL: what has that name */
	const char *platform; /* an image for another one is ERR_NOT_FOUND; NULL: any */
	struct registry_options registry;
	const struct image_progress *progress; /* NULL: none */
};

struct push_result {
	char *digest; /* of the manifest */
	uint64_t size_bytes;
};

int image_push(struct engine *engine, const struct push_request *request,
	       struct push_result *ret_result, struct error *err);
void push_result_release(struct push_result *result);

/*
 * The tags that a repository has in its registry. Of several that a short name may mean it is the first
 * that is there; *ret_repository (caller frees) is its whole name.
 */
int registry_tags(const struct registry_options *options, const char *repository,
		  struct strv *ret_tags, char **ret_repository, struct error *err);

struct search_request {
	const char *term; /* "busybox", "host:5000/busy" */
	int64_t limit;
	struct registry_options registry;
};

/* An array of objects with name, description, star_count, is_official, is_automated; a new reference. */
int registry_search(const struct search_request *request, json_t **ret_results, struct error *err);

DEFINE_CLEANUP_VALUE(struct push_result, push_result_release);
DEFINE_CLEANUP_VALUE(struct pull_result, pull_result_release);

#endif
