/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/userns_option.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/container_internal.h"
#include "engine/settings.h"
#include "engine/subid.h"
#include "storage/store.h"

#define AUTO "auto"
#define CONTAINER "container:"
#define POOL_USER "containers"

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_auto(const char *mode)
{
	return strcmp(mode, AUTO) == 0 || has_prefix(mode, AUTO ":");
}

bool userns_is_private(const struct container_config *c)
{
	return c->userns_mode && strcmp(c->userns_mode, "host") != 0;
}

/* ---- texts ---- */

static int bad_map(const char *option, const char *text, int r, struct error *err)
{
	return err_set(err, ERR_INVALID, 0, "invalid %s '%s': %s", option, text,
		       r == -EEXIST  ? "two ranges overlap"
		       : r == -E2BIG ? "there are too many ranges"
				     : "it must be CONTAINER:HOST:COUNT");
}

/* A map in the record's form, which every text was brought into. */
static int read_map(const char *text, struct id_map *ret_map, struct error *err)
{
	int r = text ? id_map_parse(text, ret_map) : 0;

	return r < 0 ? err_set(err, ERR_INTERNAL, EBADMSG, "record has a map that is none: %s",
			       text)
		     : 0;
}

static int parse_ranges(const char *option, const struct strv *texts, struct id_map *ret_map,
			struct error *err)
{
	auto_free char *all = strv_join(texts, ",");
	int r = texts->count ? id_map_parse(all, ret_map) : 0;

	return r < 0 ? bad_map(option, all, r, err) : 0;
}

/* Owned by the record; NULL when it is empty. */
static char *record_text(const struct id_map *map)
{
	return map->count ? id_map_format(map) : NULL;
}

static int require_root(const struct id_map *map, const char *what, struct error *err)
{
	uint32_t root;

	return id_map_outside(map, 0, &root)
		       ? 0
		       : err_set(err, ERR_INVALID, 0,
				 "a user namespace without %s 0 is not supported: map it", what);
}

static int set_maps(struct container_config *c, const struct id_map *uids,
		    const struct id_map *gids, struct error *err)
{
	int r = require_root(uids, "user", err);

	if (r == 0)
		r = require_root(gids, "group", err);
	if (r < 0)
		return r;
	c->uid_map = record_text(uids);
	c->gid_map = record_text(gids);
	return 0;
}

/* ---- auto ---- */

struct auto_options {
	uint32_t count;
	struct strv uids, gids;
};

static void auto_options_release(struct auto_options *o)
{
	strv_release(&o->uids);
	strv_release(&o->gids);
}

DEFINE_CLEANUP_VALUE(struct auto_options, auto_options_release);

static int parse_auto(const char *mode, struct auto_options *o, struct error *err)
{
	auto_(strv_release) struct strv items = {0};

	o->count = USERNS_COUNT;
	if (mode[strlen(AUTO)] == ':')
		strv_split(&items, mode + strlen(AUTO ":"), ',');
	for (size_t i = 0; i < items.count; i++) {
		const char *item = items.items[i];

		if (has_prefix(item, "size=")) {
			if (parse_u32(item + 5, &o->count) < 0 || o->count == 0)
				return err_set(err, ERR_INVALID, 0,
					       "invalid --userns '%s': %s is no size", mode,
					       item + 5);
		} else if (has_prefix(item, "uidmapping=")) {
			strv_add(&o->uids, item + strlen("uidmapping="));
		} else if (has_prefix(item, "gidmapping=")) {
			strv_add(&o->gids, item + strlen("gidmapping="));
		} else {
			return err_set(err, ERR_INVALID, 0,
				       "invalid --userns '%s': unknown option '%s'", mode, item);
		}
	}
	return 0;
}

static int apply_auto(struct container_config *c, struct error *err)
{
	auto_(auto_options_release) struct auto_options o = {0};
	auto_(id_map_release) struct id_map uids = {0}, gids = {0};
	int r = parse_auto(c->userns_mode, &o, err);

	if (r == 0)
		r = parse_ranges("uidmapping", &o.uids, &uids, err);
	if (r == 0)
		r = parse_ranges("gidmapping", &o.gids, &gids, err);
	if (r < 0)
		return r;
	c->uid_map = record_text(&uids);
	c->gid_map = record_text(&gids);
	return 0;
}

/* ---- chosen maps ---- */

static int load_subids(const struct create_request *q, struct id_map *uids, struct id_map *gids,
		       struct error *err)
{
	const char *user = q->subuid_name ? q->subuid_name : q->subgid_name;
	const char *group = q->subgid_name ? q->subgid_name : q->subuid_name;
	int r = subid_load(SUBUID_FILE, user, uids, err);

