/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mount_spec_internal.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "engine/record_fields.h"

#define SPEC_MAX_BYTES 16384

static const char *const kind_names[] = {
	[MOUNT_KIND_BIND] = "bind",
	[MOUNT_KIND_VOLUME] = "volume",
	[MOUNT_KIND_TMPFS] = "tmpfs",
	[MOUNT_KIND_IMAGE] = "image",
};
#define MOUNT_KIND_COUNT 4
static_assert(ARRAY_SIZE(kind_names) == MOUNT_KIND_COUNT, "every kind has a name");

static const char *const origin_names[] = {
	[MOUNT_FROM_VOLUME_OPTION] = "volume", [MOUNT_FROM_MOUNT_OPTION] = "mount",
	[MOUNT_FROM_TMPFS_OPTION] = "tmpfs",   [MOUNT_FROM_IMAGE] = "image",
	[MOUNT_FROM_CONTAINER] = "container",
};
#define MOUNT_ORIGIN_COUNT 5
static_assert(ARRAY_SIZE(origin_names) == MOUNT_ORIGIN_COUNT, "every origin has a name");

const char *mount_kind_name(enum mount_kind kind)
{
	return kind_names[kind];
}

int mount_word_index(const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	return -ENOENT;
}

int mount_kind_find(const char *name)
{
	return mount_word_index(name, kind_names, MOUNT_KIND_COUNT);
}

