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
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sha256.h"
#include "engine/pull_internal.h"
#include "storage/kept.h"
#include "storage/partial_blob.h"
#include "sys/process.h"
#include "unpack/protocol.h"

/* Layers under way at once: enough for a link with some delay, few enough for the disk and memory. */
#define MAX_RUNNING 4

#define HASH_CHUNK ((size_t)1 << 20)

enum layer_step {
	STEP_WAITING,
	STEP_LOCKING,
	STEP_RUNNING,
	STEP_READY,
	STEP_FLUSHING,
	STEP_DONE,
};

/* A forked child that does one thing which may take long. */
struct child {
	pid_t pid; /* 0: none */
	int pidfd;
};

static void child_kill(struct child *child)
{
	struct process_guard guard = {.pid = child->pid, .pidfd = child->pidfd};

	process_guard_kill(&guard);
	cleanup_close_fd(&child->pidfd);
	child->pid = 0;
}

struct layer_pull {
	struct layer_job *job;
	const struct descriptor *descriptor;
	size_t number;
	enum layer_step step;
	struct partial_blob partial;
	struct child locker;
	int64_t request_id; /* 0: nothing is being fetched */
	bool fetched;       /* the partial blob is whole */
	bool resumed;       /* its beginning is of an earlier try */
	const char *said;   /* what the progress said last */
	uint64_t said_bytes;
};

struct transfer {
	struct pull *pull;
	struct layer_pull *layers;
	size_t count;
	struct child flusher;
};

static void transfer_release(struct transfer *transfer)
{
	/* First of all nobody writes any more. */
	registry_helper_stop(&transfer->pull->helper);
	for (size_t i = 0; i < transfer->count; i++) {
		unpack_helper_release(&transfer->layers[i].job->helper);
		child_kill(&transfer->layers[i].locker);
		partial_blob_close(&transfer->layers[i].partial);
	}
	child_kill(&transfer->flusher);
	free(transfer->layers);
}

DEFINE_CLEANUP_VALUE(struct transfer, transfer_release);

/* ---- progress ---- */

static void say(const struct transfer *transfer, struct layer_pull *layer, const char *what,
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

/* ---- children ---- */

/* Like fork(); the child dies with us. */
static pid_t child_start(struct child *child, struct error *err)
{
	pid_t parent = getpid();

	child->pid = process_clone(0, NO_FD, &child->pidfd);
	if (child->pid < 0) {
		pid_t failure = child->pid;

		child->pid = 0;
		return err_set(err, ERR_SYSTEM, -failure, "start a process");
	}
	if (child->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return child->pid;
}

/* Its exit status. */
static int child_end(struct child *child)
{
	int status = process_reap(child->pidfd);

	cleanup_close_fd(&child->pidfd);
	child->pid = 0;
	return status;
}

/*
 * The lock belongs to the open file, which the child shares: what it gets, we have. It keeps no other
 * descriptor, or it would keep other layers' locks.
 */
static int start_locker(struct layer_pull *layer, struct error *err)
{
	pid_t pid = child_start(&layer->locker, err);

	if (pid != 0)
		return pid < 0 ? (int)pid : 0;
	if (dup2(layer->partial.fd, 0) != 0 || close_range(1, ~0U, 0) < 0)
		_exit(1);
	_exit(lock_fd(0, /* wait= */ true) < 0);
}

static int start_flusher(struct transfer *transfer, struct error *err)
{
	pid_t pid = child_start(&transfer->flusher, err);

	if (pid != 0)
		return pid < 0 ? (int)pid : 0;
	_exit(syncfs(transfer->pull->loader.staging_fd) < 0 ? errno : 0);
}

/* ---- one layer ---- */

static int wrap_layer(const struct transfer *transfer, const struct layer_pull *layer, int r,
		      struct error *err)
{
	if (err->kind == ERR_CANCELLED)
		return r;
	return err_wrap(err, r, "layer %zu of %zu", layer->number + 1, transfer->count);
}

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
	say(transfer, layer, "Downloading", offset);
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

static int try_lock(struct transfer *transfer, struct layer_pull *layer, struct error *err)
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
	say(transfer, layer, "Waiting", 0);
	return start_locker(layer, err);
}

/* ---- the end of a layer ---- */

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
	return try_lock(transfer, layer, err);
}

static int finish_unpack(struct transfer *transfer, struct layer_pull *layer, struct error *err)
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
static int settle(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r;

	if (layer->step != STEP_RUNNING || layer->request_id != 0 || layer->job->helper.pid != 0)
		return 0;
	if (layer->job->keep_blob && !layer->job->unpack) {
		say(transfer, layer, "Verifying Checksum", layer->descriptor->size_bytes);
		r = hash_blob(layer, err);
		if (r < 0)
			return start_over(transfer, layer, err);
	}
	layer->step = STEP_READY;
	return 0;
}

static int place_layer(struct transfer *transfer, struct layer_pull *layer, struct error *err)
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
	say(transfer, layer, "Pull complete", layer->descriptor->size_bytes);
	return 0;
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
		r = try_lock(transfer, layer, err);
		if (r >= 0)
			r = settle(transfer, layer, err);
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
	return start_flusher(transfer, err);
}

static int finish_flush(struct transfer *transfer, struct error *err)
{
	int status = child_end(&transfer->flusher);

	if (status != 0)
		return err_set(err, ERR_SYSTEM, status > 0 && status < 128 ? status : EIO,
			       "flush the image to the disk");
	for (size_t i = 0; i < transfer->count; i++) {
		struct layer_pull *layer = &transfer->layers[i];
		int r = 0;

		if (layer->step == STEP_FLUSHING)
			r = place_layer(transfer, layer, err);
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
		say(transfer, layer, "Downloading", answer->bytes);
		return 0;
	case ANSWER_DONE:
		layer->request_id = 0;
		layer->fetched = true;
		say(transfer, layer, "Download complete", layer->descriptor->size_bytes);
		return settle(transfer, layer, err);
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
		say(transfer, layer, "Extracting", layer->job->helper.done_bytes);
	if (r != 0)
		return r;
	if (layer->request_id != 0 && hear_registry(transfer, err) < 0)
		return err_result(err);
	r = finish_unpack(transfer, layer, err);
	return r < 0 ? r : settle(transfer, layer, err);
}

static int hear_locker(struct transfer *transfer, struct layer_pull *layer, struct error *err)
{
	int r;

	if (child_end(&layer->locker) != 0)
		return err_set(err, ERR_INTERNAL, 0, "waiting for a lock failed");
	r = try_lock(transfer, layer, err);
	return r < 0 ? r : settle(transfer, layer, err);
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
			say(&transfer, layer, "Already exists", layer->descriptor->size_bytes);
		} else {
			say(&transfer, layer, "Pulling fs layer", 0);
		}
	}
	r = run_loop(&transfer, err);
	return r < 0 ? r : check_lengths(&transfer, err);
}
