/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mount_spec.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/path.h"
#include "engine/record_fields.h"

#define SPEC_MAX_BYTES 16384

static const char *const kind_names[] = {
	[MOUNT_KIND_BIND] = "bind",
	[MOUNT_KIND_VOLUME] = "volume",
	[MOUNT_KIND_TMPFS] = "tmpfs",
};
#define MOUNT_KIND_COUNT 3
static_assert(ARRAY_SIZE(kind_names) == MOUNT_KIND_COUNT, "every kind has a name");

static const char *const origin_names[] = {
	[MOUNT_FROM_VOLUME_OPTION] = "volume",
	[MOUNT_FROM_MOUNT_OPTION] = "mount",
	[MOUNT_FROM_TMPFS_OPTION] = "tmpfs",
	[MOUNT_FROM_IMAGE] = "image",
};
#define MOUNT_ORIGIN_COUNT 4
static_assert(ARRAY_SIZE(origin_names) == MOUNT_ORIGIN_COUNT, "every origin has a name");

const char *mount_kind_name(enum mount_kind kind)
{
	return kind_names[kind];
}

static int index_of(const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	return -ENOENT;
}

static bool is_volume_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(name);

	return len >= 2 && len <= 200 && strchr(letters, name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       len;
}

static bool is_propagation(const char *text)
{
	static const char *const names[] = {"private", "rprivate", "shared",
					    "rshared", "slave",    "rslave"};

	return index_of(text, names, ARRAY_SIZE(names)) >= 0;
}

/* Docker's Consistency, which means something on a Mac only. */
static bool is_consistency(const char *text)
{
	static const char *const names[] = {"default", "consistent", "cached", "delegated"};

	return index_of(text, names, ARRAY_SIZE(names)) >= 0;
}

/* No control characters: the text ends in mount tables and in front of people. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int set_target(struct mount_spec *spec, const char *target, const char *text,
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

static int check_text(const char *text, const char *option, struct error *err)
{
	if (strlen(text) > SPEC_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "%s: longer than %d bytes", option,
			       SPEC_MAX_BYTES);
	if (!is_printable(text))
		return err_set(err, ERR_INVALID, 0, "%s: control character in the value", option);
	return 0;
}

/* ---- -v ---- */

static int volume_option(struct mount_spec *spec, const char *option, const char *text,
			 struct error *err)
{
	bool bind = spec->kind == MOUNT_KIND_BIND;

	if (strcmp(option, "ro") == 0 || strcmp(option, "readonly") == 0) {
		spec->read_only = true;
	} else if (strcmp(option, "nocopy") == 0 && !bind) {
		spec->no_copy = true;
	} else if (is_propagation(option) && bind) {
		free(spec->propagation);
		spec->propagation = xstrdup(option);
	} else if (strcmp(option, "rw") != 0 && strcmp(option, "z") != 0 &&
		   strcmp(option, "Z") != 0 && !is_consistency(option)) {
		/* z and Z relabel for SELinux; without it they ask for what is already true. */
		return err_set(err, ERR_INVALID, 0, "invalid mode: %s (in volume '%s')", option,
			       text);
	}
	return 0;
}

static int volume_options(struct mount_spec *spec, const char *options, const char *text,
			  struct error *err)
{
	auto_(strv_release) struct strv list = {0};
	int r;

	if (!*options)
		return err_set(err, ERR_INVALID, 0, "invalid volume specification: '%s'", text);
	strv_split(&list, options, ',');
	if (strv_has(&list, "ro") && strv_has(&list, "rw"))
		return err_set(err, ERR_INVALID, 0, "invalid mode: %s (in volume '%s')", options,
			       text);
	for (size_t i = 0; i < list.count; i++) {
		r = volume_option(spec, list.items[i], text, err);
		if (r < 0)
			return r;
	}
	spec->mode = xstrdup(options);
	return 0;
}

