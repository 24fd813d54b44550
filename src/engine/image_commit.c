/* SPDX-License-Identifier: Apache-2.0 */
/* From staging into the store: flush, rename, record; see image_internal.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "engine/image_internal.h"
#include "image/manifest.h"

#define CONFIG_BLOB "config.blob"
#define MANIFEST_BLOB "manifest.blob"

static int write_blob(struct loader *loader, const char *name, const char *text, size_t len,
		      struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	/* Several images of one archive share the staging directory. */
	(void)unlinkat(loader->staging_fd, name, 0);
	fd = openat(loader->staging_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a file in the store");
	r = fd_write_all(fd, text, len);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write a file in the store") : 0;
}

/* The media type that says how a blob is compressed; NULL when OCI has none for it. */
static const char *layer_media_type(int fd)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *media_type;
	} kinds[] = {
		{"\x1f\x8b", 2, MEDIA_OCI_LAYER "+gzip"},
		{"\x28\xb5\x2f\xfd", 4, MEDIA_OCI_LAYER "+zstd"},
		{"BZh", 3, NULL},
		{"\xfd"
		 "7zXZ",
		 5, NULL},
	};
	char start[8] = {0};

	if (fd_pread_full(fd, start, sizeof(start), 0) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (memcmp(start, kinds[i].magic, kinds[i].len) == 0)
			return kinds[i].media_type;
	return MEDIA_OCI_LAYER;
}

