/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts and skopeo's dir:.
 *
 * index.json lists images, or indexes of images for several platforms, or both. Entries with one
 * name are one image for several platforms; so is everything inside a nested index. Documents for
 * other platforms are not looked at when the index says what they are for: an archive may lack
 * them.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "image/archive_source_internal.h"
#include "image/manifest.h"

/* Indexes within indexes. */
#define MAX_NESTING 4

struct layout {
	const struct archive *archive;
	bool flat; /* dir: blobs lie at the top, manifests are called HEX.manifest.json */
	const struct source_request *request;
	struct source_budget *budget;
};

/* The best manifest met so far, and what was offered instead when there is none. */
struct choice {
	struct descriptor found; /* digest NULL: none */
	struct descriptor first; /* of all candidates, whatever it is for */
	size_t candidates;
	unsigned int match;
	bool tie; /* another one suits as well */
	struct strbuf offered;
};

static void choice_release(struct choice *choice)
{
	descriptor_release(&choice->found);
	descriptor_release(&choice->first);
	strbuf_release(&choice->offered);
}

DEFINE_CLEANUP_VALUE(struct choice, choice_release);

/* ---- documents ---- */

static char *blob_name(const struct layout *layout, const char *digest, bool is_manifest)
{
	const char *hex = digest + strlen("sha256:");

	if (!layout->flat)
		return xasprintf("blobs/sha256/%s", hex);
	return is_manifest ? xasprintf("%s.manifest.json", hex) : xstrdup(hex);
}

