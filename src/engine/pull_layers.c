/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of an image, from a registry into the store; see pull_internal.h.
 *
 * Theory. Each layer goes through these steps on its own, a few at the same time:
 *
 *	WAITING   for its turn
 *	LOCKING   for the lock of its partial blob, when another process is fetching the same
 *	RUNNING   skiff-registry appends to the partial blob; skiff-unpack follows behind it, unpacks,
 *	          and hashes what it reads. So every byte is written once, and when the last one has
 *	          come, the layer is nearly there. A blob that is whole already is only unpacked; a layer
 *	          that is unpacked already has only its blob fetched
 *	READY     verified, not flushed
 *	FLUSHING  a child does syncfs(2), for all that were ready when it began
 *	DONE      blob and layer have their names; the lock is given back, and whoever waited finds them
 *
 * Everything is one loop around poll(2): the helper's socket, the pipes of the unpackers, the children
 * that wait for locks and for the disk, and signals. Nobody waits for a lock while holding back
 * anything else, so two pulls that want the same layers in another order do not stop each other.
 *
 * A partial blob that does not hash to its digest is discarded. When its beginning was an earlier
 * try's, it is fetched once more from the start.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/pull_transfer.h"

/* Layers under way at once: enough for a link with some delay, few enough for the disk and memory. */
#define MAX_RUNNING 4

static void transfer_release(struct transfer *transfer)
{
	/* First of all nobody writes any more. */
	registry_helper_stop(&transfer->pull->helper);
	for (size_t i = 0; i < transfer->count; i++) {
		unpack_helper_release(&transfer->layers[i].job->helper);
		pull_child_kill(&transfer->layers[i].locker);
		partial_blob_close(&transfer->layers[i].partial);
	}
	pull_child_kill(&transfer->flusher);
	free(transfer->layers);
}

DEFINE_CLEANUP_VALUE(struct transfer, transfer_release);

void transfer_say(const struct transfer *transfer, struct layer_pull *layer, const char *what,
		  uint64_t bytes)
{
	const struct image_progress *progress = transfer->pull->request->progress;

	if (!progress || (layer->said == what && layer->said_bytes == bytes))
		return;
	layer->said = what;
	layer->said_bytes = bytes;
	progress->layer(progress->context, layer->descriptor->digest, what, bytes,
			layer->descriptor->size_bytes);
}

static int wrap_layer(const struct transfer *transfer, const struct layer_pull *layer, int r,
		      struct error *err)
{
	if (err->kind == ERR_CANCELLED)
		return r;
	return err_wrap(err, r, "layer %zu of %zu", layer->number + 1, transfer->count);
}

/* ---- the loop ---- */

static size_t count_in(const struct transfer *transfer, enum layer_step step)
{
	size_t count = 0;

	for (size_t i = 0; i < transfer->count; i++)
		count += transfer->layers[i].step == step;
	return count;
}

static int start_what_can(struct transfer *transfer, struct error *err)
{
	for (size_t i = 0; i < transfer->count; i++) {
		struct layer_pull *layer = &transfer->layers[i];
		int r;

		if (count_in(transfer, STEP_RUNNING) >= MAX_RUNNING)
			return 0;
		if (layer->step != STEP_WAITING)
			continue;
		r = layer_pull_start(transfer, layer, err);
		if (r >= 0)
			r = layer_pull_settle(transfer, layer, err);
		if (r < 0)
			return wrap_layer(transfer, layer, r, err);
	}
	return 0;
}

static int flush_what_can(struct transfer *transfer, struct error *err)
{
	if (transfer->flusher.pid != 0 || count_in(transfer, STEP_READY) == 0)
		return 0;
	for (size_t i = 0; i < transfer->count; i++)
		if (transfer->layers[i].step == STEP_READY)
			transfer->layers[i].step = STEP_FLUSHING;
	return transfer_flush(transfer, err);
}

static int finish_flush(struct transfer *transfer, struct error *err)
{
	int status = pull_child_end(&transfer->flusher);

	if (status != 0)
		return err_set(err, ERR_SYSTEM, status > 0 && status < 128 ? status : EIO,
			       "flush the image to the disk");
	for (size_t i = 0; i < transfer->count; i++) {
		struct layer_pull *layer = &transfer->layers[i];
		int r = 0;

		if (layer->step == STEP_FLUSHING)
			r = layer_pull_place(transfer, layer, err);
		if (r < 0)
			return wrap_layer(transfer, layer, r, err);
	}
	return 0;
}

static int take_answer(struct transfer *transfer, struct registry_answer *answer, struct error *err)
{
	struct layer_pull *layer = NULL;

	for (size_t i = 0; i < transfer->count && !layer; i++)
		if (answer->id != 0 && transfer->layers[i].request_id == answer->id)
			layer = &transfer->layers[i];
	if (!layer)
		return 0;
	switch (answer->kind) {
	case ANSWER_PROGRESS:
		transfer_say(transfer, layer, "Downloading", answer->bytes);
		return 0;
	case ANSWER_DONE:
		layer->request_id = 0;
		layer->fetched = true;
		transfer_say(transfer, layer, "Download complete", layer->descriptor->size_bytes);
		return layer_pull_settle(transfer, layer, err);
	case ANSWER_ERROR:
		/* skiff-unpack would complain that its input ends: this is why. */
		layer->request_id = 0;
		return wrap_layer(transfer, layer, err_move(err, &answer->error), err);
	}
	return 0;
}

