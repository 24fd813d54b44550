/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive_source.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "image/archive_source_internal.h"
#include "image/manifest.h"
#include "image/reference.h"

static const char *const layout_names[] = {
	[LAYOUT_DOCKER] = "a docker archive",
	[LAYOUT_OCI] = "an OCI image layout",
	[LAYOUT_DIR] = "a dir: image",
};

static_assert(ARRAY_SIZE(layout_names) == ARCHIVE_LAYOUT_COUNT, "every layout has a name");

void source_image_release(struct source_image *image)
{
	free(image->id);
	free(image->config_text);
	image_config_release(&image->config);
	free(image->manifest_text);
	free(image->manifest_digest);
	for (size_t i = 0; i < image->layer_count; i++) {
		free(image->layers[i].file);
		free(image->layers[i].digest);
	}
	free(image->layers);
	strv_release(&image->names);
	*image = (struct source_image){0};
}

void source_images_release(struct source_images *images)
{
	for (size_t i = 0; i < images->count; i++)
		source_image_release(&images->items[i]);
	free(images->items);
	*images = (struct source_images){0};
}

void source_images_add(struct source_images *images, struct source_image *image)
{
	/* One image under several names is one image. */
	for (size_t i = 0; i < images->count; i++) {
		struct strv *names = &images->items[i].names;

		if (strcmp(images->items[i].id, image->id) != 0)
			continue;
		for (size_t k = 0; k < image->names.count; k++)
			if (!strv_has(names, image->names.items[k]))
				strv_add(names, image->names.items[k]);
		source_image_release(image);
		return;
	}
	images->items = xreallocarray(images->items, images->count + 1, sizeof(images->items[0]));
	images->items[images->count++] = *image;
	*image = (struct source_image){0};
}

int source_image_add_name(struct source_image *image, const char *name, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_free char *normal = NULL;
	int r;

	r = reference_parse(name, &reference, err);
	if (r < 0)
		return r;
	normal = reference_format(&reference);
	if (!strv_has(&image->names, normal))
		strv_add(&image->names, normal);
	return 0;
}

bool source_name_matches(const char *name, const char *reference)
{
	auto_(reference_release) struct reference a = {0}, b = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *x = NULL, *y = NULL;

	if (strcmp(name, reference) == 0)
		return true;
	if (reference_parse(name, &a, &ignored) < 0 || reference_parse(reference, &b, &ignored) < 0)
		return false;
	x = reference_format(&a);
	y = reference_format(&b);
	return strcmp(x, y) == 0;
}

int source_image_check(struct source_image *image, const char *what,
		       const struct platform *platform, struct error *err)
{
	char digest[DIGEST_TEXT_LEN + 1];
	struct platform offered;
	int r;

	r = image_config_parse(image->config_text, image->config_len, &image->config, err);
	if (r < 0)
		return err_wrap(err, r, "image '%.100s'", what);
	sha256_of(image->config_text, image->config_len, digest);
	image->id = xstrdup(digest);
	if (image->config.diff_ids.count != image->layer_count)
		return err_set(err, ERR_INVALID, 0,
			       "image '%.100s': the configuration has %zu layers, the manifest %zu",
			       what, image->config.diff_ids.count, image->layer_count);
	offered = (struct platform){
		.os = image->config.os,
		.architecture = image->config.architecture,
		.variant = image->config.variant,
	};
	if (platform && platform_match(platform, &offered) == 0) {
		auto_free char *theirs = platform_format(&offered);
		auto_free char *ours = platform_format(platform);

		return err_set(err, ERR_UNAVAILABLE, 0, "image '%.100s' is for %.100s, not for %s",
			       what, theirs, ours);
	}
	return 0;
}