static int volume_source(struct mount_spec *spec, const char *source, const char *text,
			 struct error *err)
{
	if (source[0] == '/') {
		spec->kind = MOUNT_KIND_BIND;
		spec->create_source = true;
		spec->source = path_clean(source);
		if (strlen(spec->source) >= PATH_MAX)
			return err_set(err, ERR_INVALID, ENAMETOOLONG, "bind source is too long");
		return 0;
	}
	if (!*source)
		return err_set(err, ERR_INVALID, 0,
			       "invalid volume specification: '%s': empty section between colons",
			       text);
	spec->kind = MOUNT_KIND_VOLUME;
	if (!is_volume_name(source))
		return err_set(err, ERR_INVALID, 0,
			       "%s includes invalid characters for a local volume name, only "
			       "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass "
			       "a host directory, use absolute path",
			       source);
	spec->source = xstrdup(source);
	return 0;
}

int mount_spec_parse_volume(const char *text, struct mount_spec *ret_spec, struct error *err)
{
	auto_(mount_spec_release) struct mount_spec spec = {.origin = MOUNT_FROM_VOLUME_OPTION};
	auto_(strv_release) struct strv parts = {0};
	int r;

	r = check_text(text, "--volume", err);
	if (r < 0)
		return r;
	strv_split(&parts, text, ':');
	if (parts.count < 1 || parts.count > 3)
		return err_set(err, ERR_INVALID, 0, "invalid volume specification: '%s'", text);

	if (parts.count == 1) {
		spec.kind = MOUNT_KIND_VOLUME;
		spec.anonymous = true;
	} else {
		r = volume_source(&spec, parts.items[0], text, err);
		if (r < 0)
			return r;
	}
	r = set_target(&spec, parts.items[parts.count == 1 ? 0 : 1], text, err);
	if (r < 0)
		return r;
	if (parts.count == 3) {
		r = volume_options(&spec, parts.items[2], text, err);
		if (r < 0)
			return r;
	}
	*ret_spec = spec;
	spec = (struct mount_spec){0};
	return 0;
}

/* ---- tmpfs, by both options ---- */

static int tmpfs_size(struct mount_spec *spec, const char *value, const char *text,
		      struct error *err)
{
	size_t len = strlen(value);
	uint64_t bytes;

	/* The kernel also takes a share of memory. */
	if (len > 1 && len < 8 && value[len - 1] == '%' && strspn(value, "0123456789") == len - 1) {
		strv_addf(&spec->options, "size=%s", value);
		return 0;
	}
	if (parse_size(value, &bytes) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid tmpfs '%s': invalid size: '%s'", text,
			       value);
	strv_addf(&spec->options, "size=%" PRIu64, bytes);
	return 0;
}

static int tmpfs_mode(struct mount_spec *spec, const char *value, const char *text,
		      struct error *err)
{
	uint32_t mode;

	if (parse_octal(value, &mode) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid tmpfs '%s': invalid mode: '%s', expected octal digits",
			       text, value);
	strv_addf(&spec->options, "mode=%o", mode);
	return 0;
}

static int tmpfs_number(struct mount_spec *spec, const char *key, const char *value,
			const char *text, struct error *err)
{
	uint32_t number;

	if (parse_u32(value, &number) < 0 || number > INT32_MAX - 1)
		return err_set(err, ERR_INVALID, 0, "invalid tmpfs '%s': invalid %s: '%s'", text,
			       key, value);
	strv_addf(&spec->options, "%s=%" PRIu32, key, number);
	return 0;
}

static bool is_tmpfs_flag(const char *option)
{
	static const char *const flags[] = {"exec",        "noexec",   "suid",      "nosuid",
					    "dev",         "nodev",    "sync",      "async",
					    "atime",       "noatime",  "relatime",  "norelatime",
					    "strictatime", "diratime", "nodiratime"};

	return index_of(option, flags, ARRAY_SIZE(flags)) >= 0;
}

