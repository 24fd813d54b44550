/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/strbuf.h"

/* No single blob is larger than this. */
#define BLOB_MAX_BYTES ((json_int_t)1 << 40)

#define MEDIA_TYPE_MAX_LEN 255
#define NAME_MAX_LEN 1024
#define URL_MAX_LEN 4096
#define URLS_MAX 8

void descriptor_release(struct descriptor *descriptor)
{
	free(descriptor->media_type);
	free(descriptor->digest);
	free(descriptor->name);
	free(descriptor->ref_name);
	platform_release(&descriptor->platform);
	strv_release(&descriptor->urls);
	*descriptor = (struct descriptor){0};
}

void manifest_release(struct manifest *manifest)
{
	free(manifest->media_type);
	descriptor_release(&manifest->config);
	for (size_t i = 0; i < manifest->count; i++)
		descriptor_release(&manifest->items[i]);
	free(manifest->items);
	*manifest = (struct manifest){0};
}

static int bad(struct error *err, const char *why)
{
	return err_set(err, ERR_INVALID, 0, "manifest: %s", why);
}

/* A member that may be absent; when there it is a text of bounded length without NUL. */
static int optional_text(const json_t *object, const char *member, size_t max_len, char **ret_text,
			 struct error *err)
{
	const json_t *value = json_object_get(object, member);
	const char *text = json_string_value(value);

	if (!value || json_is_null(value))
		return 0;
	if (!text || strlen(text) != json_string_length(value) || strlen(text) > max_len)
		return err_set(err, ERR_INVALID, 0, "manifest: '%s' is not a short text", member);
	if (text[0])
		*ret_text = xstrdup(text);
	return 0;
}

static int parse_platform(const json_t *object, struct platform *platform, struct error *err)
{
	int r;

	if (!object || json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return bad(err, "a platform is not an object");
	r = optional_text(object, "os", MEDIA_TYPE_MAX_LEN, &platform->os, err);
	if (r >= 0)
		r = optional_text(object, "architecture", MEDIA_TYPE_MAX_LEN,
				  &platform->architecture, err);
	if (r >= 0)
		r = optional_text(object, "variant", MEDIA_TYPE_MAX_LEN, &platform->variant, err);
	return r;
}

static int parse_annotations(const json_t *object, struct descriptor *descriptor, struct error *err)
{
	int r;

	if (!object || json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return bad(err, "annotations are not an object");
	r = optional_text(object, "io.containerd.image.name", NAME_MAX_LEN, &descriptor->name, err);
	if (r >= 0)
		r = optional_text(object, "org.opencontainers.image.ref.name", NAME_MAX_LEN,
				  &descriptor->ref_name, err);
	descriptor->attestation = json_object_get(object, "vnd.docker.reference.type") != NULL;
	return r;
}

static int parse_urls(const json_t *array, struct descriptor *descriptor, struct error *err)
{
	const json_t *item;
	size_t i;

	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array) || json_array_size(array) > URLS_MAX)
		return bad(err, "'urls' is not a short list");
	json_array_foreach (array, i, item) {
		const char *url = json_string_value(item);

		if (!url || strlen(url) > URL_MAX_LEN)
			return bad(err, "one of 'urls' is not a short text");
		strv_add(&descriptor->urls, url);
	}
	return 0;
}

static int parse_descriptor(const json_t *object, struct descriptor *ret_descriptor,
			    struct error *err)
{
	auto_(descriptor_release) struct descriptor descriptor = {0};
	const json_t *size = json_object_get(object, "size");
	int r;

	if (!json_is_object(object))
		return bad(err, "a descriptor is not an object");
	r = optional_text(object, "digest", MEDIA_TYPE_MAX_LEN, &descriptor.digest, err);
	if (r >= 0)
		r = optional_text(object, "mediaType", MEDIA_TYPE_MAX_LEN, &descriptor.media_type,
				  err);
	if (r < 0)
		return r;
	if (!descriptor.digest || !digest_is_valid(descriptor.digest))
		return bad(err, "a descriptor has no valid sha256 digest");
	if (!json_is_integer(size) || json_integer_value(size) < 0 ||
	    json_integer_value(size) > BLOB_MAX_BYTES)
		return err_set(err, ERR_INVALID, 0, "manifest: the size of %s is not valid",
			       descriptor.digest);
	descriptor.size_bytes = (uint64_t)json_integer_value(size);
	r = parse_platform(json_object_get(object, "platform"), &descriptor.platform, err);
	if (r >= 0)
		r = parse_annotations(json_object_get(object, "annotations"), &descriptor, err);
	if (r >= 0)
		r = parse_urls(json_object_get(object, "urls"), &descriptor, err);
	if (r < 0)
		return r;
	*ret_descriptor = descriptor;
	descriptor = (struct descriptor){0};
	return 0;
}

static int parse_items(const json_t *array, size_t max_count, struct manifest *manifest,
		       struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	if (!json_is_array(array))
		return bad(err, "the list of descriptors is not a list");
	if (json_array_size(array) > max_count)
		return err_set(err, ERR_INVALID, 0, "manifest: more than %zu descriptors",
			       max_count);
	manifest->items = xcalloc(json_array_size(array) + 1, sizeof(manifest->items[0]));
	json_array_foreach (array, i, item) {
		r = parse_descriptor(item, &manifest->items[i], err);
		if (r < 0)
			return r;
		manifest->count = i + 1;
	}
	return 0;
}

