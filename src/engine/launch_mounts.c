/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "engine/bundle_write.h"
#include "engine/container_internal.h"
#include "engine/volume_options.h"
#include "runtime/launch_mount.h"

static const char *event_propagation(const struct mount_spec *spec)
{
	return spec->propagation ? spec->propagation : "";
}

static void add_volume(const struct mount_spec *spec, bool for_start, struct launch_mounts *list)
{
	struct launch_mount *m = launch_mounts_add(list, spec->target);
	struct volume_device device;

	m->volume = xstrdup(spec->source);
	m->propagation = xstrdup(event_propagation(spec));
	m->read_only = spec->read_only;
	m->subpath = xstrdup_or_null(spec->subpath);
	m->fill = !spec->no_copy;
	m->chown = spec->chown && for_start;
	if (!volume_options_has_device(&spec->volume_options))
		return;
	volume_options_device(&spec->volume_options, &device);
	m->host_filesystem = !device.is_bind;
	volume_device_release(&device);
}

/* Writes go to a layer of the container's, which its next start finds empty. */
static void add_image(const struct mount_spec *spec, size_t index, bool for_start,
		      struct launch_mounts *list)
{
	struct launch_mount *m = launch_mounts_add(list, spec->target);

	for (size_t i = spec->layers.count; i-- > 0;)
		strv_add_take(&m->lowers, container_layer_path(spec->layers.items[i]));
	m->subpath = xstrdup_or_null(spec->subpath);
	if (!spec->read_only && for_start)
		m->upper = xasprintf("mounts/%zu", index);
}

void bundle_mounts(const struct container_config *config, bool for_start,
		   struct launch_mounts *ret_list)
{
	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct mount_spec *spec = &config->mounts.items[i];

		switch (spec->kind) {
		case MOUNT_KIND_VOLUME:
			add_volume(spec, for_start, ret_list);
			break;
		case MOUNT_KIND_IMAGE:
			add_image(spec, i, for_start, ret_list);
			break;
		case MOUNT_KIND_BIND:
			if (spec->chown && for_start)
				launch_mounts_add(ret_list, spec->target)->chown = true;
			break;
		case MOUNT_KIND_TMPFS:
			break;
		}
	}
}

int bundle_make_sources(const struct container_config *config, struct error *err)
{
	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct mount_spec *spec = &config->mounts.items[i];
		struct stat st;
		int r;

		if (spec->kind != MOUNT_KIND_BIND || !spec->create_source ||
		    stat(spec->source, &st) == 0)
			continue;
		if (errno != ENOENT)
			return err_set(err, ERR_SYSTEM, errno, "look at bind source '%s'",
				       spec->source);
		r = path_mkdir_parents(spec->source, 0755);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "create bind source '%s'",
				       spec->source);
	}
	return 0;
}