static int tmpfs_option(struct mount_spec *spec, const char *option, const char *text,
			struct error *err)
{
	const char *equals = strchr(option, '=');
	size_t key_len = equals ? (size_t)(equals - option) : 0;

	if (strcmp(option, "ro") == 0) {
		spec->read_only = true;
		return 0;
	}
	if (strcmp(option, "rw") == 0)
		return 0;
	if (is_tmpfs_flag(option)) {
		strv_add(&spec->options, option);
		return 0;
	}
	if (key_len == 4 && strncmp(option, "size", 4) == 0)
		return tmpfs_size(spec, equals + 1, text, err);
	if (key_len == 4 && strncmp(option, "mode", 4) == 0)
		return tmpfs_mode(spec, equals + 1, text, err);
	if (key_len == 3 && strncmp(option, "uid", 3) == 0)
		return tmpfs_number(spec, "uid", equals + 1, text, err);
	if (key_len == 3 && strncmp(option, "gid", 3) == 0)
		return tmpfs_number(spec, "gid", equals + 1, text, err);
	if (key_len == 9 && strncmp(option, "nr_inodes", 9) == 0)
		return tmpfs_number(spec, "nr_inodes", equals + 1, text, err);
	return err_set(err, ERR_INVALID, 0, "invalid tmpfs option '%s' in '%s'", option, text);
}

/* Docker's defaults come first, so that "exec" after "noexec" wins. */
static void tmpfs_defaults(struct mount_spec *spec)
{
	strv_add(&spec->options, "noexec");
	strv_add(&spec->options, "nosuid");
	strv_add(&spec->options, "nodev");
}

int mount_spec_parse_tmpfs(const char *text, struct mount_spec *ret_spec, struct error *err)
{
	auto_(mount_spec_release) struct mount_spec spec = {
		.kind = MOUNT_KIND_TMPFS,
		.origin = MOUNT_FROM_TMPFS_OPTION,
	};
	auto_(strv_release) struct strv options = {0};
	auto_free char *target = NULL;
	const char *colon = strchr(text, ':');
	int r;

	r = check_text(text, "--tmpfs", err);
	if (r < 0)
		return r;
	target = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	r = set_target(&spec, target, text, err);
	if (r < 0)
		return r;
	tmpfs_defaults(&spec);
	if (colon && colon[1]) {
		spec.mode = xstrdup(colon + 1);
		strv_split(&options, colon + 1, ',');
	}
	for (size_t i = 0; i < options.count; i++) {
		r = tmpfs_option(&spec, options.items[i], text, err);
		if (r < 0)
			return r;
	}
	*ret_spec = spec;
	spec = (struct mount_spec){0};
	return 0;
}

/* ---- --mount ---- */

struct mount_field {
	const char *key, *value; /* value NULL: the key stood alone */
	const char *text;        /* the whole option, for messages */
};

static int field_refuse(const struct mount_field *field, struct error *err)
{
	if (field->value)
		return err_set(err, ERR_INVALID, 0, "invalid value for %s: '%s' (in mount '%s')",
			       field->key, field->value, field->text);
	return err_set(err, ERR_INVALID, 0,
		       "invalid field '%s' must be a key=value pair (in "
		       "mount '%s')",
		       field->key, field->text);
}

static int field_bool(const struct mount_field *field, bool *ret_value, struct error *err)
{
	if (!field->value) {
		*ret_value = true;
		return 0;
	}
	return parse_bool(field->value, ret_value) < 0 ? field_refuse(field, err) : 0;
}

static int field_type(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	int kind = field->value ? index_of(field->value, kind_names, MOUNT_KIND_COUNT) : -EINVAL;

	if (kind >= 0)
		spec->kind = (enum mount_kind)kind;
	else if (field->value)
		return err_set(err, ERR_INVALID, 0,
			       "mount type '%s' is not supported (in mount '%s'); bind, volume "
			       "and tmpfs are",
			       field->value, field->text);
	else
		return field_refuse(field, err);
	return 0;
}

