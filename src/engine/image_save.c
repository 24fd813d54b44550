/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_save.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/output_file.h"
#include "base/sha256.h"
#include "engine/archive_entries.h"
#include "engine/emit.h"
#include "engine/image_internal.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "image/save_documents.h"
#include "image/tar_writer.h"

/* One image of the archive, with what it is made of. */
struct chosen {
	struct image_record record;
	struct strv names; /* those that were asked for, normalized */
	struct strv layers;
	struct platform platform;
	const char *manifest_media_type; /* a constant; NULL without a manifest */
	uint64_t manifest_bytes;
};

struct save {
	struct engine *engine;
	struct store *store;
	const struct save_request *request;
	struct chosen *items;
	size_t count;
	struct strv blobs; /* digests, sorted, none twice */
	int hold_fd;       /* keeps the blobs where they are */
};

static void save_release(struct save *save)
{
	for (size_t i = 0; i < save->count; i++) {
		image_record_release(&save->items[i].record);
		strv_release(&save->items[i].names);
		strv_release(&save->items[i].layers);
		platform_release(&save->items[i].platform);
	}
	free(save->items);
	strv_release(&save->blobs);
	cleanup_close_fd(&save->hold_fd);
}

DEFINE_CLEANUP_VALUE(struct save, save_release);

/* ---- which images ---- */

/* Takes the record; an image that is there already only gets more names. */
static void choose(struct save *save, struct image_record *record, const struct strv *names)
{
	struct chosen *chosen = NULL;

	for (size_t i = 0; i < save->count; i++)
		if (strcmp(save->items[i].record.id, record->id) == 0)
			chosen = &save->items[i];
	if (!chosen) {
		save->items = xreallocarray(save->items, save->count + 1, sizeof(save->items[0]));
		chosen = &save->items[save->count++];
		*chosen = (struct chosen){.record = *record};
		*record = (struct image_record){0};
	}
	for (size_t i = 0; i < names->count; i++)
		if (!strv_has(&chosen->names, names->items[i]))
			strv_add(&chosen->names, names->items[i]);
}

/* "busybox" is neither a tag nor a digest. */
static bool is_repository(const char *selector)
{
	const char *slash = strrchr(selector, '/');

	return !strpbrk(slash ? slash : selector, ":@");
}

/* All images that have a name in this repository; 1 when there are any. */
static int choose_repository(struct save *save, const struct reference *reference,
			     struct error *err)
{
	auto_free char *repository = reference_repository(reference);
	auto_(image_records_release) struct image_records records = {0};
	size_t len = strlen(repository);
	bool found = false;
	int r;

	r = image_record_list(save->store, &records, err);
	for (size_t i = 0; r >= 0 && i < records.count; i++) {
		const struct strv *all = &records.items[i].names;
		auto_(strv_release) struct strv names = {0};

		for (size_t k = 0; k < all->count; k++)
			if (strncmp(all->items[k], repository, len) == 0 &&
			    all->items[k][len] == ':')
				strv_add(&names, all->items[k]);
		if (names.count == 0)
			continue;
		choose(save, &records.items[i], &names);
		found = true;
	}
	return r < 0 ? r : found;
}

