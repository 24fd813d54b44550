/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "engine/container_internal.h"
#include "engine/create_internal.h"
#include "engine/image_internal.h"
#include "engine/volume_options.h"
#include "image/image_config.h"

#define MOUNTS_MAX 1000

typedef int (*mount_parser)(const char *text, struct mount_spec *ret_spec, struct error *err);

/* It takes the place of what comes from another container. */
static int add_own(struct mount_list *list, struct mount_spec *spec, struct error *err)
{
	size_t index = mount_list_index(list, spec->target);

	if (index < list->count) {
		if (list->items[index].origin != MOUNT_FROM_CONTAINER)
			return err_set(err, ERR_INVALID, 0, "Duplicate mount point: %s",
				       spec->target);
		mount_list_remove(list, index);
	}
	mount_list_add(list, spec);
	return 0;
}

static int add_mounts(const struct strv *texts, mount_parser parse, struct mount_list *list,
		      struct error *err)
{
	int r;

	for (size_t i = 0; i < texts->count; i++) {
		auto_(mount_spec_release) struct mount_spec spec = {0};

		if (list->count >= MOUNTS_MAX)
			return err_set(err, ERR_INVALID, E2BIG, "more than %d mounts", MOUNTS_MAX);
		r = parse(texts->items[i], &spec, err);
		if (r < 0)
			return r;
		r = add_own(list, &spec, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the request mounts there itself takes the place of the image's volume. */
static int add_image_volumes(const struct image_config *image, struct container_config *c,
			     struct error *err)
{
	int r;

	for (size_t i = 0; i < image->volumes.count; i++) {
		auto_(mount_spec_release) struct mount_spec spec = {0};

		r = mount_spec_from_image(image->volumes.items[i], &spec, err);
		if (r < 0)
			return r;
		if (!mount_list_find(&c->mounts, spec.target))
			mount_list_add(&c->mounts, &spec);
	}
	return 0;
}

/* -v makes a missing directory, as docker does; --mount does not. */
static int check_bind_source(const struct mount_spec *spec, struct error *err)
{
	struct stat st;
	int r;

	if (stat(spec->source, &st) == 0)
		return 0;
	if (errno != ENOENT)
		return err_set(err, ERR_SYSTEM, errno, "look at bind source '%s'", spec->source);
	if (!spec->create_source)
		return err_set(err, ERR_INVALID, ENOENT,
			       "invalid mount config for type \"bind\": bind source path does not "
			       "exist: %s",
			       spec->source);
	r = path_mkdir_parents(spec->source, 0755);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "create bind source '%s'", spec->source);
	return 0;
}

/* ---- --volumes-from ---- */

/* CONTAINER[:MODE]; whatever docker takes in -v and what means something here: ro, rw, z, Z. */
static int parse_volumes_from(const char *text, char **ret_selector, bool *ret_read_only,
			      struct error *err)
{
	const char *colon = strchr(text, ':');
	const char *mode = colon ? colon + 1 : "rw";

	if (!*text)
		return err_set(err, ERR_INVALID, 0,
			       "volumes-from specification cannot be an empty string");
	if (strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0 && strcmp(mode, "z") != 0 &&
	    strcmp(mode, "Z") != 0)
		return err_set(err, ERR_INVALID, 0, "invalid mode: %s (in --volumes-from '%s')",
			       mode, text);
	*ret_read_only = strcmp(mode, "ro") == 0;
	*ret_selector = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	return 0;
}

/* Volumes are only filled for who made them; a tmpfs is nobody else's. */
static int inherit(const struct mount_spec *from, bool read_only, struct mount_list *list,
		   struct error *err)
{
	auto_(mount_spec_release) struct mount_spec spec = {0};
	size_t index = mount_list_index(list, from->target);

	if (from->kind == MOUNT_KIND_TMPFS)
		return 0;
	if (list->count >= MOUNTS_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "more than %d mounts", MOUNTS_MAX);
	mount_spec_copy(&spec, from);
	spec.origin = MOUNT_FROM_CONTAINER;
	spec.read_only = from->read_only || read_only;
	spec.no_copy = true;
	/* Of several containers, the last one wins. */
	if (index < list->count)
		mount_list_remove(list, index);
	mount_list_add(list, &spec);
	return 0;
}

static int add_volumes_from(struct engine *engine, const struct strv *texts,
			    struct mount_list *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < texts->count; i++) {
		auto_(container_release) struct container other = CONTAINER_EMPTY;
		auto_free char *selector = NULL;
		bool read_only = false;

		r = parse_volumes_from(texts->items[i], &selector, &read_only, err);
		if (r >= 0)
			r = container_open(engine, selector, &other, err);
		for (size_t k = 0; r >= 0 && k < other.config.mounts.count; k++)
			r = inherit(&other.config.mounts.items[k], read_only, list, err);
	}
	return r;
}

/* ---- what they refer to ---- */

static int find_image(struct engine *engine, struct mount_spec *spec, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	int r;

	if (spec->image_id)
		return 0; /* another container's */
	r = image_find(engine, spec->source, &record, err);
	if (r < 0)
		return r;
	spec->image_id = xstrdup(record.id);
	strv_copy(&spec->layers, &record.chain_ids);
	return 0;
}

static int check_source(struct engine *engine, struct mount_spec *spec, struct error *err)
{
	switch (spec->kind) {
	case MOUNT_KIND_BIND:
		return check_bind_source(spec, err);
	case MOUNT_KIND_IMAGE:
		return find_image(engine, spec, err);
	case MOUNT_KIND_VOLUME:
		return volume_options_check(&spec->driver_options, err);
	case MOUNT_KIND_TMPFS:
		break;
	}
	return 0;
}

/* As typed, but for relative sources: whoever reads them later is elsewhere. */
static void set_binds(const struct strv *volumes, struct container_config *c)
{
	for (size_t i = 0; i < volumes->count; i++) {
		auto_(mount_spec_release) struct mount_spec spec = {0};
		auto_(error_release) struct error ignored = {0};
		const char *text = volumes->items[i];

		if (*text == '.' && mount_spec_parse_volume(text, &spec, &ignored) >= 0)
			strv_addf(&c->binds, "%s%s", spec.source, strchrnul(text, ':'));
		else
			strv_add(&c->binds, text);
	}
}

int create_mounts(struct engine *engine, const struct create_request *q,
		  const struct image_config *image, struct container_config *c, struct error *err)
{
	int r;

	if (q->volume_driver && *q->volume_driver && strcmp(q->volume_driver, "local") != 0)
		return err_set(err, ERR_INVALID, 0, "there is no volume driver '%s', only local",
			       q->volume_driver);
	r = add_volumes_from(engine, &q->volumes_from, &c->mounts, err);
	if (r < 0)
		return r;
	r = add_mounts(&q->volumes, mount_spec_parse_volume, &c->mounts, err);
	if (r < 0)
		return r;
	r = add_mounts(&q->mounts, mount_spec_parse_mount, &c->mounts, err);
	if (r < 0)
		return r;
	r = add_mounts(&q->tmpfs, mount_spec_parse_tmpfs, &c->mounts, err);
	if (r < 0)
		return r;
	r = add_image_volumes(image, c, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->mounts.count; i++) {
		r = check_source(engine, &c->mounts.items[i], err);
		if (r < 0)
			return r;
	}
	set_binds(&q->volumes, c);
	strv_copy(&c->volumes_from, &q->volumes_from);
	c->volume_driver = q->volume_driver && *q->volume_driver ? xstrdup(q->volume_driver) : NULL;
	strv_copy(&c->tmpfs, &q->tmpfs);
	strv_copy(&c->image_volumes, &image->volumes);
	/* Beside those of --expose and -p. */
	for (size_t i = 0; i < image->exposed_ports.count; i++)
		if (!strv_has(&c->exposed_ports, image->exposed_ports.items[i]))
			strv_add(&c->exposed_ports, image->exposed_ports.items[i]);
	return 0;
}
