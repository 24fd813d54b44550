/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_internal.h - the two ends of a copy
 *
 * An end is a place with documents (manifests and indexes) and blobs. copy_run() moves them from one to the
 * other and verifies them on the way: an end believes what it is given, and is not believed.
 */
#ifndef SKIFF_ENGINE_COPY_INTERNAL_H
#define SKIFF_ENGINE_COPY_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/image_copy.h"

struct copy_end;
struct place;

struct copy_document {
	char *text; /* owned */
	size_t len;
	char *media_type; /* owned; NULL: the place does not say */
	char digest[80];  /* of the text */
};

void copy_document_release(struct copy_document *document);

/* Sets the digest from the text. */
void copy_document_seal(struct copy_document *document);

/* "sha256-<hex>": where the referrers of a digest are listed without a call for it. Caller frees. */
char *copy_referrers_tag(const char *digest);

struct copy_blob {
	const char *digest;
	uint64_t size_bytes;
};

struct copy_end_ops {
	/* `reference`: a digest or a tag; NULL: the one that the end was opened for. ERR_NOT_FOUND. */
	int (*read_document)(struct copy_end *end, const char *reference,
			     struct copy_document *ret_document, struct error *err);

	/* Fills `fd`, an empty file that is written at its end. */
	int (*read_blob)(struct copy_end *end, const struct copy_blob *blob, int fd,
			 struct error *err);

	/* Whether the blob need not be brought: 1, 0, or an error. */
	int (*has_blob)(struct copy_end *end, const struct copy_blob *blob, struct error *err);

	/* A new empty file to fill, open for reading and writing, nameless so far. */
	int (*new_file)(struct copy_end *end, struct error *err);

	/* Takes the contents of such a file, verified. */
	int (*write_blob)(struct copy_end *end, const struct copy_blob *blob, int fd,
			  struct error *err);

	/* `reference`: as above; NULL makes it what the end's name leads to. */
	int (*write_document)(struct copy_end *end, const char *reference,
			      const struct copy_document *document, struct error *err);

	/* The tag or digest under which the policy, and referrers, know what the end was opened for. */
	int (*check_policy)(struct copy_end *end, const char *digest, struct error *err);

	/* An index of what refers to a digest; *ret_text NULL: nothing does, or nobody can say. */
	int (*read_referrers)(struct copy_end *end, const char *digest, char **ret_text,
			      size_t *ret_len, struct error *err);

	void (*close)(struct copy_end *end); /* frees it */
};

struct copy_end {
	const struct copy_end_ops *ops;
	/* May be NULL; told, while a blob is read or written, how far it is. */
	void (*moved)(void *context, uint64_t bytes);
	void *moved_context;
};

void copy_end_free(struct copy_end *end);

/* `name` is without "docker://". For writing, blobs of `mount_from` (NULL: none) may be mounted. */
int copy_registry_open(const char *name, const struct registry_options *options, bool writing,
		       const char *mount_from, struct copy_end **ret_end, struct error *err);

/* `path`[:name] of an OCI layout; it is made when it is missing and to be written. */
int copy_layout_open(const char *name, bool writing, struct copy_end **ret_end, struct error *err);

int copy_layout_open_at(const char *path, const char *name, bool writing, struct copy_end **ret_end,
			struct error *err);

/* skopeo's directory. */
int copy_directory_open(const char *path, bool writing, struct copy_end **ret_end,
			struct error *err);

/*
 * Reading only: `path`[:reference] of an oci-archive, or of a docker-archive with an OCI layout in it (as
 * docker writes them since version 25, and we do). ERR_NOT_FOUND with ENOTSUP when there is none.
 */
int copy_archive_open(struct engine *engine, const struct place *place, struct copy_end **ret_end,
		      struct error *err);

/* Copies into a new archive, which appears whole or not at all. */
int copy_pack(struct engine *engine, const struct image_copy_request *request,
	      struct copy_end *source, const struct place *target, char **ret_digest,
	      struct error *err);

/* What the request says, from one end to the other; the digest that the target's name leads to. */
int copy_run(const struct image_copy_request *request, struct copy_end *source,
	     struct copy_end *target, char **ret_digest, struct error *err);

/* Reading only. An image for another platform (NULL: any) is ERR_NOT_FOUND. */
int copy_store_open(struct engine *engine, const char *name, const char *platform,
		    struct copy_end **ret_end, struct error *err);

DEFINE_CLEANUP(struct copy_end *, copy_end_free);
DEFINE_CLEANUP_VALUE(struct copy_document, copy_document_release);

#endif