/* Reads a small blob: exists, has the size, has the digest. */
static int read_blob(const struct layout *layout, const struct descriptor *descriptor,
		     bool is_manifest, char **ret_text, size_t *ret_len, struct error *err)
{
	auto_free char *name = blob_name(layout, descriptor->digest, is_manifest);
	auto_free char *text = NULL;
	char digest[DIGEST_TEXT_LEN + 1];
	size_t len = 0;
	int r;

	r = archive_read(layout->archive, name, JSON_MAX_BYTES, &text, &len, err);
	if (r >= 0)
		r = source_budget_take(layout->budget, len, err);
	if (r < 0)
		return r;
	if (len != descriptor->size_bytes)
		return err_set(err, ERR_INVALID, EBADMSG, "blob %s has %zu bytes, not %llu",
			       descriptor->digest, len, (unsigned long long)descriptor->size_bytes);
	sha256_of(text, len, digest);
	if (strcmp(digest, descriptor->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "blob %s has another digest: %s",
			       descriptor->digest, digest);
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

static int read_manifest(const struct layout *layout, const struct descriptor *descriptor,
			 struct manifest *ret_manifest, char **ret_text, size_t *ret_len,
			 struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = read_blob(layout, descriptor, /* is_manifest= */ true, &text, &len, err);
	if (r < 0)
		return r;
	r = manifest_parse(text, len, descriptor->media_type, ret_manifest, err);
	if (r < 0)
		return err_wrap(err, r, "%s", descriptor->digest);
	if (ret_text) {
		*ret_text = TAKE_PTR(text);
		*ret_len = len;
	}
	return 0;
}

/* ---- choosing ---- */

static bool has_platform(const struct descriptor *descriptor)
{
	return descriptor->platform.os && descriptor->platform.architecture;
}

static void descriptor_copy(struct descriptor *to, const struct descriptor *from)
{
	descriptor_release(to);
	*to = (struct descriptor){
		.media_type = xstrdup_or_null(from->media_type),
		.digest = xstrdup(from->digest),
		.size_bytes = from->size_bytes,
		.platform = {.os = xstrdup_or_null(from->platform.os),
			     .architecture = xstrdup_or_null(from->platform.architecture),
			     .variant = xstrdup_or_null(from->platform.variant)},
	};
}

/* Of the configuration, where the index does not say. */
static int platform_of_config(const struct layout *layout, const struct manifest *manifest,
			      struct platform *ret_platform, struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = read_blob(layout, &manifest->config, /* is_manifest= */ false, &text, &len, err);
	if (r >= 0)
		r = image_config_parse(text, len, &config, err);
	if (r < 0)
		return r;
	*ret_platform = (struct platform){
		.os = TAKE_PTR(config.os),
		.architecture = TAKE_PTR(config.architecture),
		.variant = TAKE_PTR(config.variant),
	};
	return 0;
}

static void consider(const struct layout *layout, const struct descriptor *descriptor,
		     const struct platform *platform, struct choice *choice)
{
	unsigned int match = platform_match(layout->request->platform, platform);

	if (choice->candidates++ == 0)
		descriptor_copy(&choice->first, descriptor);
	if (match == 0) {
		auto_free char *text = platform_format(platform);

		if (choice->offered.len < 200)
			strbuf_addf(&choice->offered, "%s%.60s", choice->offered.len ? ", " : "",
				    text);
	} else if (match > choice->match) {
		descriptor_copy(&choice->found, descriptor);
		choice->match = match;
		choice->tie = false;
	} else if (match == choice->match &&
		   strcmp(choice->found.digest, descriptor->digest) != 0) {
		choice->tie = true;
	}
}

static int choose(const struct layout *layout, const struct descriptor *descriptor,
		  unsigned int depth, struct choice *choice, struct error *err);

static int choose_inside(const struct layout *layout, const struct manifest *index,
			 unsigned int depth, struct choice *choice, struct error *err)
{
	int r = 0;

	if (depth >= MAX_NESTING)
		return err_set(err, ERR_INVALID, 0, "indexes are nested too deep");
	for (size_t i = 0; r >= 0 && i < index->count; i++)
		r = choose(layout, &index->items[i], depth + 1, choice, err);
	return r;
}

static int choose(const struct layout *layout, const struct descriptor *descriptor,
		  unsigned int depth, struct choice *choice, struct error *err)
{
	auto_(manifest_release) struct manifest manifest = {0};
	auto_(platform_release) struct platform platform = {0};
	int r;

	if (descriptor->attestation)
		return 0;
	if (has_platform(descriptor)) {
		if (strcmp(descriptor->platform.os, "unknown") == 0)
			return 0; /* attestations, by convention of buildx */
		if (!descriptor->media_type ||
		    (strcmp(descriptor->media_type, MEDIA_OCI_INDEX) != 0 &&
		     strcmp(descriptor->media_type, MEDIA_DOCKER_LIST) != 0)) {
			consider(layout, descriptor, &descriptor->platform, choice);
			return 0;
		}
	}
	r = read_manifest(layout, descriptor, &manifest, NULL, NULL, err);
	if (r < 0)
		return r;
	if (manifest.kind == MANIFEST_INDEX)
		return choose_inside(layout, &manifest, depth, choice, err);
	r = platform_of_config(layout, &manifest, &platform, err);
	if (r < 0)
		return r;
	consider(layout, descriptor, &platform, choice);
	return 0;
}

/* Whatever it is for, when it is the only one and nobody asked for another. */
static void take_the_only_one(const struct layout *layout, struct choice *choice)
{
	if (!choice->found.digest && choice->candidates == 1 && layout->request->any_platform)
		descriptor_copy(&choice->found, &choice->first);
}

static int nothing_suits(const struct layout *layout, const struct choice *choice, const char *what,
			 struct error *err)
{
	auto_free char *ours = platform_format(layout->request->platform);

	if (choice->offered.len == 0)
		return err_set(err, ERR_INVALID, 0,
			       "image '%.100s': nothing in its index is an "
			       "image",
			       what);
	return err_set(err, ERR_UNAVAILABLE, 0, "image '%.100s' is for %s, this machine is %s",
		       what, strbuf_text(&choice->offered), ours);
}

/* ---- images ---- */

static int locate_layers(const struct layout *layout, const struct manifest *manifest,
			 struct source_image *image, struct error *err)
{
	int r;

	image->layers = xcalloc(manifest->count + 1, sizeof(image->layers[0]));
	for (size_t i = 0; i < manifest->count; i++) {
		const struct descriptor *descriptor = &manifest->items[i];
		auto_(archive_file_release) struct archive_file file = {.fd = NO_FD};
		struct source_layer *layer = &image->layers[i];

		layer->file = blob_name(layout, descriptor->digest, /* is_manifest= */ false);
		image->layer_count = i + 1;
		r = archive_open(layout->archive, layer->file, &file, err);
		if (r < 0)
			return err_wrap(err, r, "layer %zu of %zu", i + 1, manifest->count);
		if (file.size_bytes != descriptor->size_bytes)
			return err_set(err, ERR_INVALID, EBADMSG,
				       "layer %zu of %zu: blob %s has %llu bytes, not %llu", i + 1,
				       manifest->count, descriptor->digest,
				       (unsigned long long)file.size_bytes,
				       (unsigned long long)descriptor->size_bytes);
		layer->digest = xstrdup(descriptor->digest);
		layer->size_bytes = descriptor->size_bytes;
	}
	return 0;
}

/* `image` has its manifest's text and digest, and its names. */
static int add_image(const struct layout *layout, const struct manifest *manifest, const char *what,
		     struct source_image *image, struct source_images *images, struct error *err)
{
	int r;

	r = read_blob(layout, &manifest->config, /* is_manifest= */ false, &image->config_text,
		      &image->config_len, err);
	if (r >= 0)
		r = locate_layers(layout, manifest, image, err);
	if (r >= 0)
		r = source_image_check(
			image, what,
			layout->request->any_platform ? NULL : layout->request->platform, err);
	if (r < 0)
		return r;
	source_images_add(images, image);
	return 0;
}

static int add_chosen(const struct layout *layout, const struct descriptor *descriptor,
		      const struct strv *names, const char *what, struct source_images *images,
		      struct error *err)
{
	auto_(source_image_release) struct source_image image = {0};
	auto_(manifest_release) struct manifest manifest = {0};
	int r;

	r = read_manifest(layout, descriptor, &manifest, &image.manifest_text, &image.manifest_len,
			  err);
	if (r < 0)
		return r;
	if (manifest.kind != MANIFEST_IMAGE)
		return err_set(err, ERR_INVALID, 0, "%s is an index where a manifest belongs",
			       descriptor->digest);
	image.manifest_digest = xstrdup(descriptor->digest);
	for (size_t i = 0; i < names->count; i++) {
		r = source_image_add_name(&image, names->items[i], err);
		if (r < 0)
			return r;
	}
	return add_image(layout, &manifest, what, &image, images, err);
}

/* ---- OCI layouts ---- */

/*
 * containerd's annotation is a whole name. The standard one is only a tag by its definition, but
 * podman, skopeo and buildah put whole names there too: those with a tag or a path are taken.
 */
static const char *entry_name(const struct descriptor *entry)
{
	if (entry->name)
		return entry->name;
	if (entry->ref_name && strpbrk(entry->ref_name, ":/"))
		return entry->ref_name;
	return NULL;
}

/* What entries of one image have in common; "" when they have no name of any kind. */
static const char *entry_key(const struct descriptor *entry)
{
	if (entry->name)
		return entry->name;
	return entry->ref_name ? entry->ref_name : "";
}

static bool is_wanted(const struct descriptor *entry, const char *reference)
{
	if (!reference)
		return true;
	if (entry->ref_name && source_name_matches(entry->ref_name, reference))
		return true;
	return entry->name && source_name_matches(entry->name, reference);
}

static bool is_first_of_key(const struct manifest *index, size_t position)
{
	for (size_t i = 0; i < position; i++)
		if (strcmp(entry_key(&index->items[i]), entry_key(&index->items[position])) == 0)
			return false;
	return true;
}

/* RepoTags of the manifest.json that newer docker archives have beside the index. */
static int names_from_docker(const struct archive *archive, const char *config_digest,
			     struct strv *names, struct error *err)
{
	auto_(docker_save_release) struct docker_save save = {0};
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (!archive_has(archive, "manifest.json"))
		return 0;
	r = archive_read(archive, "manifest.json", JSON_MAX_BYTES, &text, &len, err);
	if (r >= 0)
		r = docker_save_parse(text, len, &save, err);
	for (size_t i = 0; r >= 0 && i < save.count; i++)
		if (strstr(save.items[i].config, config_digest + strlen("sha256:")))
			strv_add_all(names, &save.items[i].names);
	return r;
}

static int load_group(const struct layout *layout, const struct manifest *index, size_t first,
		      struct source_images *images, struct error *err)
{
	const struct descriptor *entry = &index->items[first];
	const char *key = entry_key(entry);
	const char *what = *key ? key : entry->digest;
	auto_(choice_release) struct choice choice = {0};
	auto_(strv_release) struct strv names = {0};
	int r;

	for (size_t i = first; i < index->count; i++) {
		if (strcmp(entry_key(&index->items[i]), key) != 0)
			continue;
		r = choose(layout, &index->items[i], 0, &choice, err);
		if (r < 0)
			return r;
		if (entry_name(&index->items[i]) && !strv_has(&names, entry_name(&index->items[i])))
			strv_add(&names, entry_name(&index->items[i]));
	}
	take_the_only_one(layout, &choice);
	if (!choice.found.digest)
		return nothing_suits(layout, &choice, what, err);
	if (choice.tie)
		return err_set(err, ERR_CONFLICT, 0,
			       "image '%.100s': several manifests suit this machine equally", what);
	return add_chosen(layout, &choice.found, &names, what, images, err);
}

/* Entries without any name are images of their own, as long as they are for us. */
static int load_unnamed(const struct layout *layout, const struct manifest *index,
			struct source_images *images, struct error *err)
{
	auto_(choice_release) struct choice all = {0};
	const struct strv no_names = {0};
	bool found = false;
	int r;

	for (size_t i = 0; i < index->count; i++) {
		auto_(choice_release) struct choice choice = {0};

		if (*entry_key(&index->items[i]))
			continue;
		r = choose(layout, &index->items[i], 0, &choice, err);
		if (r < 0)
			return r;
		if (choice.tie)
			return err_set(err, ERR_CONFLICT, 0,
				       "%s: several manifests suit this machine equally",
				       index->items[i].digest);
		if (choice.offered.len > 0 && all.offered.len < 200)
			strbuf_addf(&all.offered, "%s%s", all.offered.len ? ", " : "",
				    strbuf_text(&choice.offered));
		all.candidates += choice.candidates;
		if (choice.first.digest)
			descriptor_copy(&all.first, &choice.first);
		if (!choice.found.digest)
			continue;
		found = true;
		r = add_chosen(layout, &choice.found, &no_names, choice.found.digest, images, err);
		if (r < 0)
			return r;
	}
	if (found)
		return 0;
	take_the_only_one(layout, &all);
	return all.found.digest
		       ? add_chosen(layout, &all.found, &no_names, all.found.digest, images, err)
		       : nothing_suits(layout, &all, "without a name", err);
}

static int read_index(const struct archive *archive, struct manifest *ret_index, struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = archive_read(archive, "index.json", MANIFEST_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	r = manifest_parse(text, len, NULL, ret_index, err);
	if (r < 0)
		return err_wrap(err, r, "index.json");
	if (ret_index->kind != MANIFEST_INDEX)
		return err_set(err, ERR_INVALID, 0, "index.json is not an index");
	return 0;
}

int oci_images_read(const struct archive *archive, const struct source_request *request,
		    struct source_images *images, struct error *err)
{
	struct source_budget budget = {0};
	const struct layout layout = {.archive = archive, .request = request, .budget = &budget};
	auto_(manifest_release) struct manifest index = {0};
	bool unnamed_done = false;
	int r;

	r = read_index(archive, &index, err);
	for (size_t i = 0; r >= 0 && i < index.count; i++) {
		if (!is_wanted(&index.items[i], request->reference))
			continue;
		if (*entry_key(&index.items[i])) {
			if (is_first_of_key(&index, i))
				r = load_group(&layout, &index, i, images, err);
		} else if (!unnamed_done) {
			r = load_unnamed(&layout, &index, images, err);
			unnamed_done = true;
		}
	}
	for (size_t i = 0; r >= 0 && i < images->count; i++) {
		struct source_image *image = &images->items[i];
		auto_(strv_release) struct strv names = {0};

		if (image->names.count == 0)
			r = names_from_docker(archive, image->id, &names, err);
		for (size_t k = 0; r >= 0 && k < names.count; k++)
			r = source_image_add_name(image, names.items[k], err);
	}
	return r;
}

/* ---- dir: ---- */

int dir_images_read(const struct archive *archive, const struct source_request *request,
		    struct source_images *images, struct error *err)
{
	struct source_budget budget = {0};
	const struct layout layout = {
		.archive = archive,
		.flat = true,
		.request = request,
		.budget = &budget,
	};
	auto_(source_image_release) struct source_image image = {0};
	auto_(manifest_release) struct manifest manifest = {0};
	auto_(choice_release) struct choice choice = {0};
	const struct strv no_names = {0};
	char digest[DIGEST_TEXT_LEN + 1];
	int r;

	r = archive_read(archive, "manifest.json", MANIFEST_MAX_BYTES, &image.manifest_text,
			 &image.manifest_len, err);
	if (r < 0)
		return r;
	r = manifest_parse(image.manifest_text, image.manifest_len, NULL, &manifest, err);
	if (r < 0)
		return r;
	sha256_of(image.manifest_text, image.manifest_len, digest);
	if (manifest.kind == MANIFEST_IMAGE) {
		image.manifest_digest = xstrdup(digest);
		return add_image(&layout, &manifest, digest, &image, images, err);
	}
	r = choose_inside(&layout, &manifest, 0, &choice, err);
	if (r < 0)
		return r;
	if (!choice.found.digest)
		return nothing_suits(&layout, &choice, digest, err);
	return add_chosen(&layout, &choice.found, &no_names, digest, images, err);
}
