/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id_map.h"
#include "engine/container_internal.h"
#include "engine/mount_id_map.h"
#include "engine/oci_internal.h"
#include "engine/volume_options.h"
#include "storage/volume.h"

#define TTY_GROUP 5 /* the gid= below */

/* What docker mounts into every container, in this order. */
struct standard_mount {
	const char *destination, *type, *source;
	const char *options;            /* comma-separated */
	const char *privileged_options; /* NULL: the same */
};

static const struct standard_mount standard_mounts[] = {
	{"/proc", "proc", "proc", "nosuid,noexec,nodev", NULL},
	{"/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k", NULL},
	{"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
	 NULL},
	{"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro", "nosuid,noexec,nodev"},
	{"/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,ro", "nosuid,noexec,nodev"},
	{"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev", NULL},
};

static json_t *new_mount(const char *destination, const char *type, const char *source,
			 const char *options)
{
	auto_(strv_release) struct strv list = {0};
	json_t *mount = json_object();

	strv_split(&list, options, ',');
	json_set_string(mount, "destination", destination);
	json_set_string(mount, "type", type);
	json_set_string(mount, "source", source);
	(void)json_object_set_new(mount, "options", json_from_strv(&list));
	return mount;
}

/* What the user mounts there takes its place; a /dev of the user's hides all of ours below it. */
static bool is_replaced(const struct container_config *c, const char *destination)
{
	if (mount_list_find(&c->mounts, destination))
		return true;
	return strncmp(destination, "/dev/", 5) == 0 && mount_list_find(&c->mounts, "/dev");
}

static json_t *standard_mount(const struct oci_input *in, const struct standard_mount *m)
{
	bool privileged = in->config->privileged && m->privileged_options;
	uint32_t tty;

	/* The kernel takes no group that does not exist inside. */
	if (strcmp(m->type, "devpts") == 0 && in->uids &&
	    !id_map_outside(in->gids, TTY_GROUP, &tty))
		return new_mount(m->destination, m->type, m->source,
				 "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620");
	return new_mount(m->destination, m->type, m->source,
			 privileged ? m->privileged_options : m->options);
}

static json_t *shm_mount(const struct oci_input *in)
{
	const struct container_config *c = in->config;
	int64_t bytes = c->shm_bytes ? c->shm_bytes : CONTAINER_SHM_BYTES;
	auto_free char *options = NULL;

	if (in->shm_source)
		return new_mount("/dev/shm", "bind", in->shm_source, "bind,rprivate");
	if (c->ipc_mode && strcmp(c->ipc_mode, "host") == 0)
		return new_mount("/dev/shm", "bind", "/dev/shm", "rbind,rprivate");
	if (c->ipc_mode && strcmp(c->ipc_mode, "none") == 0)
		return NULL;
	options = xasprintf("nosuid,noexec,nodev,mode=1777,size=%" PRId64, bytes);
	return new_mount("/dev/shm", "tmpfs", "shm", options);
}

static void add_file(const struct oci_input *in, json_t *mounts, const char *destination,
		     const char *name)
{
	auto_free char *source = xasprintf("%s/%s", in->files_path, name);
	const char *options = in->uids ? "rbind,rprivate,idmap" : "rbind,rprivate";

	if (!is_replaced(in->config, destination))
		(void)json_array_append_new(mounts,
					    new_mount(destination, "bind", source, options));
}

static void add_standard(const struct oci_input *in, json_t *mounts)
{
	json_t *shm;

	for (size_t i = 0; i < ARRAY_SIZE(standard_mounts); i++)
		if (!is_replaced(in->config, standard_mounts[i].destination))
			(void)json_array_append_new(mounts,
						    standard_mount(in, &standard_mounts[i]));
	if (!is_replaced(in->config, "/dev/shm")) {
		shm = shm_mount(in);
		if (shm)
			(void)json_array_append_new(mounts, shm);
	}
}

/* Files belong to the same number inside and on the disk, whatever the namespace makes of it. */
static json_t *bind_options(const struct oci_input *in, const struct mount_spec *spec)
{
	json_t *options = json_array();

	oci_append(options, spec->non_recursive ? "bind" : "rbind");
	oci_append(options, spec->propagation ? spec->propagation : "rprivate");
	if (in->uids && !spec->id_map)
		oci_append(options, spec->non_recursive ? "idmap" : "ridmap");
	if (spec->read_only)
		/* Everything below as well, as docker does where the kernel can. */
		oci_append(options,
			   spec->non_recursive || spec->read_only_writable_below ? "ro" : "rro");
	return options;
}

