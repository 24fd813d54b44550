/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_pack.c - an archive as the target of a copy
 *
 * The image is copied into an OCI layout in the store's staging directory, which goes into the archive
 * when it is complete. A process that is killed leaves only staging to sweep.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/output_file.h"
#include "base/path.h"
#include "engine/archive_entries.h"
#include "engine/copy_internal.h"
#include "engine/copy_place.h"
#include "image/image_config.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/save_documents.h"
#include "storage/store.h"

#define BLOBS "blobs/sha256"

struct pack {
	struct store *store;
	char *staging; /* relative to the store */
	int dir_fd;    /* of the layout, with the lock of its maker */
	struct strv names;
	struct strv blobs; /* file names, sorted */
};

static void pack_release(struct pack *pack)
{
	if (pack->staging) {
		int r = path_remove_tree(store_root_fd(pack->store), pack->staging);

		if (r < 0)
			log_debug("engine", "ignoring that '%s' could not be removed: %s",
				  pack->staging, errno_text(-r));
	}
	cleanup_close_fd(&pack->dir_fd);
	free(pack->staging);
	strv_release(&pack->names);
	strv_release(&pack->blobs);
}

DEFINE_CLEANUP_VALUE(struct pack, pack_release);
DEFINE_CLEANUP(DIR *, closedir);

/* ---- what docker wants to know beside ---- */

struct description {
	struct manifest manifest;
	struct image_config config;
	struct strv layers;
	size_t manifest_len;
};

static void description_release(struct description *description)
{
	manifest_release(&description->manifest);
	image_config_release(&description->config);
	strv_release(&description->layers);
}

DEFINE_CLEANUP_VALUE(struct description, description_release);

static int read_blob(const struct pack *pack, const char *digest, char **ret_text, size_t *ret_len,
		     struct error *err)
{
	auto_free char *path = save_blob_name(digest);
	int r = fd_read_file_at(pack->dir_fd, path, MANIFEST_MAX_BYTES, ret_text, ret_len);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "read %s", digest) : 0;
}

static int describe(const struct pack *pack, const char *digest, struct description *ret,
		    struct error *err)
{
	auto_free char *text = NULL, *config = NULL;
	size_t len;
	int r;

	r = read_blob(pack, digest, &text, &ret->manifest_len, err);
	if (r >= 0)
		r = manifest_parse(text, ret->manifest_len, NULL, &ret->manifest, err);
	if (r < 0)
		return r;
	if (ret->manifest.kind != MANIFEST_IMAGE)
		return err_set(err, ERR_UNAVAILABLE, ENOTSUP,
			       "a docker archive holds images, not indexes: --all needs another "
			       "target");
	for (size_t i = 0; i < ret->manifest.count; i++)
		strv_add(&ret->layers, ret->manifest.items[i].digest);
	r = read_blob(pack, ret->manifest.config.digest, &config, &len, err);
	return r < 0 ? r : image_config_parse(config, len, &ret->config, err);
}

/* In place of the index that the copy has written: with docker's annotations, and manifest.json. */
static int add_docker_documents(const struct pack *pack, const char *digest, struct tar_writer *w,
				struct error *err)
{
	auto_(description_release) struct description description = {0};
	auto_free char *index = NULL, *manifest = NULL;
	struct platform platform;
	struct saved_image image;
	int r;

	r = describe(pack, digest, &description, err);
	if (r < 0)
		return r;
	platform = (struct platform){description.config.os, description.config.architecture,
				     description.config.variant};
	image = (struct saved_image){
		.id = description.manifest.config.digest,
		.manifest_digest = digest,
		.manifest_media_type = description.manifest.media_type
					       ? description.manifest.media_type
					       : MEDIA_OCI_MANIFEST,
		.manifest_bytes = description.manifest_len,
		.platform = &platform,
		.layers = &description.layers,
		.names = &pack->names,
	};
	index = save_index_text(&image, 1);
	manifest = save_manifest_text(&image, 1);
	r = archive_add_text(w, "index.json", index, err);
	return r < 0 ? r : archive_add_text(w, "manifest.json", manifest, err);
}