static int choose_named(struct save *save, const char *selector, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(image_record_release) struct image_record record = {0};
	auto_(error_release) struct error no_name = {0};
	auto_(strv_release) struct strv names = {0};
	bool named = reference_parse(selector, &reference, &no_name) >= 0;
	int r;

	if (named && is_repository(selector)) {
		r = choose_repository(save, &reference, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = image_find(save->engine, selector, &record, err);
	if (r < 0)
		return r;
	if (named && !reference.digest) {
		auto_free char *name = reference_format(&reference);

		if (strv_has(&record.names, name))
			strv_add(&names, name);
	}
	choose(save, &record, &names);
	return 0;
}

static int check_platform(struct save *save, struct chosen *chosen, struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	int r;

	r = image_config_parse(chosen->record.config, strlen(chosen->record.config), &config, err);
	if (r < 0)
		return r;
	if (save->request->platform)
		r = image_require_platform(chosen->names.count ? chosen->names.items[0]
							       : chosen->record.id,
					   &config, save->request->platform, err);
	if (r < 0)
		return r;
	chosen->platform = (struct platform){
		.os = TAKE_PTR(config.os),
		.architecture = TAKE_PTR(config.architecture),
		.variant = TAKE_PTR(config.variant),
	};
	return 0;
}

/* In the archive the image is called as the caller wants it. */
static int rename_chosen(struct save *save, const char *name, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	struct strv *names = &save->items[0].names;
	int r;

	if (save->count != 1)
		return err_set(err, ERR_INVALID, 0, "several images cannot have one name");
	r = reference_parse(name, &reference, err);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(err, ERR_INVALID, 0, "'%s' is no name and tag", name);
	strv_release(names);
	strv_add_take(names, reference_format(&reference));
	return 0;
}

/* ---- what they are made of ---- */

static int read_manifest(struct save *save, struct chosen *chosen, struct error *err)
{
	auto_(manifest_release) struct manifest manifest = {0};
	auto_free char *path = blob_path(chosen->record.manifest_digest);
	auto_free char *text = NULL;
	char digest[DIGEST_TEXT_LEN + 1];
	size_t len = 0;
	int r;

	r = fd_read_file_at(store_root_fd(save->store), path, MANIFEST_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the manifest %s",
			       chosen->record.manifest_digest);
	sha256_of(text, len, digest);
	if (strcmp(digest, chosen->record.manifest_digest) != 0)
		return err_set(err, ERR_INTERNAL, EBADMSG, "the manifest %s is damaged",
			       chosen->record.manifest_digest);
	r = manifest_parse(text, len, NULL, &manifest, err);
	if (r < 0)
		return r;
	chosen->manifest_bytes = len;
	/* Without a media type of its own it is OCI's: docker's must have one. */
	chosen->manifest_media_type =
		manifest.media_type && strcmp(manifest.media_type, MEDIA_DOCKER_MANIFEST) == 0
			? MEDIA_DOCKER_MANIFEST
			: MEDIA_OCI_MANIFEST;
	for (size_t i = 0; i < manifest.count; i++)
		strv_add(&chosen->layers, manifest.items[i].digest);
	strv_add(&save->blobs, digest);
	return 0;
}

/* An image whose layers have a compression that OCI has no name for has no manifest. */
static int ask_for_layers(struct save *save, struct chosen *chosen, struct error *err)
{
	const struct strv *chain_ids = &chosen->record.chain_ids;

	for (size_t i = 0; i < chain_ids->count; i++) {
		auto_free char *blob = NULL;
		uint64_t bytes = 0;
		int r = layer_describe(save->store, chain_ids->items[i], &bytes, &blob, err);

		if (r < 0)
			return r;
		if (!blob)
			return err_set(err, ERR_INTERNAL, 0, "nobody knows the blob of layer %s",
				       chain_ids->items[i]);
		strv_add(&chosen->layers, blob);
	}
	return 0;
}

static int look_into(struct save *save, struct chosen *chosen, struct error *err)
{
	int r;

	r = check_platform(save, chosen, err);
	if (r >= 0)
		r = chosen->record.manifest_digest ? read_manifest(save, chosen, err)
						   : ask_for_layers(save, chosen, err);
	if (r < 0)
		return r;
	strv_add(&save->blobs, chosen->record.id);
	strv_add_all(&save->blobs, &chosen->layers);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_blobs(struct strv *blobs)
{
	if (blobs->count > 1)
		qsort(blobs->items, blobs->count, sizeof(blobs->items[0]), compare_texts);
	for (size_t i = blobs->count; i-- > 1;)
		if (strcmp(blobs->items[i], blobs->items[i - 1]) == 0)
			strv_remove(blobs, i);
}

/* ---- the archive ---- */

static int write_blob(struct save *save, struct tar_writer *w, const char *digest,
		      struct error *err)
{
	auto_free char *path = blob_path(digest);
	auto_free char *name = save_blob_name(digest);

	return archive_add_file(w, name, store_root_fd(save->store), path, err);
}

static void describe(const struct save *save, struct saved_image *images, bool *ret_index)
{
	*ret_index = true;
	for (size_t i = 0; i < save->count; i++) {
		const struct chosen *chosen = &save->items[i];

		images[i] = (struct saved_image){
			.id = chosen->record.id,
			.manifest_digest = chosen->record.manifest_digest,
			.manifest_media_type = chosen->manifest_media_type,
			.manifest_bytes = chosen->manifest_bytes,
			.platform = &chosen->platform,
			.layers = &chosen->layers,
			.names = &chosen->names,
		};
		/* An index that leaves an image out would hide it from those who read it first. */
		if (!chosen->record.manifest_digest)
			*ret_index = false;
	}
}

static int write_documents(const struct save *save, struct tar_writer *w, struct error *err)
{
	auto_free struct saved_image *images = xcalloc(save->count + 1, sizeof(images[0]));
	auto_free char *manifest = NULL;
	bool with_index;
	int r = 0;

	describe(save, images, &with_index);
	manifest = save_manifest_text(images, save->count);
	if (with_index) {
		auto_free char *index = save_index_text(images, save->count);

		r = archive_add_text(w, "index.json", index, err);
	}
	if (r >= 0)
		r = archive_add_text(w, "manifest.json", manifest, err);
	if (r >= 0 && with_index)
		r = archive_add_text(w, "oci-layout", OCI_LAYOUT_TEXT, err);
	return r;
}

static int write_archive(struct save *save, int fd, struct error *err)
{
	auto_(tar_writer_release) struct tar_writer writer = {0};
	int r;

	tar_writer_init(&writer, fd);
	r = archive_add_blob_directories(&writer, err);
	for (size_t i = 0; r >= 0 && i < save->blobs.count; i++)
		r = write_blob(save, &writer, save->blobs.items[i], err);
	if (r >= 0)
		r = write_documents(save, &writer, err);
	return r < 0 ? r : tar_writer_finish(&writer, err);
}

static int write_to_file(struct save *save, const char *path, struct error *err)
{
	auto_(output_file_release) struct output_file file = OUTPUT_FILE_EMPTY;
	int r;

	r = output_file_open(path, &file);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create '%s'", path);
	r = write_archive(save, file.fd, err);
	if (r < 0)
		return err_wrap(err, r, "'%s'", path);
	r = output_file_commit(&file);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "create '%s'", path) : 0;
}

static int run_save(struct engine *engine, const struct save_request *request, struct error *err)
{
	auto_(save_release) struct save save = {
		.engine = engine,
		.request = request,
		.hold_fd = NO_FD,
	};
	int r;

	r = engine_store(engine, &save.store, err);
	if (r >= 0)
		r = image_store_begin(save.store, &save.hold_fd, err);
	for (size_t i = 0; r >= 0 && i < request->images->count; i++)
		r = choose_named(&save, request->images->items[i], err);
	if (r >= 0 && request->name)
		r = rename_chosen(&save, request->name, err);
	for (size_t i = 0; r >= 0 && i < save.count; i++)
		r = look_into(&save, &save.items[i], err);
	if (r < 0)
		return r;
	sort_blobs(&save.blobs);
	return request->path ? write_to_file(&save, request->path, err)
			     : write_archive(&save, request->fd, err);
}

static void emit_saved(struct engine *engine, const char *selector)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(error_release) struct error ignored = {0};

	if (image_find(engine, selector, &record, &ignored) >= 0)
		emit_image(engine, record.id, record.id, "save");
}

int image_save(struct engine *engine, const struct save_request *request, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	struct store *store;
	uint64_t bytes;
	int r;

	r = run_save(engine, request, err);
	for (size_t i = 0; r >= 0 && i < request->images->count; i++)
		emit_saved(engine, request->images->items[i]);
	/* What others removed meanwhile had to wait for us. */
	if (engine_store(engine, &store, &ignored) >= 0)
		(void)store_sweep(store, &bytes, &ignored);
	return r;
}