static int hear_registry(struct transfer *transfer, struct error *err)
{
	int r;

	do {
		auto_(registry_answer_release) struct registry_answer answer = {0};

		r = registry_helper_receive(&transfer->pull->helper, &answer, err);
		if (r > 0 && take_answer(transfer, &answer, err) < 0)
			return err_result(err);
	} while (r > 0);
	return r;
}

/*
 * The pipe ends when skiff-unpack has, or has failed. If that is because bytes are missing, the word of
 * skiff-registry, which knows why, was sent before.
 */
static int hear_unpack(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r = unpack_helper_read(&layer->job->helper, err);

	if (r > 0 && layer->fetched)
		transfer_say(transfer, layer, "Extracting", layer->job->helper.done_bytes);
	if (r != 0)
		return r;
	if (layer->request_id != 0 && hear_registry(transfer, err) < 0)
		return err_result(err);
	r = layer_pull_finish_unpack(transfer, layer, err);
	return r < 0 ? r : layer_pull_settle(transfer, layer, err);
}

static int hear_locker(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r;

	if (pull_child_end(&layer->locker) != 0)
		return err_set(err, ERR_INTERNAL, 0, "waiting for a lock failed");
	r = layer_pull_start(transfer, layer, err);
	return r < 0 ? r : layer_pull_settle(transfer, layer, err);
}

#define FDS_PER_LAYER 2
#define OWN_FDS 3

static void list_fds(const struct transfer *transfer, struct pollfd *fds)
{
	fds[0] = (struct pollfd){.fd = transfer->pull->loader.signal_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = transfer->pull->helper.sock, .events = POLLIN};
	fds[2] = (struct pollfd){
		.fd = transfer->flusher.pid ? transfer->flusher.pidfd : -1,
		.events = POLLIN,
	};
	for (size_t i = 0; i < transfer->count; i++) {
		const struct layer_pull *layer = &transfer->layers[i];
		struct pollfd *own = &fds[OWN_FDS + FDS_PER_LAYER * i];

		own[0] = (struct pollfd){
			.fd = layer->job->helper.pid ? layer->job->helper.result_fd : -1,
			.events = POLLIN,
		};
		own[1] = (struct pollfd){
			.fd = layer->locker.pid ? layer->locker.pidfd : -1,
			.events = POLLIN,
		};
	}
}

/* The registry first: its reason for an end is better than that of whoever reads behind it. */
static int serve(struct transfer *transfer, const struct pollfd *fds, struct error *err)
{
	int r;

	r = loader_check_cancelled(&transfer->pull->loader, err);
	if (r >= 0 && fds[1].revents)
		r = hear_registry(transfer, err);
	if (r >= 0 && fds[2].revents)
		r = finish_flush(transfer, err);
	for (size_t i = 0; r >= 0 && i < transfer->count; i++) {
		struct layer_pull *layer = &transfer->layers[i];
		const struct pollfd *own = &fds[OWN_FDS + FDS_PER_LAYER * i];

		if (own[0].revents)
			r = hear_unpack(transfer, layer, err);
		if (r >= 0 && own[1].revents)
			r = hear_locker(transfer, layer, err);
		if (r < 0)
			return wrap_layer(transfer, layer, r, err);
	}
	return r;
}

static int run_loop(struct transfer *transfer, struct error *err)
{
	size_t fd_count = OWN_FDS + FDS_PER_LAYER * transfer->count;
	auto_free struct pollfd *fds = xcalloc(fd_count, sizeof(*fds));
	int r;

	for (;;) {
		r = start_what_can(transfer, err);
		if (r >= 0)
			r = flush_what_can(transfer, err);
		if (r < 0 || count_in(transfer, STEP_DONE) == transfer->count)
			return r;
		list_fds(transfer, fds);
		if (poll(fds, fd_count, -1) < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, errno, "wait for the helpers");
		r = serve(transfer, fds, err);
		if (r < 0)
			return r;
	}
}

/* Nobody appends any more: is each as long as it was when it was read? */
static int check_lengths(struct transfer *transfer, struct error *err)
{
	registry_helper_stop(&transfer->pull->helper);
	for (size_t i = 0; i < transfer->count; i++) {
		const struct layer_job *job = transfer->layers[i].job;
		auto_free char *path = blob_path(job->digest);
		int r;

		r = blob_is_stored(transfer->pull->loader.store, job->digest, job->blob_size, err);
		if (r > 0)
			continue;
		(void)unlinkat(store_root_fd(transfer->pull->loader.store), path, 0);
		return r < 0 ? r : err_set(err, ERR_INTERNAL, 0, "blob %s is gone", job->digest);
	}
	return 0;
}

int pull_layers(struct pull *pull, struct layer_jobs *jobs, struct error *err)
{
	auto_(transfer_release) struct transfer transfer = {
		.pull = pull,
		.flusher = {.pidfd = NO_FD},
	};
	int r;

	transfer.layers = xcalloc(jobs->count + 1, sizeof(transfer.layers[0]));
	for (size_t i = 0; i < jobs->count; i++) {
		struct layer_pull *layer = &transfer.layers[i];

		*layer = (struct layer_pull){
			.job = &jobs->items[i],
			.descriptor = &pull->manifest.items[i],
			.number = i,
			.partial = PARTIAL_BLOB_EMPTY,
			.locker = {.pidfd = NO_FD},
		};
		transfer.count = i + 1;
		if (!layer->job->unpack && !layer->job->keep_blob) {
			layer->step = STEP_DONE;
			transfer_say(&transfer, layer, "Already exists",
				     layer->descriptor->size_bytes);
		} else {
			transfer_say(&transfer, layer, "Pulling fs layer", 0);
		}
	}
	r = run_loop(&transfer, err);
	return r < 0 ? r : check_lengths(&transfer, err);
}