/* ---- the archive ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_blobs(struct pack *pack, struct error *err)
{
	auto_(closedir) DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(pack->dir_fd, BLOBS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(err, ERR_SYSTEM, errno, "list what was copied");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			strv_add(&pack->blobs, entry->d_name);
	if (pack->blobs.count > 1)
		qsort(pack->blobs.items, pack->blobs.count, sizeof(pack->blobs.items[0]),
		      compare_texts);
	return 0;
}

static int write_archive(struct pack *pack, enum place_kind kind, const char *digest, int fd,
			 struct error *err)
{
	auto_(tar_writer_release) struct tar_writer writer = {0};
	int r;

	tar_writer_init(&writer, fd);
	r = list_blobs(pack, err);
	if (r >= 0)
		r = archive_add_blob_directories(&writer, err);
	for (size_t i = 0; r >= 0 && i < pack->blobs.count; i++) {
		auto_free char *path = xasprintf(BLOBS "/%s", pack->blobs.items[i]);

		r = archive_add_file(&writer, path, pack->dir_fd, path, err);
	}
	if (r >= 0)
		r = kind == PLACE_DOCKER_ARCHIVE
			    ? add_docker_documents(pack, digest, &writer, err)
			    : archive_add_file(&writer, "index.json", pack->dir_fd, "index.json",
					       err);
	if (r >= 0)
		r = archive_add_text(&writer, "oci-layout", OCI_LAYOUT_TEXT, err);
	return r < 0 ? r : tar_writer_finish(&writer, err);
}

static int write_file(struct pack *pack, enum place_kind kind, const char *digest, const char *path,
		      struct error *err)
{
	auto_(output_file_release) struct output_file file = OUTPUT_FILE_EMPTY;
	int r;

	r = output_file_open(path, &file);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create '%s'", path);
	r = write_archive(pack, kind, digest, file.fd, err);
	if (r < 0)
		return r;
	r = output_file_commit(&file);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "create '%s'", path) : 0;
}

static int copy_to_layout(const struct image_copy_request *request, struct copy_end *source,
			  const char *layout, const char *name, char **ret_digest,
			  struct error *err)
{
	auto_(copy_end_free) struct copy_end *target = NULL;
	int r = copy_layout_open_at(layout, name, /* writing= */ true, &target, err);

	return r < 0 ? r : copy_run(request, source, target, ret_digest, err);
}

/* What a docker-archive calls its image is a whole reference; checked before anything is copied. */
static int name_image(struct pack *pack, const char *name, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	int r;

	if (!name)
		return 0;
	r = reference_parse(name, &reference, err);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(err, ERR_INVALID, 0, "'%s' is no name and tag", name);
	strv_add_take(&pack->names, reference_format(&reference));
	return 0;
}

int copy_pack(struct engine *engine, const struct image_copy_request *request,
	      struct copy_end *source, const struct place *target, char **ret_digest,
	      struct error *err)
{
	auto_(pack_release) struct pack pack = {.dir_fd = NO_FD};
	auto_free char *path = NULL, *name = NULL, *layout = NULL, *digest = NULL;
	bool docker = target->kind == PLACE_DOCKER_ARCHIVE;
	int r;

	place_split(target->name, &path, &name);
	r = docker ? name_image(&pack, name, err) : 0;
	if (r >= 0)
		r = engine_store(engine, &pack.store, err);
	if (r >= 0)
		r = store_staging_new(pack.store, &pack.staging, &pack.dir_fd, err);
	if (r < 0)
		return r;
	layout = xasprintf("%s/%s", engine_root_path(engine), pack.staging);
	r = copy_to_layout(request, source, layout, docker ? NULL : name, &digest, err);
	if (r >= 0)
		r = write_file(&pack, target->kind, digest, path, err);
	if (r < 0)
		return r;
	*ret_digest = TAKE_PTR(digest);
	return 0;
}