static int field_recursive(struct mount_spec *spec, const struct mount_field *field,
			   struct error *err)
{
	const char *value = field->value ? field->value : "";

	if (strcmp(value, "enabled") == 0)
		spec->non_recursive = spec->read_only_writable_below = false;
	else if (strcmp(value, "disabled") == 0)
		spec->non_recursive = true;
	else if (strcmp(value, "writable") == 0)
		spec->read_only_writable_below = true;
	else if (strcmp(value, "readonly") != 0)
		return field_refuse(field, err);
	return 0;
}

static int field_propagation(struct mount_spec *spec, const struct mount_field *field,
			     struct error *err)
{
	if (!field->value || !is_propagation(field->value))
		return field_refuse(field, err);
	free(spec->propagation);
	spec->propagation = xstrdup(field->value);
	return 0;
}

/* Fields that belong to one kind only; 0 when it is another's or unknown, 1 when taken. */
static int kind_field(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	const char *key = field->key;
	int r = -ENOENT;

	if (spec->kind == MOUNT_KIND_BIND) {
		if (strcmp(key, "bind-propagation") == 0)
			r = field_propagation(spec, field, err);
		else if (strcmp(key, "bind-nonrecursive") == 0)
			r = field_bool(field, &spec->non_recursive, err);
		else if (strcmp(key, "bind-recursive") == 0)
			r = field_recursive(spec, field, err);
	} else if (spec->kind == MOUNT_KIND_VOLUME) {
		if (strcmp(key, "volume-nocopy") == 0)
			r = field_bool(field, &spec->no_copy, err);
		else if (strcmp(key, "volume-driver") == 0)
			r = field->value && strcmp(field->value, "local") == 0
				    ? 0
				    : field_refuse(field, err);
	} else {
		if (strcmp(key, "tmpfs-size") == 0)
			r = field->value ? tmpfs_size(spec, field->value, field->text, err)
					 : field_refuse(field, err);
		else if (strcmp(key, "tmpfs-mode") == 0)
			r = field->value ? tmpfs_mode(spec, field->value, field->text, err)
					 : field_refuse(field, err);
	}
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

static int mount_field(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	const char *key = field->key;
	int r;

	if (strcmp(key, "type") == 0)
		return 0; /* seen first: field_type() */
	if (strcmp(key, "readonly") == 0 || strcmp(key, "ro") == 0)
		return field_bool(field, &spec->read_only, err);
	if (strcmp(key, "source") == 0 || strcmp(key, "src") == 0) {
		if (!field->value)
			return field_refuse(field, err);
		free(spec->source);
		spec->source = xstrdup(field->value);
		return 0;
	}
	if (strcmp(key, "target") == 0 || strcmp(key, "destination") == 0 ||
	    strcmp(key, "dst") == 0)
		return field->value ? set_target(spec, field->value, field->text, err)
				    : field_refuse(field, err);
	if (strcmp(key, "consistency") == 0 && field->value && is_consistency(field->value))
		return 0;
	r = kind_field(spec, field, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, ERR_INVALID, 0, "unexpected key '%s' in mount '%s' of type %s", key,
		       field->text, mount_kind_name(spec->kind));
}

static int check_mount(struct mount_spec *spec, const char *text, struct error *err)
{
	if (!spec->target)
		return err_set(err, ERR_INVALID, 0, "invalid mount '%s': target is required", text);
	if (spec->source && !*spec->source) {
		free(spec->source);
		spec->source = NULL;
	}
	switch (spec->kind) {
	case MOUNT_KIND_BIND:
		if (!spec->source)
			return err_set(err, ERR_INVALID, 0,
				       "invalid mount '%s': field Source must not be empty", text);
		if (spec->source[0] != '/' || strlen(spec->source) >= PATH_MAX)
			return err_set(err, ERR_INVALID, 0,
				       "invalid mount path: '%s' mount path must be absolute",
				       spec->source);
		break;
	case MOUNT_KIND_VOLUME:
		spec->anonymous = !spec->source;
		if (spec->source && !is_volume_name(spec->source))
			return err_set(err, ERR_INVALID, 0,
				       "%s includes invalid characters for a local volume name, "
				       "only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
				       spec->source);
		break;
	case MOUNT_KIND_TMPFS:
		if (spec->source)
			return err_set(err, ERR_INVALID, 0,
				       "invalid mount '%s': a tmpfs has no source", text);
		break;
	}
	return 0;
}

/* Calls `take` for each field of the comma-separated list. */
static int each_field(struct mount_spec *spec, const char *text,
		      int (*take)(struct mount_spec *, const struct mount_field *, struct error *),
		      const char *only, struct error *err)
{
	auto_(strv_release) struct strv fields = {0};
	int r;

	strv_split(&fields, text, ',');
	for (size_t i = 0; i < fields.count; i++) {
		char *equals = strchr(fields.items[i], '=');
		struct mount_field field = {.key = fields.items[i], .text = text};

		if (equals) {
			*equals = '\0';
			field.value = equals + 1;
		}
		if (only && strcmp(field.key, only) != 0)
			continue;
		r = take(spec, &field, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int mount_spec_parse_mount(const char *text, struct mount_spec *ret_spec, struct error *err)
{
	auto_(mount_spec_release) struct mount_spec spec = {
		.kind = MOUNT_KIND_VOLUME,
		.origin = MOUNT_FROM_MOUNT_OPTION,
	};
	int r;

	r = check_text(text, "--mount", err);
	if (r < 0)
		return r;
	if (!*text)
		return err_set(err, ERR_INVALID, 0, "value is required for --mount");
	/* The type decides which other fields there are, wherever it stands. */
	r = each_field(&spec, text, field_type, "type", err);
	if (r < 0)
		return r;
	if (spec.kind == MOUNT_KIND_TMPFS)
		tmpfs_defaults(&spec);
	r = each_field(&spec, text, mount_field, NULL, err);
	if (r < 0)
		return r;
	r = check_mount(&spec, text, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct mount_spec){0};
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

	r = check_text(target, "volume of the image", err);
	if (r < 0)
		return r;
	r = set_target(&spec, target, target, err);
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
	*spec = (struct mount_spec){0};
}

/* ---- the record ---- */

static const struct record_field spec_fields[] = {
	RECORD_FIELD_STRING(struct mount_spec, source, "source"),
	RECORD_FIELD_STRING(struct mount_spec, target, "target"),
	RECORD_FIELD_STRING(struct mount_spec, mode, "mode"),
	RECORD_FIELD_STRING(struct mount_spec, propagation, "propagation"),
	RECORD_FIELD_STRV(struct mount_spec, options, "options"),
	RECORD_FIELD_BOOL(struct mount_spec, anonymous, "anonymous"),
	RECORD_FIELD_BOOL(struct mount_spec, read_only, "readOnly"),
	RECORD_FIELD_BOOL(struct mount_spec, read_only_writable_below, "writableBelow"),
	RECORD_FIELD_BOOL(struct mount_spec, non_recursive, "nonRecursive"),
	RECORD_FIELD_BOOL(struct mount_spec, create_source, "createSource"),
	RECORD_FIELD_BOOL(struct mount_spec, no_copy, "noCopy"),
};

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

	kind = index_of(json_get_string(object, "kind", ""), kind_names, MOUNT_KIND_COUNT);
	origin = index_of(json_get_string(object, "origin", ""), origin_names, MOUNT_ORIGIN_COUNT);
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
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].target, target) == 0)
			return &list->items[i];
	return NULL;
}

void mount_list_release(struct mount_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		mount_spec_release(&list->items[i]);
	free(list->items);
	*list = (struct mount_list){0};
}
