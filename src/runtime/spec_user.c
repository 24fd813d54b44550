/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/spec_internal.h"

static int parse_number(const json_t *item, const char *key, const char *where,
			uint32_t *ret_number, struct error *err)
{
	int64_t number = -1;
	int r = spec_member_int(item, key, where, 0, UINT32_MAX, &number, err);

	if (r < 0)
		return r;
	if (number < 0)
		return err_set(err, ERR_INVALID, EINVAL, "config.json: %s needs %s", where, key);
	*ret_number = (uint32_t)number;
	return 0;
}

static int parse_range(const json_t *item, const char *where, struct id_range *range,
		       struct error *err)
{
	int r = parse_number(item, "containerID", where, &range->inside, err);

	if (r == 0)
		r = parse_number(item, "hostID", where, &range->outside, err);
	if (r == 0)
		r = parse_number(item, "size", where, &range->count, err);
	return r;
}

static int parse_map(const json_t *object, const char *where, const char *key, struct id_map *map,
		     struct error *err)
{
	const json_t *array = json_object_get(object, key);
	const json_t *item;
	size_t i;
	int r;

	if (array && !json_is_array(array))
		return err_set(err, ERR_INVALID, EINVAL, "config.json: %s.%s must be an array",
			       where, key);
	json_array_foreach (array, i, item) {
		struct id_range range = {0};

		r = parse_range(item, where, &range, err);
		if (r < 0)
			return r;
		r = id_map_add(map, range);
		if (r < 0)
			return err_set(err, ERR_INVALID, -r, "config.json: %s.%s: %u:%u:%u %s",
				       where, key, range.inside, range.outside, range.count,
				       r == -EEXIST  ? "overlaps another range"
				       : r == -E2BIG ? "is one range too many"
						     : "is no range of ids");
	}
	return 0;
}

int spec_parse_maps(const json_t *object, const char *where, struct id_map *uids,
		    struct id_map *gids, struct error *err)
{
	int r = parse_map(object, where, "uidMappings", uids, err);

	if (r == 0)
		r = parse_map(object, where, "gidMappings", gids, err);
	if (r == 0 && (uids->count == 0) != (gids->count == 0))
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: %s has uidMappings or gidMappings, but not both",
			       where);
	return r;
}

int spec_parse_user(const json_t *linux_object, struct spec *spec, struct error *err)
{
	enum spec_namespace_mode mode = spec->namespaces[SPEC_NS_USER];
	uint32_t root;
	int r = spec_parse_maps(linux_object, "linux", &spec->uids, &spec->gids, err);

	if (r < 0)
		return r;
	if (mode == SPEC_NS_HOST && spec->uids.count > 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.uidMappings are for a user namespace, and "
			       "linux.namespaces lists none");
	if (mode == SPEC_NS_NEW && spec->uids.count == 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: a new user namespace needs linux.uidMappings");
	if (mode == SPEC_NS_NEW &&
	    (!id_map_outside(&spec->uids, 0, &root) || !id_map_outside(&spec->gids, 0, &root)))
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
			       "config.json: a user namespace without an id 0 is not supported");
	return 0;
}