bool mount_is_volume_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name);

	return len >= 2 && len <= 200 && strchr(letters, name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

bool mount_is_propagation(const char *text)
{
	static const char *const names[] = {"private", "rprivate", "shared",
					    "rshared", "slave",    "rslave"};

	return mount_word_index(text, names, ARRAY_SIZE(names)) >= 0;
}

bool mount_is_consistency(const char *text)
{
	static const char *const names[] = {"default", "consistent", "cached", "delegated"};

	return mount_word_index(text, names, ARRAY_SIZE(names)) >= 0;
}

/* No control characters: the text ends in mount tables and in front of people. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

int mount_set_target(struct mount_spec *spec, const char *target, const char *text,
		     struct error *err)
{
	if (!*target)
		return err_set(err, ERR_INVALID, 0, "invalid mount '%s': it has no target", text);
	if (target[0] != '/')
		return err_set(err, ERR_INVALID, 0,
			       "invalid mount '%s': mount path must be absolute", text);
	free(spec->target);
	spec->target = path_clean(target);
	if (strcmp(spec->target, "/") == 0)
		return err_set(err, ERR_INVALID, 0, "invalid mount '%s': destination can't be '/'",
			       text);
	if (strlen(spec->target) >= PATH_MAX)
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "mount target is too long");
	return 0;
}

int mount_check_text(const char *text, const char *option, struct error *err)
{
	if (strlen(text) > SPEC_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "%s: longer than %d bytes", option,
			       SPEC_MAX_BYTES);
	if (!is_printable(text))
		return err_set(err, ERR_INVALID, 0, "%s: control character in the value", option);
	return 0;
}

int mount_set_bind_source(struct mount_spec *spec, const char *source, const char *text,
			  struct error *err)
{
	auto_free char *here = NULL, *joined = NULL;

	if (source[0] != '/') {
		here = getcwd(NULL, 0);
		if (!here)
			return err_set(err, ERR_SYSTEM, errno, "look where we are");
		joined = xasprintf("%s/%s", here, source);
		source = joined;
	}
	free(spec->source);
	spec->source = path_clean(source);
	if (strlen(spec->source) >= PATH_MAX)
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "invalid mount '%s': bind source is too long", text);
	return 0;
}

int mount_set_subpath(struct mount_spec *spec, const char *subpath, struct error *err)
{
	auto_(strv_release) struct strv parts = {0};

	strv_split(&parts, subpath, '/');
	if (!*subpath || *subpath == '/' || strlen(subpath) >= PATH_MAX || strv_has(&parts, ".."))
		return err_set(err, ERR_INVALID, 0,
			       "invalid subpath '%s': must be a relative path without '..'",
			       subpath);
	free(spec->subpath);
	spec->subpath = xstrdup(subpath);
	return 0;
}

/* What a mistyped :U would make unusable: the host's own directories. Podman refuses them too. */
int mount_check_chown(const struct mount_spec *spec, struct error *err)
{
	static const char *const kept[] = {
		"/",          "/bin",     "/boot",    "/dev",       "/etc",       "/home",
		"/lib",       "/lib64",   "/media",   "/opt",       "/proc",      "/root",
		"/run",       "/sbin",    "/srv",     "/sys",       "/tmp",       "/usr",
		"/var",       "/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin",  "/usr/share",
		"/var/cache", "/var/lib", "/var/log", "/var/run",   "/var/spool", "/var/tmp",
	};

	if (!spec->chown)
		return 0;
	if (spec->id_map)
		return err_set(err, ERR_INVALID, 0, "U and idmap exclude each other");
	if (spec->kind == MOUNT_KIND_BIND &&
	    mount_word_index(spec->source, kept, ARRAY_SIZE(kept)) >= 0)
		return err_set(
			err, ERR_INVALID, EPERM,
			"the owner of '%s', a directory of the host's system, is not changed",
			spec->source);
	return 0;
}

int mount_spec_from_image(const char *target, struct mount_spec *ret_spec, struct error *err)
{
	auto_(mount_spec_release) struct mount_spec spec = {
		.kind = MOUNT_KIND_VOLUME,
		.origin = MOUNT_FROM_IMAGE,
		.anonymous = true,
	};
	int r;

	r = mount_check_text(target, "volume of the image", err);
	if (r < 0)
		return r;
	r = mount_set_target(&spec, target, target, err);
	if (r < 0)
		return err_wrap(err, r, "volume of the image");
	*ret_spec = spec;
	spec = (struct mount_spec){0};
	return 0;
}

void mount_spec_release(struct mount_spec *spec)
{
	free(spec->source);
	free(spec->target);
	free(spec->mode);
	free(spec->propagation);
	strv_release(&spec->options);
	free(spec->subpath);
	free(spec->id_map);
	free(spec->image_id);
	strv_release(&spec->layers);
	strv_release(&spec->labels);
	strv_release(&spec->driver_options);
	strv_release(&spec->volume_options);
	*spec = (struct mount_spec){0};
}

/* ---- the record ---- */

static const struct record_field spec_fields[] = {
	RECORD_FIELD_STRING(struct mount_spec, source, "source"),
	RECORD_FIELD_STRING(struct mount_spec, target, "target"),
	RECORD_FIELD_STRING(struct mount_spec, mode, "mode"),
	RECORD_FIELD_STRING(struct mount_spec, propagation, "propagation"),
	RECORD_FIELD_STRV(struct mount_spec, options, "options"),
	RECORD_FIELD_STRING(struct mount_spec, subpath, "subpath"),
	RECORD_FIELD_STRING(struct mount_spec, id_map, "idMap"),
	RECORD_FIELD_STRING(struct mount_spec, image_id, "imageId"),
	RECORD_FIELD_STRV(struct mount_spec, layers, "layers"),
	RECORD_FIELD_STRV(struct mount_spec, labels, "labels"),
	RECORD_FIELD_STRV(struct mount_spec, driver_options, "driverOptions"),
	RECORD_FIELD_STRV(struct mount_spec, volume_options, "volumeOptions"),
	RECORD_FIELD_BOOL(struct mount_spec, anonymous, "anonymous"),
	RECORD_FIELD_BOOL(struct mount_spec, read_only, "readOnly"),
	RECORD_FIELD_BOOL(struct mount_spec, read_only_writable_below, "writableBelow"),
	RECORD_FIELD_BOOL(struct mount_spec, read_only_recursive, "readOnlyBelow"),
	RECORD_FIELD_BOOL(struct mount_spec, non_recursive, "nonRecursive"),
	RECORD_FIELD_BOOL(struct mount_spec, create_source, "createSource"),
	RECORD_FIELD_BOOL(struct mount_spec, no_copy, "noCopy"),
	RECORD_FIELD_BOOL(struct mount_spec, chown, "chown"),
};

void mount_spec_copy(struct mount_spec *to, const struct mount_spec *from)
{
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *object = mount_spec_to_json(from);

	mount_spec_release(to);
	(void)mount_spec_from_json(object, to, &ignored); /* what we wrote can be read */
}

json_t *mount_spec_to_json(const struct mount_spec *spec)
{
	json_t *object = json_object();

	json_set_string(object, "kind", kind_names[spec->kind]);
	json_set_string(object, "origin", origin_names[spec->origin]);
	record_fields_save(spec, spec_fields, ARRAY_SIZE(spec_fields), object);
	return object;
}

int mount_spec_from_json(const json_t *object, struct mount_spec *ret_spec, struct error *err)
{
	auto_(mount_spec_release) struct mount_spec spec = {0};
	int kind, origin, r;

	kind = mount_word_index(json_get_string(object, "kind", ""), kind_names, MOUNT_KIND_COUNT);
	origin = mount_word_index(json_get_string(object, "origin", ""), origin_names,
				  MOUNT_ORIGIN_COUNT);
	if (kind < 0 || origin < 0)
		return err_set(err, ERR_INTERNAL, EBADMSG, "record has a mount of no known kind");
	spec.kind = (enum mount_kind)kind;
	spec.origin = (enum mount_origin)origin;
	r = record_fields_load(&spec, spec_fields, ARRAY_SIZE(spec_fields), object, err);
	if (r < 0)
		return r;
	if (!spec.target || spec.target[0] != '/' || (spec.kind == MOUNT_KIND_BIND && !spec.source))
		return err_set(err, ERR_INTERNAL, EBADMSG, "record has a mount without its paths");
	*ret_spec = spec;
	spec = (struct mount_spec){0};
	return 0;
}

/* ---- lists ---- */

void mount_list_add(struct mount_list *list, struct mount_spec *spec)
{
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = *spec;
	*spec = (struct mount_spec){0};
}

const struct mount_spec *mount_list_find(const struct mount_list *list, const char *target)
{
	size_t i = mount_list_index(list, target);

	return i < list->count ? &list->items[i] : NULL;
}

size_t mount_list_index(const struct mount_list *list, const char *target)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i].target, target) == 0)
			break;
	return i;
}

void mount_list_remove(struct mount_list *list, size_t index)
{
	mount_spec_release(&list->items[index]);
	list->count--;
	for (size_t i = index; i < list->count; i++)
		list->items[i] = list->items[i + 1];
}

void mount_list_release(struct mount_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		mount_spec_release(&list->items[i]);
	free(list->items);
	*list = (struct mount_list){0};
}
