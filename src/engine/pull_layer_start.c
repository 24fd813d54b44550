/* SPDX-License-Identifier: Apache-2.0 */
/* How a layer begins to come: its lock, skiff-registry that appends, skiff-unpack that follows. */
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "engine/pull_transfer.h"
#include "unpack/protocol.h"

/* Looks again, now that the lock is ours: another process may have brought it. */
static int look_again(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	struct store *store = transfer->pull->loader.store;
	struct layer_job *job = layer->job;
	auto_free char *blob = NULL;
	int r;

	r = blob_is_stored(store, job->digest, job->blob_size, err);
	if (r < 0)
		return r;
	job->keep_blob = r == 0;
	r = layer_is_stored(store, job->chain_id, err);
	if (r < 0)
		return r;
	if (r == 0 || !job->unpack)
		return 0;
	job->unpack = false;
	return layer_describe(store, job->chain_id, &job->size_bytes, &blob, err);
}

static json_t *url_list(const struct transfer *transfer, const struct layer_pull *layer)
{
	if (!transfer->pull->request->foreign_layers)
		return json_array();
	return json_from_strv(&layer->descriptor->urls);
}

/* Asks for what the partial blob lacks. `wake_fd` may be NO_FD. */
static int start_fetch(struct transfer *transfer, struct layer_pull *layer, int wake_fd,
		       struct error *err)
{
	struct pull *pull = transfer->pull;
	auto_close int out_fd = NO_FD;
	uint64_t offset;
	int fds[2];
	int r;

	r = partial_blob_size(&layer->partial, &offset, err);
	if (r < 0)
		return r;
	layer->resumed = offset > 0;
	if (offset == layer->descriptor->size_bytes) {
		layer->fetched = true;
		return 0;
	}
	out_fd = partial_blob_open_append(pull->loader.store, &layer->partial, err);
	if (out_fd < 0)
		return out_fd;
	fds[0] = out_fd;
	fds[1] = wake_fd;
	transfer_say(transfer, layer, "Downloading", offset);
	return registry_helper_send(&pull->helper,
				    json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "op", "blob",
					      "digest", layer->descriptor->digest, "size",
					      (json_int_t)layer->descriptor->size_bytes, "offset",
					      (json_int_t)offset, "endpoint",
					      (json_int_t)pull->endpoint, "urls",
					      url_list(transfer, layer)),
				    fds, wake_fd >= 0 ? 2 : 1, &layer->request_id, err);
}

static void unpack_args(const struct transfer *transfer, const struct layer_pull *layer,
			bool follow, struct strv *ret_args)
{
	const struct layer_job *job = layer->job;

	strv_add(ret_args, "layer");
	strv_addf(ret_args, "--offset=0");
	strv_addf(ret_args, "--size=%llu", (unsigned long long)job->blob_size);
	strv_addf(ret_args, "--digest=%s", job->digest);
	strv_addf(ret_args, "--diff-id=%s", job->diff_id);
	strv_addf(ret_args, "--max-bytes=%llu",
		  (unsigned long long)layer_expansion_limit(job->blob_size));
	if (follow)
		strv_add(ret_args, "--follow");
	if (transfer->pull->request->progress)
		strv_add(ret_args, "--progress");
}

/* `input_fd` is the blob, which grows as long as `wake_fd` says so. */
static int start_unpack(struct transfer *transfer, struct layer_pull *layer, int input_fd,
			int wake_fd, struct error *err)
{
	auto_(strv_release) struct strv args = {0};
	auto_free char *leftover = xasprintf("%zu", layer->number);
	auto_close int directory_fd = NO_FD;
	struct unpack_start start;

	(void)path_remove_tree(transfer->pull->loader.staging_fd, leftover);
	directory_fd = layer_directory_new(transfer->pull->loader.staging_fd, layer->number, err);
	if (directory_fd < 0)
		return directory_fd;
	unpack_args(transfer, layer, wake_fd >= 0, &args);
	start = (struct unpack_start){
		.args = &args,
		.input_fd = input_fd,
		.output_fd = directory_fd,
		.extra_fd = NO_FD,
		.wake_fd = wake_fd,
	};
	return unpack_helper_start(&start, &layer->job->helper, err);
}

static int unpack_stored(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	auto_free char *path = blob_path(layer->job->digest);
	auto_close int fd = NO_FD;

	fd = openat(store_root_fd(transfer->pull->loader.store), path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open a blob");
	layer->fetched = true;
	return start_unpack(transfer, layer, fd, NO_FD, err);
}

static int fetch_and_unpack(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	auto_close int read_fd = NO_FD, write_fd = NO_FD;
	int fds[2];
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	/* Whoever writes must not wait for whoever reads: one byte in the pipe is enough. */
	r = fd_set_nonblock(write_fd, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a pipe");
	r = start_unpack(transfer, layer, layer->partial.fd, read_fd, err);
	if (r >= 0)
		r = start_fetch(transfer, layer, write_fd, err);
	return r;
}

/* The lock is ours. */
static int run_layer(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r;

	r = look_again(transfer, layer, err);
	if (r < 0)
		return r;
	layer->step = STEP_RUNNING;
	if (layer->job->keep_blob && layer->job->unpack)
		return fetch_and_unpack(transfer, layer, err);
	if (layer->job->keep_blob)
		return start_fetch(transfer, layer, NO_FD, err);
	if (layer->job->unpack)
		return unpack_stored(transfer, layer, err);
	layer->fetched = true;
	return 0;
}

int layer_pull_start(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	struct store *store = transfer->pull->loader.store;
	int r = -ESTALE;

	while (r == -ESTALE) {
		if (layer->partial.fd < 0) {
			r = partial_blob_open(store, layer->job->digest, &layer->partial, err);
			if (r < 0)
				return r;
		}
		r = partial_blob_lock(store, &layer->partial, err);
		if (r == -ESTALE)
			partial_blob_close(&layer->partial);
	}
	if (r < 0)
		return r;
	if (r > 0)
		return run_layer(transfer, layer, err);
	layer->step = STEP_LOCKING;
	transfer_say(transfer, layer, "Waiting", 0);
	return layer_pull_wait_for_lock(layer, err);
}