static bool is_index_type(const char *media_type)
{
	return strcmp(media_type, MEDIA_OCI_INDEX) == 0 ||
	       strcmp(media_type, MEDIA_DOCKER_LIST) == 0;
}

static bool is_manifest_type(const char *media_type)
{
	return strcmp(media_type, MEDIA_OCI_MANIFEST) == 0 ||
	       strcmp(media_type, MEDIA_DOCKER_MANIFEST) == 0;
}

/* What `media_type` says must be what was found. NULL says nothing. */
static int check_media_type(const char *media_type, enum manifest_kind kind, struct error *err)
{
	if (!media_type)
		return 0;
	if (kind == MANIFEST_INDEX ? is_index_type(media_type) : is_manifest_type(media_type))
		return 0;
	if (is_index_type(media_type) || is_manifest_type(media_type))
		return bad(err, "media type and content disagree");
	return err_set(err, ERR_INVALID, 0, "manifest: media type '%s' is not supported",
		       media_type);
}

static int find_kind(const json_t *root, enum manifest_kind *ret_kind, struct error *err)
{
	bool index = json_object_get(root, "manifests");
	bool image = json_object_get(root, "layers") || json_object_get(root, "config");

	if (json_object_get(root, "fsLayers"))
		return bad(err, "the format of 2013 (schema 1) is not supported");
	if (index && image)
		return bad(err, "ambiguous: it is both a manifest and an index");
	if (!index && !image)
		return bad(err, "neither a manifest nor an index");
	*ret_kind = index ? MANIFEST_INDEX : MANIFEST_IMAGE;
	return 0;
}

static int check_same(const char *said, const char *expected, struct error *err)
{
	if (said && expected && strcmp(said, expected) != 0)
		return bad(err, "its media type is not the one that its descriptor gave");
	return 0;
}

static int parse_image(const json_t *root, struct manifest *manifest, struct error *err)
{
	const char *type;
	int r;

	r = parse_descriptor(json_object_get(root, "config"), &manifest->config, err);
	if (r < 0)
		return r;
	type = manifest->config.media_type;
	if (type && strcmp(type, MEDIA_OCI_CONFIG) != 0 && strcmp(type, MEDIA_DOCKER_CONFIG) != 0)
		return err_set(err, ERR_INVALID, 0,
			       "manifest: this is not an image of files, its configuration is "
			       "'%s'",
			       type);
	return parse_items(json_object_get(root, "layers"), MANIFEST_MAX_LAYERS, manifest, err);
}

int manifest_parse(const char *text, size_t len, const char *expected_media_type,
		   struct manifest *ret_manifest, struct error *err)
{
	auto_(manifest_release) struct manifest manifest = {0};
	auto_(json_decref) json_t *root = NULL;
	int r;

	if (len > MANIFEST_MAX_BYTES)
		return bad(err, "too long");
	r = json_parse(text, len, "manifest", &root, err);
	if (r < 0)
		return r;
	if (!json_is_object(root))
		return bad(err, "not a JSON object");
	if (json_get_int(root, "schemaVersion", 2) != 2)
		return bad(err, "schemaVersion is not 2");
	r = find_kind(root, &manifest.kind, err);
	if (r >= 0)
		r = optional_text(root, "mediaType", MEDIA_TYPE_MAX_LEN, &manifest.media_type, err);
	if (r >= 0)
		r = check_media_type(manifest.media_type, manifest.kind, err);
	if (r >= 0)
		r = check_media_type(expected_media_type, manifest.kind, err);
	if (r >= 0)
		r = check_same(manifest.media_type, expected_media_type, err);
	if (r < 0)
		return r;
	if (manifest.kind == MANIFEST_INDEX)
		r = parse_items(json_object_get(root, "manifests"), INDEX_MAX_ENTRIES, &manifest,
				err);
	else
		r = parse_image(root, &manifest, err);
	if (r < 0)
		return r;
	*ret_manifest = manifest;
	manifest = (struct manifest){0};
	return 0;
}

/* ---- choosing ---- */

#define OFFERED_MAX_LEN 200

static bool is_candidate(const struct manifest *index, const struct descriptor *item)
{
	if (item->attestation)
		return false;
	if (!item->platform.os || !item->platform.architecture)
		return index->count == 1;
	/* Attestations again, by convention of buildx. */
	return strcmp(item->platform.os, "unknown") != 0;
}

int manifest_choose(const struct manifest *index, const struct platform *wanted, char **ret_offered)
{
	auto_(strbuf_release) struct strbuf offered = {0};
	unsigned int best = 0;
	int found = -ENOENT;

	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *item = &index->items[i];
		auto_free char *text = NULL;
		unsigned int match;

		if (!is_candidate(index, item))
			continue;
		if (!item->platform.os || !item->platform.architecture)
			return (int)i;
		match = platform_match(wanted, &item->platform);
		if (match > best) {
			best = match;
			found = (int)i;
		}
		text = platform_format(&item->platform);
		if (offered.len < OFFERED_MAX_LEN)
			strbuf_addf(&offered, "%s%.60s", offered.len ? ", " : "", text);
	}
	if (found < 0)
		*ret_offered = strbuf_take(&offered);
	return found;
}
