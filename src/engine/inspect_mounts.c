/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/inspect_internal.h"
#include "storage/volume.h"

/* ---- what is mounted ---- */

/* Docker's word for a named volume: its label is shared. */
static const char *mode_of(const struct mount_spec *spec)
{
	if (spec->mode || spec->kind != MOUNT_KIND_VOLUME || spec->anonymous)
		return spec->mode;
	return "z";
}

static const char *propagation_of(const struct mount_spec *spec)
{
	if (spec->propagation || spec->kind != MOUNT_KIND_BIND)
		return spec->propagation;
	return "rprivate";
}

static json_t *inspect_mount(const struct container *container, const struct mount_spec *spec)
{
	auto_free char *data = NULL;
	auto_free char *source = NULL;
	json_t *o = json_object();

	inspect_set_text(o, "Type", mount_kind_name(spec->kind));
	switch (spec->kind) {
	case MOUNT_KIND_VOLUME:
		data = volume_data_path(spec->source ? spec->source : "");
		source = xasprintf("%s/%s", engine_root_path(container->engine), data);
		inspect_set_text(o, "Name", spec->source);
		inspect_set_text(o, "Source", source);
		break;
	case MOUNT_KIND_BIND:
	case MOUNT_KIND_IMAGE:
		inspect_set_text(o, "Source", spec->source);
		break;
	case MOUNT_KIND_TMPFS:
		inspect_set_text(o, "Source", NULL);
		break;
	}
	inspect_set_text(o, "Destination", spec->target);
	if (spec->kind == MOUNT_KIND_VOLUME)
		inspect_set_text(o, "Driver", "local");
	inspect_set_text(o, "Mode", mode_of(spec));
	inspect_set_bool(o, "RW", !spec->read_only);
	inspect_set_text(o, "Propagation", propagation_of(spec));
	return o;
}

/* Docker keeps what --tmpfs asks for out of this list. */
json_t *inspect_mounts(const struct container *container)
{
	const struct mount_list *list = &container->config.mounts;
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].origin != MOUNT_FROM_TMPFS_OPTION)
			(void)json_array_append_new(array,
						    inspect_mount(container, &list->items[i]));
	return array;
}

/* ---- what --mount asked for, in the words of docker's API ---- */

static void set_flag(json_t *o, const char *key, bool value)
{
	if (value)
		inspect_set_bool(o, key, true);
}

/* Options that say nothing are left out. */
static void set_options(json_t *o, const char *key, json_t *options)
{
	if (json_object_size(options))
		(void)json_object_set(o, key, options);
	json_decref(options);
}

static json_t *bind_options(const struct mount_spec *spec)
{
	json_t *o = json_object();

	if (spec->propagation)
		inspect_set_text(o, "Propagation", spec->propagation);
	set_flag(o, "NonRecursive", spec->non_recursive);
	set_flag(o, "CreateMountpoint", spec->create_source);
	set_flag(o, "ReadOnlyNonRecursive", spec->read_only_writable_below);
	set_flag(o, "ReadOnlyForceRecursive", spec->read_only_recursive);
	return o;
}

static json_t *volume_options(const struct mount_spec *spec)
{
	json_t *o = json_object(), *driver;

	set_flag(o, "NoCopy", spec->no_copy);
	if (spec->labels.count)
		inspect_set(o, "Labels", inspect_map(&spec->labels));
	if (spec->driver_options.count) {
		driver = json_object();
		inspect_set(driver, "Options", inspect_map(&spec->driver_options));
		inspect_set(o, "DriverConfig", driver);
	}
	if (spec->subpath)
		inspect_set_text(o, "Subpath", spec->subpath);
	return o;
}

static json_t *tmpfs_options(const struct mount_spec *spec)
{
	const char *size = strv_env_find(&spec->options, "size");
	const char *mode = strv_env_find(&spec->options, "mode");
	json_t *o = json_object();
	uint32_t bits;
	int64_t bytes;

	if (size && parse_i64(size, &bytes) == 0)
		inspect_set_int(o, "SizeBytes", bytes);
	if (mode && parse_octal(mode, &bits) == 0)
		inspect_set_int(o, "Mode", bits);
	return o;
}

static json_t *image_options(const struct mount_spec *spec)
{
	json_t *o = json_object();

	if (spec->subpath)
		inspect_set_text(o, "Subpath", spec->subpath);
	return o;
}

static json_t *requested_mount(const struct mount_spec *spec)
{
	json_t *o = json_object();

	inspect_set_text(o, "Type", mount_kind_name(spec->kind));
	if (spec->source && !spec->anonymous)
		inspect_set_text(o, "Source", spec->source);
	inspect_set_text(o, "Target", spec->target);
	set_flag(o, "ReadOnly", spec->read_only);
	switch (spec->kind) {
	case MOUNT_KIND_BIND:
		set_options(o, "BindOptions", bind_options(spec));
		break;
	case MOUNT_KIND_VOLUME:
		set_options(o, "VolumeOptions", volume_options(spec));
		break;
	case MOUNT_KIND_TMPFS:
		set_options(o, "TmpfsOptions", tmpfs_options(spec));
		break;
	case MOUNT_KIND_IMAGE:
		set_options(o, "ImageOptions", image_options(spec));
		break;
	}
	return o;
}

json_t *inspect_requested_mounts(const struct container_config *config)
{
	json_t *array = json_array();

	for (size_t i = 0; i < config->mounts.count; i++)
		if (config->mounts.items[i].origin == MOUNT_FROM_MOUNT_OPTION)
			(void)json_array_append_new(array,
						    requested_mount(&config->mounts.items[i]));
	return array;
}
