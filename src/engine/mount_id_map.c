/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_id_map.c - idmap=uids=0-1000-10#20-2000-5;gids=0-100-1, as podman writes it
 *
 * A range is the first id on the filesystem, the id as which it is seen, and how many of them.
 */
#include "engine/mount_id_map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/mount_spec_internal.h"

#define RANGES_MAX 340 /* of a user namespace: user_namespaces(7) */

static int refuse(const char *map, struct error *err)
{
	return err_set(
		err, ERR_INVALID, 0,
		"invalid idmap '%s': expected uids=FROM-TO-COUNT[#…][;gids=FROM-TO-COUNT[#…]]",
		map);
}

static int parse_range(const char *text, json_t *list, const char *map, struct error *err)
{
	auto_(strv_release) struct strv parts = {0};
	uint32_t numbers[3];

	strv_split(&parts, text, '-');
	if (parts.count != ARRAY_SIZE(numbers))
		return refuse(map, err);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (parse_u32(parts.items[i], &numbers[i]) < 0)
			return refuse(map, err);
	if (!numbers[2] || numbers[0] > UINT32_MAX - numbers[2] ||
	    numbers[1] > UINT32_MAX - numbers[2])
		return refuse(map, err);
	(void)json_array_append_new(
		list, json_pack("{s:I, s:I, s:I}", "containerID", (json_int_t)numbers[0], "hostID",
				(json_int_t)numbers[1], "size", (json_int_t)numbers[2]));
	return 0;
}

static int parse_ranges(const char *text, json_t *list, const char *map, struct error *err)
{
	auto_(strv_release) struct strv ranges = {0};
	int r = 0;

	strv_split(&ranges, text, '#');
	if (!ranges.count || ranges.count > RANGES_MAX || json_array_size(list))
		return refuse(map, err);
	for (size_t i = 0; r >= 0 && i < ranges.count; i++)
		r = parse_range(ranges.items[i], list, map, err);
	return r;
}

/* Who is not named keeps his id: all of them. */
static void identity(json_t *list)
{
	(void)json_array_append_new(list, json_pack("{s:i, s:i, s:I}", "containerID", 0, "hostID",
						    0, "size", (json_int_t)UINT32_MAX));
}

int mount_id_map_parse(const char *map, json_t **ret_uids, json_t **ret_gids, struct error *err)
{
	auto_(json_decref) json_t *uids = json_array(), *gids = json_array();
	auto_(strv_release) struct strv parts = {0};
	int r = 0;

	strv_split(&parts, map, ';');
	for (size_t i = 0; r >= 0 && i < parts.count; i++) {
		if (strncmp(parts.items[i], "uids=", 5) == 0)
			r = parse_ranges(parts.items[i] + 5, uids, map, err);
		else if (strncmp(parts.items[i], "gids=", 5) == 0)
			r = parse_ranges(parts.items[i] + 5, gids, map, err);
		else
			r = refuse(map, err);
	}
	if (r >= 0 && !parts.count)
		r = refuse(map, err);
	if (r < 0)
		return r;
	if (!json_array_size(uids))
		identity(uids);
	if (!json_array_size(gids))
		identity(gids);
	*ret_uids = TAKE_PTR(uids);
	*ret_gids = TAKE_PTR(gids);
	return 0;
}

int mount_set_id_map(struct mount_spec *spec, const char *map, struct error *err)
{
	auto_(json_decref) json_t *uids = NULL, *gids = NULL;
	int r;

	if (!map || !*map)
		return err_set(err, ERR_INVALID, 0,
			       "idmap without a mapping needs a container with a user namespace of "
			       "its own: use idmap=uids=FROM-TO-COUNT;gids=FROM-TO-COUNT");
	r = mount_id_map_parse(map, &uids, &gids, err);
	if (r < 0)
		return r;
	free(spec->id_map);
	spec->id_map = xstrdup(map);
	return 0;
}
