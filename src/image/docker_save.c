/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.json of `docker save` archives. */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "image/manifest.h"

#define MAX_IMAGES 1024
#define MAX_NAMES 1024
#define PATH_MAX_LEN 1024

static void image_release(struct docker_save_image *image)
{
	free(image->config);
	strv_release(&image->names);
	strv_release(&image->layers);
}

void docker_save_release(struct docker_save *save)
{
	for (size_t i = 0; i < save->count; i++)
		image_release(&save->items[i]);
	free(save->items);
	*save = (struct docker_save){0};
}

/* Relative, without empty, "." and ".." components: it is looked up in a list, as it is. */
static bool path_is_clean(const char *path)
{
	if (!path[0] || strlen(path) > PATH_MAX_LEN)
		return false;
	for (const char *part = path;;) {
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') || strncmp(part, "../", 3) == 0 ||
		    strcmp(part, "..") == 0)
			return false;
		if (!part[len])
			return true;
		part += len + 1;
	}
}

static int check_path(const json_t *value, struct error *err)
{
	const char *path = json_string_value(value);

	if (!path || strlen(path) != json_string_length(value))
		return err_set(err, ERR_INVALID, 0, "manifest.json: a file's name is not a text");
	if (!path_is_clean(path))
		return err_set(err, ERR_INVALID, 0,
			       "manifest.json: '%.100s' is not the name of a file in the archive",
			       path);
	return 0;
}

static int parse_names(const json_t *array, struct strv *ret_names, struct error *err)
{
	const json_t *item;
	size_t i;

	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array) || json_array_size(array) > MAX_NAMES)
		return err_set(err, ERR_INVALID, 0, "manifest.json: RepoTags is not a list");
	json_array_foreach (array, i, item) {
		const char *name = json_string_value(item);

		if (!name || strlen(name) != json_string_length(item))
			return err_set(err, ERR_INVALID, 0,
				       "manifest.json: RepoTags has something that is no text");
		strv_add(ret_names, name);
	}
	return 0;
}

static int parse_layers(const json_t *array, struct strv *ret_layers, struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array) || json_array_size(array) > MANIFEST_MAX_LAYERS)
		return err_set(err, ERR_INVALID, 0,
			       "manifest.json: Layers is not a list of at most %d",
			       MANIFEST_MAX_LAYERS);
	json_array_foreach (array, i, item) {
		r = check_path(item, err);
		if (r < 0)
			return r;
		strv_add(ret_layers, json_string_value(item));
	}
	return 0;
}

static int parse_image(const json_t *object, struct docker_save_image *image, struct error *err)
{
	const json_t *config = json_object_get(object, "Config");
	int r;

	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, 0, "manifest.json: not a list of objects");
	r = check_path(config, err);
	if (r < 0)
		return r;
	image->config = xstrdup(json_string_value(config));
	r = parse_names(json_object_get(object, "RepoTags"), &image->names, err);
	if (r < 0)
		return r;
	return parse_layers(json_object_get(object, "Layers"), &image->layers, err);
}

int docker_save_parse(const char *text, size_t len, struct docker_save *ret_save, struct error *err)
{
	auto_(docker_save_release) struct docker_save save = {0};
	auto_(json_decref) json_t *root = NULL;
	const json_t *item;
	size_t i;
	int r;

	r = json_parse(text, len, "manifest.json", &root, err);
	if (r < 0)
		return r;
	if (!json_is_array(root) || json_array_size(root) == 0)
		return err_set(err, ERR_INVALID, 0, "manifest.json: not a list of images");
	if (json_array_size(root) > MAX_IMAGES)
		return err_set(err, ERR_INVALID, 0, "manifest.json: more than %d images",
			       MAX_IMAGES);
	save.items = xcalloc(json_array_size(root), sizeof(save.items[0]));
	json_array_foreach (root, i, item) {
		save.count = i + 1;
		r = parse_image(item, &save.items[i], err);
		if (r < 0)
			return r;
	}
	*ret_save = save;
	save = (struct docker_save){0};
	return 0;
}