/* tmpfs, or a volume that is a filesystem of its own. */
static json_t *filesystem(const struct mount_spec *spec, const char *type, const char *source,
			  const struct strv *options)
{
	json_t *mount = json_object();
	json_t *list = json_from_strv(options);

	json_set_string(mount, "type", type);
	json_set_string(mount, "source", source);
	if (spec->read_only)
		oci_append(list, "ro");
	(void)json_object_set_new(mount, "options", list);
	return mount;
}

/* With an id mapping, which reaches as far as the bind. */
static json_t *bind(const struct oci_input *in, const struct mount_spec *spec, const char *source)
{
	auto_(error_release) struct error ignored = {0};
	json_t *mount = json_object(), *options = bind_options(in, spec);
	json_t *uids, *gids;

	json_set_string(mount, "type", "bind");
	json_set_string(mount, "source", source);
	if (spec->id_map && mount_id_map_parse(spec->id_map, &uids, &gids, &ignored) >= 0) {
		(void)json_object_set_new(mount, "uidMappings", uids);
		(void)json_object_set_new(mount, "gidMappings", gids);
		oci_append(options, spec->non_recursive ? "idmap" : "ridmap");
	}
	(void)json_object_set_new(mount, "options", options);
	return mount;
}

static json_t *volume_device(const struct mount_spec *spec)
{
	auto_(volume_device_release) struct volume_device device = {0};
	json_t *mount;

	volume_options_device(&spec->volume_options, &device);
	mount = filesystem(spec, device.type, device.source, &device.options);
	if (device.is_bind)
		oci_append(json_object_get(mount, "options"),
			   spec->propagation ? spec->propagation : "rprivate");
	return mount;
}

static json_t *volume(const struct oci_input *in, const struct mount_spec *spec)
{
	auto_free char *data = volume_data_path(spec->source ? spec->source : "");
	auto_free char *source = xasprintf("%s/%s", in->root_path, data);

	return volume_options_has_device(&spec->volume_options) ? volume_device(spec)
								: bind(in, spec, source);
}

/* launch.json has its layers; another runtime would see the topmost of them. */
static json_t *image(const struct oci_input *in, const struct mount_spec *spec)
{
	size_t count = spec->layers.count;
	auto_free char *layer = count ? container_layer_path(spec->layers.items[count - 1]) : NULL;
	auto_free char *source = xasprintf("%s/%s", in->root_path, layer ? layer : "");

	return bind(in, spec, source);
}

static json_t *user_mount(const struct oci_input *in, const struct mount_spec *spec)
{
	json_t *mount = NULL;

	switch (spec->kind) {
	case MOUNT_KIND_TMPFS:
		mount = filesystem(spec, "tmpfs", "tmpfs", &spec->options);
		break;
	case MOUNT_KIND_VOLUME:
		mount = volume(in, spec);
		break;
	case MOUNT_KIND_BIND:
		mount = bind(in, spec, spec->source);
		break;
	case MOUNT_KIND_IMAGE:
		mount = image(in, spec);
		break;
	}
	json_set_string(mount, "destination", spec->target);
	return mount;
}

/* A mount point comes before what is mounted below it. */
static size_t path_depth(const char *path)
{
	size_t depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int compare_depth(const void *a, const void *b)
{
	const struct mount_spec *const *x = a, *const *y = b;
	size_t dx = path_depth((*x)->target), dy = path_depth((*y)->target);

	if (dx != dy)
		return dx < dy ? -1 : 1;
	return strcmp((*x)->target, (*y)->target);
}

json_t *oci_mounts(const struct oci_input *in)
{
	const struct mount_list *list = &in->config->mounts;
	auto_free const struct mount_spec **sorted = xcalloc(list->count, sizeof(*sorted));
	json_t *mounts = json_array();

	add_standard(in, mounts);
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->count, sizeof(const struct mount_spec *), compare_depth);
	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(mounts, user_mount(in, sorted[i]));
	/* Last: they are also there when the user brings an /etc of his own. */
	add_file(in, mounts, "/etc/resolv.conf", "resolv.conf");
	add_file(in, mounts, "/etc/hostname", "hostname");
	add_file(in, mounts, "/etc/hosts", "hosts");
	return mounts;
}
