/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_internal.h - how an image comes into the store
 *
 * A loader has a staging directory, a lock that keeps what is stored from being removed, and a
 * signalfd. For each image: image_layers_plan() finds out what the store lacks,
 * image_layers_bring() lets skiff-unpack unpack it into staging (as many at once as there are
 * processors), image_commit() flushes, gives everything its name, and writes the record.
 *
 * In staging, layer N is the directory "N" with "diff" in it, and its blob is the file "N.blob".
 */
#ifndef SKIFF_ENGINE_IMAGE_INTERNAL_H
#define SKIFF_ENGINE_IMAGE_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/image.h"
#include "engine/unpack_helper.h"
#include "image/archive.h"
#include "image/archive_source.h"
#include "image/platform.h"
#include "storage/store.h"

struct reference;

struct loader {
	struct store *store;
	const struct load_request *request;
	struct platform platform;
	int hold_fd;    /* keeps stored layers and blobs in place */
	char *staging;  /* relative to the store */
	int staging_fd; /* with the lock of its maker */
	int signal_fd;  /* SIGINT, SIGTERM, SIGHUP */
	int input_fd;
	bool input_owned;
	int spool_fd; /* unlinked; NO_FD once nothing needs it */
	struct archive *archive;
};

#define LOADER_EMPTY                                                                               \
	((struct loader){.hold_fd = NO_FD,                                                         \
			 .staging_fd = NO_FD,                                                      \
			 .signal_fd = NO_FD,                                                       \
			 .input_fd = NO_FD,                                                        \
			 .spool_fd = NO_FD})

/* ERR_CANCELLED when a signal has come. */
int loader_check_cancelled(struct loader *loader, struct error *err);

/* Until the helper's answer is complete, or a signal comes. */
int loader_wait_for_helper(struct loader *loader, struct unpack_helper *helper, struct error *err);

/* One layer on its way. */
struct layer_job {
	const struct source_layer *source;
	const char *chain_id, *diff_id;
	bool unpack, keep_blob; /* what has to be done */
	char *digest;           /* of the blob; NULL until known */
	uint64_t blob_size;
	uint64_t size_bytes; /* of the unpacked files */
	struct archive_file file;
	struct unpack_helper helper;
	uint64_t shown_bytes; /* of the progress reported last */
};

struct layer_jobs {
	struct layer_job *items;
	size_t count;
	struct strv chain_ids;
};

void layer_jobs_release(struct layer_jobs *jobs);

/* A new directory "N/diff" for a layer in staging; returns its descriptor. */
int layer_directory_new(int staging_fd, size_t number, struct error *err);

/* What a layer of this size, as it came, may grow to. */
uint64_t layer_expansion_limit(uint64_t size_bytes);

int image_layers_plan(struct loader *loader, const struct source_image *image,
		      struct layer_jobs *ret_jobs, struct error *err);
int image_layers_bring(struct loader *loader, const struct source_image *image,
		       struct layer_jobs *jobs, struct error *err);
int image_commit(struct loader *loader, const struct source_image *image,
		 const struct layer_jobs *jobs, struct error *err);

/* A loader without an input; `signals` are blocked. */
int loader_begin(struct loader *loader, const char *platform, const sigset_t *signals,
		 struct error *err);

/* The same with the input of loader->request, which `archive` gives access to. */
int loader_open_archive(struct loader *loader, const sigset_t *signals, struct error *err);
void loader_release(struct loader *loader);

/* SIGINT, SIGTERM and SIGHUP are kept for the loader's signalfd from begin to end. */
struct held_signals {
	sigset_t set, before;
};
void signals_hold(struct held_signals *held);
void signals_let_go(const struct held_signals *held, bool answered);

/* Loads, as image_load(); `single`: several images are an error. Ids of all, names or not. */
int image_load_ids(struct engine *engine, const struct load_request *request, bool single,
		   struct strv *ret_ids, struct load_result *ret_result, struct error *err);

/* ERR_NOT_FOUND, in docker's words, when the image is for another platform. */
int image_require_platform(const char *name, const struct image_config *config,
			   const char *platform, struct error *err);

/* Whether this container (an id), made from some image, has a living monitor. */
bool image_user_is_running(struct engine *engine, const char *id);

/* Fills repo_digests, which finding an image does not. */
int image_add_digests(struct engine *engine, struct image_record *record, struct error *err);

/* "docker.io/library/alpine@sha256:…", of a reference with a digest; caller frees. */
char *repository_at_digest(const struct reference *reference);

/* Finds in the store only: by name, by digest of the manifest, by id. */
int image_find(struct engine *engine, const char *selector, struct image_record *ret_record,
	       struct error *err);

DEFINE_CLEANUP_VALUE(struct loader, loader_release);
DEFINE_CLEANUP_VALUE(struct layer_jobs, layer_jobs_release);

#endif
