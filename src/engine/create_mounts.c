/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "base/path.h"
#include "engine/create_internal.h"
#include "image/image_config.h"

#define MOUNTS_MAX 1000

typedef int (*mount_parser)(const char *text, struct mount_spec *ret_spec, struct error *err);

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
		if (mount_list_find(list, spec.target))
			return err_set(err, ERR_INVALID, 0, "Duplicate mount point: %s",
				       spec.target);
		mount_list_add(list, &spec);
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

int create_mounts(const struct create_request *q, const struct image_config *image,
		  struct container_config *c, struct error *err)
{
	int r;

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
		if (c->mounts.items[i].kind != MOUNT_KIND_BIND)
			continue;
		r = check_bind_source(&c->mounts.items[i], err);
		if (r < 0)
			return r;
	}
	strv_copy(&c->binds, &q->volumes);
	strv_copy(&c->tmpfs, &q->tmpfs);
	strv_copy(&c->image_volumes, &image->volumes);
	/* Beside those of --expose and -p. */
	for (size_t i = 0; i < image->exposed_ports.count; i++)
		if (!strv_has(&c->exposed_ports, image->exposed_ports.items[i]))
			strv_add(&c->exposed_ports, image->exposed_ports.items[i]);
	return 0;
}