static const char *media_type_of(struct loader *loader, const struct layer_job *job, size_t number)
{
	auto_free char *staged = xasprintf("%zu.blob", number);
	auto_free char *stored = blob_path(job->digest);
	auto_close int fd = NO_FD;

	if (job->keep_blob)
		fd = openat(loader->staging_fd, staged, O_RDONLY | O_CLOEXEC);
	else
		fd = openat(store_root_fd(loader->store), stored, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : layer_media_type(fd);
}

static json_t *descriptor(const char *media_type, const char *digest, uint64_t size_bytes)
{
	json_t *object = json_object();

	json_set_string(object, "mediaType", media_type);
	json_set_string(object, "digest", digest);
	(void)json_object_set_new(object, "size", json_integer((json_int_t)size_bytes));
	return object;
}

/* For an image that came without a manifest, so that it can be saved and pushed. */
static char *make_manifest(struct loader *loader, const struct source_image *image,
			   const struct layer_jobs *jobs)
{
	auto_(json_decref) json_t *manifest = json_object();
	json_t *layers = json_array();

	(void)json_object_set_new(manifest, "schemaVersion", json_integer(2));
	json_set_string(manifest, "mediaType", MEDIA_OCI_MANIFEST);
	(void)json_object_set_new(manifest, "config",
				  descriptor(MEDIA_OCI_CONFIG, image->id, image->config_len));
	(void)json_object_set_new(manifest, "layers", layers);
	for (size_t i = 0; i < jobs->count; i++) {
		const struct layer_job *job = &jobs->items[i];
		const char *media_type = media_type_of(loader, job, i);

		if (!media_type)
			return NULL;
		(void)json_array_append_new(layers,
					    descriptor(media_type, job->digest, job->blob_size));
	}
	return json_text(manifest);
}

struct commit {
	struct loader *loader;
	const struct source_image *image;
	const struct layer_jobs *jobs;
	char *made_manifest; /* owned */
	const char *manifest_text;
	size_t manifest_len;
	char manifest_digest[DIGEST_TEXT_LEN + 1];
	struct image_layer *layers; /* borrowed texts */
	struct image_blob *blobs;   /* borrowed texts: configuration, manifest, layers */
	size_t blob_count;
};

static void commit_release(struct commit *commit)
{
	free(commit->made_manifest);
	free(commit->layers);
	free(commit->blobs);
}

DEFINE_CLEANUP_VALUE(struct commit, commit_release);

static void choose_manifest(struct commit *commit)
{
	const struct source_image *image = commit->image;

	if (image->manifest_text) {
		commit->manifest_text = image->manifest_text;
		commit->manifest_len = image->manifest_len;
	} else {
		commit->made_manifest = make_manifest(commit->loader, image, commit->jobs);
		commit->manifest_text = commit->made_manifest;
		commit->manifest_len = commit->made_manifest ? strlen(commit->made_manifest) : 0;
	}
	if (commit->manifest_text)
		sha256_of(commit->manifest_text, commit->manifest_len, commit->manifest_digest);
}

static void add_blob(struct commit *commit, const char *digest, uint64_t size_bytes)
{
	commit->blobs[commit->blob_count++] = (struct image_blob){
		.digest = (char *)digest,
		.size_bytes = size_bytes,
	};
}

static void list_contents(struct commit *commit)
{
	const struct layer_jobs *jobs = commit->jobs;

	commit->layers = xcalloc(jobs->count + 1, sizeof(commit->layers[0]));
	commit->blobs = xcalloc(jobs->count + 2, sizeof(commit->blobs[0]));
	add_blob(commit, commit->image->id, commit->image->config_len);
	if (commit->manifest_text)
		add_blob(commit, commit->manifest_digest, commit->manifest_len);
	for (size_t i = 0; i < jobs->count; i++) {
		const struct layer_job *job = &jobs->items[i];

		commit->layers[i] = (struct image_layer){
			.chain_id = (char *)job->chain_id,
			.diff_id = (char *)job->diff_id,
			.blob = job->digest,
			.size_bytes = job->size_bytes,
		};
		add_blob(commit, job->digest, job->blob_size);
	}
}

static int write_documents(struct commit *commit, struct error *err)
{
	int r;

	r = write_blob(commit->loader, CONFIG_BLOB, commit->image->config_text,
		       commit->image->config_len, err);
	if (r >= 0 && commit->manifest_text)
		r = write_blob(commit->loader, MANIFEST_BLOB, commit->manifest_text,
			       commit->manifest_len, err);
	return r;
}

static int place_all(struct commit *commit, struct error *err)
{
	struct loader *loader = commit->loader;
	int r;

	for (size_t i = 0; i < commit->jobs->count; i++) {
		const struct layer_job *job = &commit->jobs->items[i];
		auto_free char *directory = xasprintf("%zu", i);
		auto_free char *blob = xasprintf("%zu.blob", i);

		r = 0;
		if (job->unpack)
			r = layer_place(loader->store, loader->staging_fd, directory, job->chain_id,
					err);
		if (r >= 0 && job->keep_blob)
			r = blob_place(loader->store, loader->staging_fd, blob, job->digest, err);
		if (r < 0)
			return r;
	}
	r = blob_place(loader->store, loader->staging_fd, CONFIG_BLOB, commit->image->id, err);
	if (r >= 0 && commit->manifest_text)
		r = blob_place(loader->store, loader->staging_fd, MANIFEST_BLOB,
			       commit->manifest_digest, err);
	return r;
}

int image_commit(struct loader *loader, const struct source_image *image,
		 const struct layer_jobs *jobs, struct error *err)
{
	auto_(commit_release) struct commit commit = {
		.loader = loader,
		.image = image,
		.jobs = jobs,
	};
	auto_free char *config = xstrndup(image->config_text, image->config_len);
	struct image_addition addition;
	int r;

	choose_manifest(&commit);
	list_contents(&commit);
	r = write_documents(&commit, err);
	if (r < 0)
		return r;
	/* One flush for all files of all layers: what has its name is on the disk. */
	if (syncfs(loader->staging_fd) < 0)
		return err_set(err, ERR_SYSTEM, errno, "flush the image to the disk");
	r = loader_check_cancelled(loader, err);
	if (r >= 0)
		r = place_all(&commit, err);
	if (r < 0)
		return r;
	addition = (struct image_addition){
		.id = image->id,
		.config = config,
		.manifest_digest = commit.manifest_text ? commit.manifest_digest : NULL,
		.created_ns = image->config.created_ns,
		.layers = commit.layers,
		.layer_count = jobs->count,
		.blobs = commit.blobs,
		.blob_count = commit.blob_count,
		.names = &image->names,
	};
	return image_record_insert(loader->store, &addition, err);
}
