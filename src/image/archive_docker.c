/* SPDX-License-Identifier: Apache-2.0 */
/* Archives by `docker save`: manifest.json names a configuration and layers for each image. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/sha256.h"
#include "image/archive_source_internal.h"
#include "image/manifest.h"

#define HEX_DIGITS 64

static bool is_wanted(const struct docker_save_image *entry, const char *reference)
{
	if (!reference)
		return true;
	for (size_t i = 0; i < entry->names.count; i++)
		if (source_name_matches(entry->names.items[i], reference))
			return true;
	return false;
}

/* "HEX.json" and "blobs/sha256/HEX" say what the file must hash to. */
static int check_config_name(const char *file, const char *text, size_t len, struct error *err)
{
	const char *base = path_basename(file);
	char digest[DIGEST_TEXT_LEN + 1];

	if (strspn(base, "0123456789abcdef") != HEX_DIGITS ||
	    (base[HEX_DIGITS] != '\0' && base[HEX_DIGITS] != '.'))
		return 0;
	sha256_of(text, len, digest);
	if (strncmp(digest + strlen("sha256:"), base, HEX_DIGITS) != 0)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the configuration '%.200s' does not match its digest", file);
	return 0;
}

static int locate_layers(const struct archive *archive, const struct docker_save_image *entry,
			 struct source_image *image, struct error *err)
{
	int r;

	image->layers = xcalloc(entry->layers.count + 1, sizeof(image->layers[0]));
	for (size_t i = 0; i < entry->layers.count; i++) {
		auto_(archive_file_release) struct archive_file file = {.fd = NO_FD};

		r = archive_open(archive, entry->layers.items[i], &file, err);
		if (r < 0)
			return err_wrap(err, r, "layer %zu of %zu", i + 1, entry->layers.count);
		image->layers[i].file = xstrdup(entry->layers.items[i]);
		image->layers[i].size_bytes = file.size_bytes;
		image->layer_count = i + 1;
	}
	return 0;
}

static int read_image(const struct archive *archive, const struct docker_save_image *entry,
		      const struct platform *platform, struct source_budget *budget,
		      struct source_images *images, struct error *err)
{
	auto_(source_image_release) struct source_image image = {0};
	const char *what = entry->names.count ? entry->names.items[0] : entry->config;
	int r;

	r = archive_read(archive, entry->config, JSON_MAX_BYTES, &image.config_text,
			 &image.config_len, err);
	if (r >= 0)
		r = source_budget_take(budget, image.config_len, err);
	if (r < 0)
		return r;
	r = check_config_name(entry->config, image.config_text, image.config_len, err);
	if (r >= 0)
		r = locate_layers(archive, entry, &image, err);
	for (size_t i = 0; r >= 0 && i < entry->names.count; i++)
		r = source_image_add_name(&image, entry->names.items[i], err);
	if (r >= 0)
		r = source_image_check(&image, what, platform, err);
	if (r < 0)
		return r;
	source_images_add(images, &image);
	return 0;
}

int docker_images_read(const struct archive *archive, const struct source_request *request,
		       struct source_images *images, struct error *err)
{
	auto_(docker_save_release) struct docker_save save = {0};
	struct source_budget budget = {0};
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = archive_read(archive, "manifest.json", JSON_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	r = docker_save_parse(text, len, &save, err);
	for (size_t i = 0; r >= 0 && i < save.count; i++)
		if (is_wanted(&save.items[i], request->reference))
			r = read_image(archive, &save.items[i],
				       request->any_platform ? NULL : request->platform, &budget,
				       images, err);
	return r;
}
