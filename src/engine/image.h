/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - use cases of images */
#ifndef SKIFF_ENGINE_IMAGE_H
#define SKIFF_ENGINE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "storage/image_record.h"

/* One step of a long operation, for whoever wants to show it. */
struct image_progress {
	void (*layer)(void *context, const char *digest, const char *what, uint64_t done_bytes,
		      uint64_t total_bytes);
	void *context;
	/* NULL, or told that an image is not there and is pulled now. */
	void (*missing)(void *context, const char *name);
	/* NULL: nobody can be asked. Which of the names a short one means: its index, or negative. */
	int (*choose)(void *context, const char *name, const struct strv *names);
};

struct load_request {
	const char *path; /* file or directory; NULL: standard input (descriptor `fd`) */
	int fd;
	const char *transport; /* NULL: find out; "docker-archive", "oci-archive", "oci", "dir" */
	const char *reference; /* which image of several, NULL: all */
	const char *platform;  /* NULL: this machine's */
	bool unnamed;          /* the names in the archive do not count */
	const struct image_progress *progress; /* NULL: none */
};

struct load_result {
	struct strv names; /* familiar names ("alpine:3.18") in the archive's order */
	struct strv ids;   /* of images without a name */
};

int image_load(struct engine *engine, const struct load_request *request,
	       struct load_result *ret_result, struct error *err);
void load_result_release(struct load_result *result);

enum image_pull_policy {
	IMAGE_PULL_MISSING, /* what is not there */
	IMAGE_PULL_ALWAYS,
	IMAGE_PULL_NEVER,
};

/* What `run` needs. */
struct image_want {
	const char
		*name; /* a reference or id, "transport:path[:reference]" or "docker://reference" */
	enum image_pull_policy pull;
	const char *platform;                  /* NULL: this machine's */
	const struct image_progress *progress; /* of the pull; NULL: none */
};

/* "missing", "always", "never"; NULL or empty: missing. ERR_INVALID. */
int image_pull_policy_parse(const char *text, enum image_pull_policy *ret_policy,
			    struct error *err);

/* From the store, or else from where it names. ERR_NOT_FOUND when it is nowhere. */
int image_obtain(struct engine *engine, const struct image_want *want,
		 struct image_record *ret_record, struct error *err);

/* From a place on this machine, with the names that the image has there, if any. */
int image_load_place(struct engine *engine, const struct image_want *want, struct strv *ret_ids,
		     struct load_result *ret_result, struct error *err);

/* Newest first; all names in one record. */
int image_list(struct engine *engine, struct image_records *ret_records, struct error *err);
/* All names that an image of this repository ("app", "host:5000/app") has here. */
int image_names_of_repository(struct engine *engine, const char *repository, struct strv *ret_names,
			      struct error *err);
int image_tag(struct engine *engine, const char *source, const char *target, struct error *err);

struct image_remove_request {
	const char *selector;
	bool force;
	const char *platform; /* only if this is what the image is for; NULL: any */
};

/* Lines as docker prints them: "Untagged: …", "Deleted: …". */
int image_remove(struct engine *engine, const struct image_remove_request *request,
		 struct strv *ret_lines, struct error *err);

/* The object of docker's image inspect; a new reference. */
int image_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		  struct error *err);
/* The same; an image for another `platform` (NULL: any) is ERR_NOT_FOUND. */
int image_inspect_platform(struct engine *engine, const char *selector, const char *platform,
			   json_t **ret_object, struct error *err);

/* "docker.io/library/alpine:3.18" -> "alpine:3.18"; caller frees. */
char *image_familiar_name(const char *reference);

DEFINE_CLEANUP_VALUE(struct load_result, load_result_release);

#endif
