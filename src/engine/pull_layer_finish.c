/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a layer when its bytes have come: verified, flushed, given its names. */
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sha256.h"
#include "engine/pull_transfer.h"
#include "storage/kept.h"

#define HASH_CHUNK ((size_t)1 << 20)

static int hash_blob(struct layer_pull *layer, struct error *err)
{
	auto_free char *buffer = xmalloc(HASH_CHUNK);
	char digest[DIGEST_TEXT_LEN + 1];
	struct sha256 hash;
	uint64_t at = 0;
	ssize_t n;

	sha256_init(&hash);
	while ((n = fd_pread_full(layer->partial.fd, buffer, HASH_CHUNK, at)) > 0) {
		sha256_update(&hash, buffer, (size_t)n);
		at += (uint64_t)n;
	}
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "read a blob");
	sha256_digest(&hash, digest);
	if (strcmp(digest, layer->job->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "it hashes to %s, not to %s", digest,
			       layer->job->digest);
	return 0;
}

static int discard(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r = partial_blob_discard(transfer->pull->loader.store, &layer->partial, err);

	partial_blob_close(&layer->partial);
	layer->fetched = false;
	return r;
}

/* What came is not what it should be; `err` says how. The beginning may have been bad from before. */
static int start_over(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	bool resumed = layer->resumed;
	int r = err_result(err);

	if (err->kind != ERR_INVALID || !layer->job->keep_blob)
		return r;
	(void)discard(transfer, layer, &ignored);
	if (!resumed)
		return r;
	log_debug("engine", "again from the beginning: %s", err_message(err));
	error_release(err);
	layer->resumed = false;
	layer->request_id = 0; /* what is still on its way is about the file that is gone */
	return layer_pull_start(transfer, layer, err);
}

int layer_pull_finish_unpack(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	struct layer_job *job = layer->job;
	auto_(json_decref) json_t *answer = NULL;
	int r;

	r = unpack_helper_finish(&job->helper, "layer", &answer, err);
	unpack_helper_release(&job->helper);
	if (r < 0)
		return start_over(transfer, layer, err);
	if (strcmp(json_get_string(answer, "digest", ""), job->digest) != 0 ||
	    strcmp(json_get_string(answer, "diffId", ""), job->diff_id) != 0)
		return err_set(err, ERR_INTERNAL, 0, "the helper verified something else");
	job->size_bytes = (uint64_t)json_get_int(answer, "unpackedBytes", 0);
	return 0;
}

/* Nothing is under way for it any more? Then it is checked, if nobody has, and waits to be flushed. */
int layer_pull_settle(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r;

	if (layer->step != STEP_RUNNING || layer->request_id != 0 || layer->job->helper.pid != 0)
		return 0;
	if (layer->job->keep_blob && !layer->job->unpack) {
		transfer_say(transfer, layer, "Verifying Checksum", layer->descriptor->size_bytes);
		r = hash_blob(layer, err);
		if (r < 0)
			return start_over(transfer, layer, err);
	}
	layer->step = STEP_READY;
	return 0;
}

int layer_pull_place(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	struct store *store = transfer->pull->loader.store;
	struct layer_job *job = layer->job;
	auto_free char *directory = xasprintf("%zu", layer->number);
	int r = 0;

	if (job->keep_blob)
		r = partial_blob_place(store, &layer->partial, job->digest, err);
	else
		r = partial_blob_discard(store, &layer->partial, err);
	if (r >= 0 && job->unpack)
		r = layer_place(store, transfer->pull->loader.staging_fd, directory, job->chain_id,
				err);
	if (r < 0)
		return r;
	r = kept_add(store,
		     &(struct image_layer){
			     .chain_id = (char *)job->chain_id,
			     .diff_id = (char *)job->diff_id,
			     .blob = job->digest,
			     .size_bytes = job->size_bytes,
		     },
		     &(struct image_blob){.digest = job->digest, .size_bytes = job->blob_size},
		     err);
	if (r < 0)
		return r;
	job->keep_blob = job->unpack = false;
	partial_blob_close(&layer->partial);
	layer->step = STEP_DONE;
	transfer_say(transfer, layer, "Pull complete", layer->descriptor->size_bytes);
	return 0;
}
