/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/launch_mount.h"

#include <string.h>

#include "base/alloc.h"

struct launch_mount *launch_mounts_add(struct launch_mounts *list, const char *destination)
{
	struct launch_mount *m;

	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	m = &list->items[list->count++];
	*m = (struct launch_mount){.destination = xstrdup(destination)};
	return m;
}

const struct launch_mount *launch_mounts_find(const struct launch_mounts *list,
					      const char *destination)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].destination, destination) == 0)
			return &list->items[i];
	return NULL;
}

void launch_mounts_release(struct launch_mounts *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct launch_mount *m = &list->items[i];

		free(m->destination);
		free(m->volume);
		free(m->propagation);
		free(m->subpath);
		free(m->upper);
		strv_release(&m->lowers);
	}
	free(list->items);
	*list = (struct launch_mounts){0};
}

static void set_flag(json_t *object, const char *key, bool value)
{
	if (value)
		(void)json_object_set_new(object, key, json_true());
}

json_t *launch_mounts_to_json(const struct launch_mounts *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct launch_mount *m = &list->items[i];
		json_t *object = json_object();

		json_set_string(object, "destination", m->destination);
		json_set_string(object, "volume", m->volume);
		json_set_string(object, "propagation", m->propagation);
		json_set_string(object, "subpath", m->subpath);
		if (m->lowers.count)
			(void)json_object_set_new(object, "lowers", json_from_strv(&m->lowers));
		json_set_string(object, "upper", m->upper);
		set_flag(object, "hostFilesystem", m->host_filesystem);
		set_flag(object, "fill", m->fill);
		set_flag(object, "chown", m->chown);
		set_flag(object, "readOnly", m->read_only);
		(void)json_array_append_new(array, object);
	}
	return array;
}

static char *copy_text(const json_t *object, const char *key)
{
	return xstrdup_or_null(json_get_string(object, key, NULL));
}

void launch_mounts_from_json(const json_t *array, struct launch_mounts *ret_list)
{
	const json_t *object;
	size_t i;

	json_array_foreach (array, i, object) {
		struct launch_mount *m =
			launch_mounts_add(ret_list, json_get_string(object, "destination", ""));

		m->volume = copy_text(object, "volume");
		m->propagation = copy_text(object, "propagation");
		m->subpath = copy_text(object, "subpath");
		json_get_strv(object, "lowers", &m->lowers);
		m->upper = copy_text(object, "upper");
		m->host_filesystem = json_get_bool(object, "hostFilesystem", false);
		m->fill = json_get_bool(object, "fill", false);
		m->chown = json_get_bool(object, "chown", false);
		m->read_only = json_get_bool(object, "readOnly", false);
	}
}