	if (r == 0)
		r = subid_load(SUBGID_FILE, group, gids, err);
	if (r < 0)
		return r;
	if (uids->count == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "%s has no ids for '%s'", SUBUID_FILE, user);
	if (gids->count == 0)
		return err_set(err, ERR_NOT_FOUND, 0, "%s has no ids for '%s'", SUBGID_FILE, group);
	return 0;
}

/* --uidmap, --gidmap, --subuidname, --subgidname: a namespace of its own. */
static int apply_options(const struct create_request *q, struct container_config *c,
			 struct error *err)
{
	auto_(id_map_release) struct id_map uids = {0}, gids = {0};
	bool has_maps = q->uid_maps.count || q->gid_maps.count;
	bool has_names = q->subuid_name || q->subgid_name;
	const char *mode = q->userns_mode ? q->userns_mode : "";
	int r;

	if ((*mode && strcmp(mode, "private") != 0) || (has_maps && has_names))
		return err_set(err, ERR_INVALID, 0, "conflicting options: %s",
			       has_maps && has_names
				       ? "--uidmap or --gidmap and --subuidname or --subgidname"
				       : "--userns and maps of ids");
	if (has_names) {
		r = load_subids(q, &uids, &gids, err);
	} else {
		const struct strv *of_users = q->uid_maps.count ? &q->uid_maps : &q->gid_maps;
		const struct strv *of_groups = q->gid_maps.count ? &q->gid_maps : &q->uid_maps;

		r = parse_ranges("--uidmap", of_users, &uids, err);
		if (r == 0)
			r = parse_ranges("--gidmap", of_groups, &gids, err);
	}
	if (r < 0)
		return r;
	c->userns_mode = xstrdup("private");
	return set_maps(c, &uids, &gids, err);
}

/* "C:H:N,…": both users and groups. */
static int apply_typed_map(const char *text, struct container_config *c, struct error *err)
{
	auto_(id_map_release) struct id_map map = {0};
	int r = id_map_parse(text, &map);

	if (r < 0)
		return bad_map("--userns", text, r, err);
	c->userns_mode = xstrdup(text);
	return set_maps(c, &map, &map, err);
}

static int apply_keep_id(const char *mode, struct container_config *c, struct error *err)
{
	const struct id_map everybody = {
		.items = &(struct id_range){0, 0, UINT32_MAX},
		.count = 1,
	};

	if (strcmp(mode, "keep-id") != 0)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "--userns '%s': options of keep-id are for users other than root",
			       mode);
	c->userns_mode = xstrdup(mode);
	return set_maps(c, &everybody, &everybody, err);
}

static int apply_container(struct engine *engine, const char *mode, struct container_config *c,
			   struct error *err)
{
	char id[65];
	int r;

	if (!mode[strlen(CONTAINER)])
		return err_set(err, ERR_INVALID, 0, "invalid mode '%s': it names no container",
			       mode);
	r = container_resolve(engine, mode + strlen(CONTAINER), id, err);
	if (r == 0)
		c->userns_mode = xasprintf(CONTAINER "%s", id);
	return r;
}

int userns_option_apply(struct engine *engine, const struct create_request *q,
			struct container_config *c, struct error *err)
{
	const char *mode = q->userns_mode ? q->userns_mode : "";

	if (q->uid_maps.count || q->gid_maps.count || q->subuid_name || q->subgid_name)
		return apply_options(q, c, err);
	if (!*mode)
		return 0;
	if (strcmp(mode, "host") == 0) {
		c->userns_mode = xstrdup(mode);
		return 0;
	}
	if (is_auto(mode)) {
		c->userns_mode = xstrdup(mode);
		return apply_auto(c, err);
	}
	if (has_prefix(mode, "keep-id"))
		return apply_keep_id(mode, c, err);
	if (has_prefix(mode, CONTAINER))
		return apply_container(engine, mode, c, err);
	if (mode[0] >= '0' && mode[0] <= '9')
		return apply_typed_map(mode, c, err);
	if (strcmp(mode, "nomap") == 0)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "--userns 'nomap' is for users other than root");
	return err_set(err, ERR_INVALID, 0, "--userns '%s' is not supported", mode);
}

/* ---- the pool ---- */

