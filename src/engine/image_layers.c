/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the layers of an image into staging; see image_internal.h. */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "engine/image_internal.h"
#include "unpack/protocol.h"

/* Helpers at once, also on large machines: they share one disk. */
#define MAX_HELPERS 16

#define COPY_CHUNK ((size_t)1 << 20)

/*
 * What a layer may grow to: the answer to bombs. Real layers compress to a tenth or so; a good
 * part of zeros is allowed for.
 */
#define EXPANSION_RATIO 200
#define EXPANSION_FREE_BYTES ((uint64_t)1 << 30)

void layer_jobs_release(struct layer_jobs *jobs)
{
	for (size_t i = 0; i < jobs->count; i++) {
		unpack_helper_release(&jobs->items[i].helper);
		archive_file_release(&jobs->items[i].file);
		free(jobs->items[i].digest);
	}
	free(jobs->items);
	strv_release(&jobs->chain_ids);
	*jobs = (struct layer_jobs){0};
}

/* ---- planning ---- */

/* The blob of a layer that is unpacked already: the one it came from will do. */
static int plan_known_blob(struct loader *loader, struct layer_job *job, struct error *err)
{
	auto_free char *blob = NULL;
	auto_free char *path = NULL;
	struct stat st;
	int r;

	r = layer_describe(loader->store, job->chain_id, &job->size_bytes, &blob, err);
	if (r < 0 || job->digest || !blob)
		return r;
	path = blob_path(blob);
	if (fstatat(store_root_fd(loader->store), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	job->digest = TAKE_PTR(blob);
	job->blob_size = (uint64_t)st.st_size;
	return 0;
}

static int plan_layer(struct loader *loader, const struct source_layer *source,
		      struct layer_job *job, struct error *err)
{
	int r;

	job->source = source;
	job->digest = xstrdup_or_null(source->digest);
	job->blob_size = source->size_bytes;
	r = layer_is_stored(loader->store, job->chain_id, err);
	if (r < 0)
		return r;
	job->unpack = r == 0;
	if (!job->unpack) {
		r = plan_known_blob(loader, job, err);
		if (r < 0)
			return r;
	}
	if (!job->digest) {
		job->keep_blob = true;
		return 0;
	}
	r = blob_is_stored(loader->store, job->digest, job->blob_size, err);
	if (r < 0)
		return r;
	job->keep_blob = r == 0;
	return 0;
}

int image_layers_plan(struct loader *loader, const struct source_image *image,
		      struct layer_jobs *ret_jobs, struct error *err)
{
	auto_(layer_jobs_release) struct layer_jobs jobs = {0};
	int r;

	image_config_chain_ids(&image->config, &jobs.chain_ids);
	jobs.items = xcalloc(image->layer_count + 1, sizeof(jobs.items[0]));
	for (size_t i = 0; i < image->layer_count; i++) {
		struct layer_job *job = &jobs.items[i];

		jobs.count = i + 1;
		job->file.fd = NO_FD;
		job->helper.result_fd = NO_FD;
		job->chain_id = jobs.chain_ids.items[i];
		job->diff_id = image->config.diff_ids.items[i];
		r = plan_layer(loader, &image->layers[i], job, err);
		if (r < 0)
			return r;
	}
	*ret_jobs = jobs;
	jobs = (struct layer_jobs){0};
	return 0;
}

/* ---- one layer ---- */

int layer_directory_new(int staging_fd, size_t number, struct error *err)
{
	auto_free char *outer = xasprintf("%zu", number);
	auto_free char *inner = xasprintf("%zu/diff", number);
	auto_close int fd = NO_FD;

	if (mkdirat(staging_fd, outer, 0700) < 0 || mkdirat(staging_fd, inner, 0755) < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a directory for a layer");
	fd = openat(staging_fd, inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The umask must not show in the container's root. */
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return err_set(err, ERR_SYSTEM, errno, "open a directory for a layer");
	return TAKE_FD(fd);
}

/* A part of a stream's copy (image/archive_part.h) is the blob already and only gets its name. */
static int link_part(struct loader *loader, const struct layer_job *job, size_t number,
		     struct error *err)
{
	auto_free char *name = xasprintf("%zu.blob", number);

	if (linkat(loader->staging_fd, job->file.part, loader->staging_fd, name, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "name the file of a layer");
	return 0;
}

static int make_blob_file(struct loader *loader, size_t number, struct error *err)
{
	auto_free char *name = xasprintf("%zu.blob", number);
	int fd;

	fd = openat(loader->staging_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a file for a layer");
	return fd;
}

/* *ret_fd is where the bytes are to be written; untouched when they are there already. */
static int prepare_blob(struct loader *loader, const struct layer_job *job, size_t number,
			int *ret_fd, struct error *err)
{
	int fd;

	if (job->file.part)
		return link_part(loader, job, number, err);
	fd = make_blob_file(loader, number, err);
	if (fd >= 0)
		*ret_fd = fd;
	return fd < 0 ? fd : 0;
}

uint64_t layer_expansion_limit(uint64_t size_bytes)
{
	if (size_bytes > (UNPACK_DEFAULT_MAX_BYTES - EXPANSION_FREE_BYTES) / EXPANSION_RATIO)
		return UNPACK_DEFAULT_MAX_BYTES;
	return EXPANSION_FREE_BYTES + size_bytes * EXPANSION_RATIO;
}

static void helper_args(const struct loader *loader, const struct layer_job *job, bool write_blob,
			struct strv *ret_args)
{
	strv_add(ret_args, "layer");
	strv_addf(ret_args, "--offset=%llu", (unsigned long long)job->file.offset);
	strv_addf(ret_args, "--size=%llu", (unsigned long long)job->file.size_bytes);
	strv_addf(ret_args, "--diff-id=%s", job->diff_id);
	strv_addf(ret_args, "--max-bytes=%llu",
		  (unsigned long long)layer_expansion_limit(job->file.size_bytes));
	if (job->source->digest)
		strv_addf(ret_args, "--digest=%s", job->source->digest);
	if (write_blob)
		strv_add(ret_args, "--blob");
	if (loader->request->progress)
		strv_add(ret_args, "--progress");
}

static int start_helper(struct loader *loader, struct layer_job *job, size_t number,
			struct error *err)
{
	auto_(strv_release) struct strv args = {0};
	auto_close int directory_fd = NO_FD, blob_fd = NO_FD;
	struct unpack_start start;
	int r;

	r = archive_open(loader->archive, job->source->file, &job->file, err);
	if (r < 0)
		return r;
	if (job->file.size_bytes != job->source->size_bytes)
		return err_set(err, ERR_INVALID, 0, "'%s' changed its size", job->source->file);
	directory_fd = layer_directory_new(loader->staging_fd, number, err);
	if (directory_fd < 0)
		return directory_fd;
	if (job->keep_blob) {
		r = prepare_blob(loader, job, number, &blob_fd, err);
		if (r < 0)
			return r;
	}
	helper_args(loader, job, blob_fd >= 0, &args);
	start = (struct unpack_start){
		.args = &args,
		.input_fd = job->file.fd,
		.output_fd = directory_fd,
		.extra_fd = blob_fd,
		.wake_fd = NO_FD,
	};
	return unpack_helper_start(&start, &job->helper, err);
}

static void show_progress(struct loader *loader, struct layer_job *job, bool finished)
{
	const struct image_progress *progress = loader->request->progress;
	uint64_t done = finished ? job->file.size_bytes : job->helper.done_bytes;

	if (!progress || (!finished && done == job->shown_bytes))
		return;
	job->shown_bytes = done;
	progress->layer(progress->context, job->diff_id, finished ? "Loaded" : "Loading layer",
			done, job->file.size_bytes);
}

static int finish_helper(struct loader *loader, struct layer_job *job, struct error *err)
{
	auto_(json_decref) json_t *answer = NULL;
	const char *digest, *diff_id;
	int r;

	r = unpack_helper_finish(&job->helper, "layer", &answer, err);
	if (r < 0)
		return r;
	digest = json_get_string(answer, "digest", "");
	diff_id = json_get_string(answer, "diffId", "");
	if (!digest_is_valid(digest) || strcmp(diff_id, job->diff_id) != 0 ||
	    (job->source->digest && strcmp(digest, job->source->digest) != 0))
		return err_set(err, ERR_INTERNAL, 0, "the helper verified something else");
	free(job->digest);
	job->digest = xstrdup(digest);
	job->size_bytes = (uint64_t)json_get_int(answer, "unpackedBytes", 0);
	show_progress(loader, job, /* finished= */ true);
	archive_file_release(&job->file);
	unpack_helper_release(&job->helper);
	return 0;
}

/* The files are there, only the blob is not: it is copied, where it must be, and hashed. */
static int copy_blob(struct loader *loader, struct layer_job *job, size_t number, struct error *err)
{
	auto_free char *buffer = xmalloc(COPY_CHUNK);
	auto_close int fd = NO_FD;
	char digest[DIGEST_TEXT_LEN + 1];
	struct sha256 hash;
	uint64_t at = 0;
	int r;

	r = archive_open(loader->archive, job->source->file, &job->file, err);
	if (r < 0)
		return r;
	r = prepare_blob(loader, job, number, &fd, err);
	if (r < 0)
		return r;
	sha256_init(&hash);
	while (at < job->file.size_bytes) {
		uint64_t left = job->file.size_bytes - at;
		size_t want = left < COPY_CHUNK ? (size_t)left : COPY_CHUNK;
		ssize_t n = fd_pread_full(job->file.fd, buffer, want, job->file.offset + at);

		if (n >= 0 && (size_t)n != want)
			return err_set(err, ERR_INVALID, 0, "the archive ends inside a layer");
		r = n < 0 || fd < 0 ? (int)(n < 0 ? n : 0) : fd_write_all(fd, buffer, want);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "copy a layer");
		sha256_update(&hash, buffer, want);
		at += want;
		r = loader_check_cancelled(loader, err);
		if (r < 0)
			return r;
	}
	sha256_digest(&hash, digest);
	if (job->source->digest && strcmp(digest, job->source->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "it hashes to %s, not to %s", digest,
			       job->source->digest);
	free(job->digest);
	job->digest = xstrdup(digest);
	job->blob_size = job->file.size_bytes;
	archive_file_release(&job->file);
	return 0;
}

/* ---- all layers ---- */

static size_t helpers_at_once(void)
{
	cpu_set_t cpus;
	int count;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return MAX_HELPERS;
	count = CPU_COUNT(&cpus);
	if (count < 1)
		return 1;
	return count > MAX_HELPERS ? MAX_HELPERS : (size_t)count;
}

static int wrap_layer(struct error *err, int r, size_t number, size_t count)
{
	if (err->kind == ERR_CANCELLED)
		return r;
	return err_wrap(err, r, "layer %zu of %zu", number + 1, count);
}

/* Waits for one event of the running helpers; finishes those that are done. */
static int serve_helpers(struct loader *loader, struct layer_jobs *jobs, size_t *running,
			 struct error *err)
{
	auto_free struct pollfd *fds = xcalloc(jobs->count + 1, sizeof(*fds));
	int r;

	fds[jobs->count] = (struct pollfd){.fd = loader->signal_fd, .events = POLLIN};
	for (size_t i = 0; i < jobs->count; i++)
		fds[i] = (struct pollfd){.fd = jobs->items[i].helper.result_fd, .events = POLLIN};
	if (poll(fds, jobs->count + 1, -1) < 0 && errno != EINTR)
		return err_set(err, ERR_SYSTEM, errno, "wait for the helpers");
	r = loader_check_cancelled(loader, err);
	for (size_t i = 0; r >= 0 && i < jobs->count; i++) {
		struct layer_job *job = &jobs->items[i];

		if (job->helper.pid == 0 || !fds[i].revents)
			continue;
		r = unpack_helper_read(&job->helper, err);
		if (r > 0)
			show_progress(loader, job, /* finished= */ false);
		if (r == 0) {
			*running -= 1;
			r = finish_helper(loader, job, err);
		}
		if (r < 0)
			return wrap_layer(err, r, i, jobs->count);
	}
	return r;
}

int image_layers_bring(struct loader *loader, const struct source_image *image,
		       struct layer_jobs *jobs, struct error *err)
{
	size_t next = 0, running = 0, limit = helpers_at_once();
	int r;

	(void)image;
	while (next < jobs->count || running > 0) {
		while (next < jobs->count && running < limit) {
			struct layer_job *job = &jobs->items[next];

			r = 0;
			if (job->unpack) {
				r = start_helper(loader, job, next, err);
				running++;
			} else if (job->keep_blob) {
				r = copy_blob(loader, job, next, err);
			}
			if (r < 0)
				return wrap_layer(err, r, next, jobs->count);
			next++;
		}
		if (running > 0) {
			r = serve_helpers(loader, jobs, &running, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