/* manifest.json is a list in docker's archives and an object in skopeo's directories. */
static int layout_of_manifest(const struct archive *archive, enum archive_layout *ret_layout,
			      struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = archive_read(archive, "manifest.json", JSON_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	*ret_layout = text[strspn(text, " \t\r\n")] == '{' ? LAYOUT_DIR : LAYOUT_DOCKER;
	return 0;
}

static int find_layout(const struct archive *archive, enum archive_layout *ret_layout,
		       struct error *err)
{
	if (archive_has(archive, "index.json")) {
		*ret_layout = LAYOUT_OCI;
		return 0;
	}
	if (archive_has(archive, "manifest.json"))
		return layout_of_manifest(archive, ret_layout, err);
	if (archive_has(archive, "repositories"))
		return err_set(err, ERR_INVALID, 0,
			       "an archive of docker before 1.10: load and save it with a newer "
			       "docker first");
	return err_set(err, ERR_INVALID, 0,
		       "no image: there is neither a manifest.json nor an index.json");
}

/* What was asked for must be there; an archive of newer docker is of two layouts at once. */
static int choose_layout(const struct archive *archive, const struct source_request *request,
			 enum archive_layout *ret_layout, struct error *err)
{
	enum archive_layout found = LAYOUT_DOCKER;
	int r;

	r = find_layout(archive, &found, err);
	if (r < 0)
		return r;
	if (request->layout_set && request->layout == LAYOUT_DOCKER && found == LAYOUT_OCI &&
	    archive_has(archive, "manifest.json")) {
		*ret_layout = found;
		return 0;
	}
	if (request->layout_set && request->layout != found)
		return err_set(err, ERR_INVALID, 0, "this is %s, not %s", layout_names[found],
			       layout_names[request->layout]);
	*ret_layout = found;
	return 0;
}

int source_budget_take(struct source_budget *budget, size_t len, struct error *err)
{
	if (len > SOURCE_BUDGET_BYTES - budget->used_bytes)
		return err_set(err, ERR_INVALID, E2BIG,
			       "the archive's JSON documents are longer than %zu bytes together",
			       SOURCE_BUDGET_BYTES);
	budget->used_bytes += len;
	return 0;
}

/* All names; the id of an image without one. */
static char *list_names(const struct source_images *images)
{
	auto_(strv_release) struct strv list = {0};

	for (size_t i = 0; i < images->count; i++) {
		const struct source_image *image = &images->items[i];

		strv_add_all(&list, &image->names);
		if (image->names.count == 0)
			strv_add(&list, image->id);
	}
	return strv_join(&list, ", ");
}

static int read_layout(const struct archive *archive, const struct source_request *request,
		       enum archive_layout layout, struct source_images *images, struct error *err)
{
	switch (layout) {
	case LAYOUT_DOCKER:
		return docker_images_read(archive, request, images, err);
	case LAYOUT_OCI:
		return oci_images_read(archive, request, images, err);
	case LAYOUT_DIR:
		return dir_images_read(archive, request, images, err);
	}
	return err_set(err, ERR_INTERNAL, 0, "no such layout");
}

static int no_such_image(const struct archive *archive, const struct source_request *request,
			 enum archive_layout layout, struct error *err)
{
	struct source_request all = *request;
	auto_(source_images_release) struct source_images images = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *list = NULL;

	all.reference = NULL;
	if (read_layout(archive, &all, layout, &images, &ignored) < 0 || images.count == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "there is no image '%s'", request->reference);
	list = list_names(&images);
	return err_set(err, ERR_NOT_FOUND, 0, "there is no image '%s', only %s", request->reference,
		       list);
}

int source_images_read(const struct archive *archive, const struct source_request *request,
		       struct source_images *ret_images, struct error *err)
{
	auto_(source_images_release) struct source_images images = {0};
	enum archive_layout layout = LAYOUT_DOCKER;
	int r;

	r = choose_layout(archive, request, &layout, err);
	if (r < 0)
		return r;
	r = read_layout(archive, request, layout, &images, err);
	if (r < 0)
		return r;
	if (images.count == 0 && request->reference)
		return no_such_image(archive, request, layout, err);
	if (images.count == 0)
		return err_set(err, ERR_INVALID, 0, "there is no image");
	if (request->single && images.count > 1) {
		auto_free char *list = list_names(&images);

		return err_set(err, ERR_CONFLICT, 0, "there are several images, name one of %s",
			       list);
	}
	images.layout = layout;
	*ret_images = images;
	images = (struct source_images){0};
	return 0;
}