static int parse_pool(const char *text, uint32_t *ret_first, uint32_t *ret_last)
{
	auto_(strv_release) struct strv ends = {0};
	uint32_t first, last;

	strv_split(&ends, text, '-');
	if (ends.count != 2 || parse_u32(ends.items[0], &first) < 0 ||
	    parse_u32(ends.items[1], &last) < 0 || first == 0 || first > last || last == UINT32_MAX)
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

int userns_range_check(const char *value, struct error *err)
{
	uint32_t first, last;

	return parse_pool(value, &first, &last) < 0
		       ? err_set(err, ERR_INVALID, 0, "must be FIRST-LAST, two ids")
		       : 0;
}

/* The widest run of ids that both files give the user. */
static bool common_range(const struct id_map *uids, const struct id_map *gids, uint32_t *ret_first,
			 uint32_t *ret_last)
{
	uint32_t widest = 0;

	for (size_t i = 0; i < uids->count; i++)
		for (size_t k = 0; k < gids->count; k++) {
			const struct id_range *a = &uids->items[i], *b = &gids->items[k];
			uint32_t first = a->outside > b->outside ? a->outside : b->outside;
			uint32_t a_end = a->outside + a->count, b_end = b->outside + b->count;
			uint32_t end = a_end < b_end ? a_end : b_end;

			if (end <= first || end - first <= widest)
				continue;
			widest = end - first;
			*ret_first = first;
			*ret_last = end - 1;
		}
	return widest > 0;
}

static int find_pool(uint32_t *ret_first, uint32_t *ret_last, struct error *err)
{
	auto_(id_map_release) struct id_map uids = {0}, gids = {0};
	const struct settings *settings;
	int r = settings_get(&settings, err);

	*ret_first = USERNS_POOL_FIRST;
	*ret_last = USERNS_POOL_LAST;
	if (r < 0)
		return r;
	if (settings->userns_range) {
		(void)parse_pool(settings->userns_range, ret_first, ret_last); /* was checked */
		return 0;
	}
	r = subid_load(SUBUID_FILE, POOL_USER, &uids, err);
	if (r == 0)
		r = subid_load(SUBGID_FILE, POOL_USER, &gids, err);
	if (r < 0 || (uids.count == 0 && gids.count == 0))
		return r;
	if (!common_range(&uids, &gids, ret_first, ret_last))
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "%s and %s give '" POOL_USER "' no ids in common", SUBUID_FILE,
			       SUBGID_FILE);
	return 0;
}

void userns_ids_release(struct userns_ids *ids)
{
	id_map_release(&ids->uids);
	id_map_release(&ids->gids);
}

/* Who is everybody takes nothing from others. */
static const struct id_map *chosen(const struct id_map *map)
{
	return map->count == 0 || id_map_is_identity(map) ? NULL : map;
}

int userns_ids_request(const struct container_config *c, struct userns_ids *ids, struct error *err)
{
	int r;

	if (!userns_is_private(c))
		return 0;
	r = read_map(c->uid_map, &ids->uids, err);
	if (r == 0)
		r = read_map(c->gid_map, &ids->gids, err);
	if (r < 0)
		return r;
	ids->request.uids = chosen(&ids->uids);
	ids->request.gids = chosen(&ids->gids);
	if (is_auto(c->userns_mode)) {
		auto_(auto_options_release) struct auto_options o = {0};

		r = parse_auto(c->userns_mode, &o, err);
		if (r == 0)
			r = find_pool(&ids->request.first, &ids->request.last, err);
		ids->request.count = o.count;
	}
	return r;
}

/* ---- a start ---- */

static int lay_over(const char *text, struct id_range base, struct id_map *ret_map,
		    struct error *err)
{
	auto_(id_map_release) struct id_map over = {0};
	int r = read_map(text, &over, err);

	if (r < 0)
		return r;
	r = id_map_add(ret_map, base);
	for (size_t i = 0; r == 0 && i < over.count; i++)
		r = id_map_override(ret_map, over.items[i]);
	return r < 0 ? err_set(err, ERR_INVALID, -r, "the map of a user namespace gets too long")
		     : 0;
}

static int auto_maps(const struct container *c, struct id_map *uids, struct id_map *gids,
		     struct error *err)
{
	struct id_range base = {0};
	struct store *store;
	int r = engine_store(c->engine, &store, err);

	if (r == 0)
		r = id_range_load(store, c->record.id, &base.outside, &base.count, err);
	if (r == 0)
		r = lay_over(c->config.uid_map, base, uids, err);
	return r < 0 ? r : lay_over(c->config.gid_map, base, gids, err);
}

static int maps_of_other(const struct container *c, struct id_map *uids, struct id_map *gids,
			 struct error *err)
{
	auto_(container_release) struct container other = CONTAINER_EMPTY;
	int r = container_open(c->engine, c->config.userns_mode + strlen(CONTAINER), &other, err);

	return r < 0 ? r : userns_maps(&other, uids, gids, err);
}

int userns_maps(const struct container *c, struct id_map *uids, struct id_map *gids,
		struct error *err)
{
	int r;

	if (!userns_is_private(&c->config))
		return 0;
	if (is_auto(c->config.userns_mode))
		return auto_maps(c, uids, gids, err);
	if (has_prefix(c->config.userns_mode, CONTAINER))
		return maps_of_other(c, uids, gids, err);
	r = read_map(c->config.uid_map, uids, err);
	return r < 0 ? r : read_map(c->config.gid_map, gids, err);
}
