/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save_documents.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "image/manifest.h"
#include "image/platform.h"
#include "image/reference.h"

#define DIGEST_PREFIX_LEN 7

char *save_blob_name(const char *digest)
{
	return xasprintf("blobs/sha256/%s", digest + DIGEST_PREFIX_LEN);
}

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static json_t *platform_object(const struct platform *platform)
{
	json_t *object = json_object();

	json_set_string(object, "architecture", platform->architecture);
	json_set_string(object, "os", platform->os);
	if (platform->variant)
		json_set_string(object, "variant", platform->variant);
	return object;
}

/* containerd and docker read the whole name, the OCI tools the tag alone. */
static json_t *annotations_of(const char *name)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error ignored = {0};
	json_t *object = json_object();

	json_set_string(object, "io.containerd.image.name", name);
	if (reference_parse(name, &reference, &ignored) == 0 && reference.tag)
		json_set_string(object, "org.opencontainers.image.ref.name", reference.tag);
	return object;
}

static json_t *index_entry(const struct saved_image *image, const char *name)
{
	json_t *entry = json_object();

	json_set_string(entry, "mediaType", image->manifest_media_type);
	json_set_string(entry, "digest", image->manifest_digest);
	set(entry, "size", json_integer((json_int_t)image->manifest_bytes));
	if (name)
		set(entry, "annotations", annotations_of(name));
	set(entry, "platform", platform_object(image->platform));
	return entry;
}

char *save_index_text(const struct saved_image *images, size_t count)
{
	auto_(json_decref) json_t *index = json_object();
	json_t *manifests = json_array();

	set(index, "schemaVersion", json_integer(2));
	json_set_string(index, "mediaType", MEDIA_OCI_INDEX);
	set(index, "manifests", manifests);
	for (size_t i = 0; i < count; i++) {
		const struct saved_image *image = &images[i];

		for (size_t k = 0; k < image->names->count; k++)
			(void)json_array_append_new(manifests,
						    index_entry(image, image->names->items[k]));
		if (image->names->count == 0)
			(void)json_array_append_new(manifests, index_entry(image, NULL));
	}
	return json_text(index);
}

static json_t *familiar_names(const struct strv *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->count; i++) {
		auto_(reference_release) struct reference reference = {0};
		auto_(error_release) struct error ignored = {0};
		auto_free char *familiar = NULL;

		if (reference_parse(names->items[i], &reference, &ignored) < 0)
			continue;
		familiar = reference_familiar(&reference);
		(void)json_array_append_new(list, json_string(familiar));
	}
	return list;
}

static json_t *docker_element(const struct saved_image *image)
{
	auto_free char *config = save_blob_name(image->id);
	json_t *element = json_object(), *layers = json_array();

	json_set_string(element, "Config", config);
	/* docker writes null where there are none. */
	set(element, "RepoTags",
	    image->names->count > 0 ? familiar_names(image->names) : json_null());
	for (size_t i = 0; i < image->layers->count; i++) {
		auto_free char *layer = save_blob_name(image->layers->items[i]);

		(void)json_array_append_new(layers, json_string(layer));
	}
	set(element, "Layers", layers);
	return element;
}

char *save_manifest_text(const struct saved_image *images, size_t count)
{
	auto_(json_decref) json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, docker_element(&images[i]));
	return json_text(list);
}
