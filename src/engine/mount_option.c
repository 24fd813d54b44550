/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_option.c - --mount
 *
 * A table of keys: which kind of mount each belongs to and what it sets. Docker's keys come first, then
 * those that podman has beside them.
 */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/parse.h"
#include "base/path.h"
#include "engine/mount_spec_internal.h"

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
		       "invalid field '%s' must be a key=value pair (in mount '%s')", field->key,
		       field->text);
}

static int field_bool(const struct mount_field *field, bool *ret_value, struct error *err)
{
	if (!field->value) {
		*ret_value = true;
		return 0;
	}
	return parse_bool(field->value, ret_value) < 0 ? field_refuse(field, err) : 0;
}

/* ---- what each key does; but for flags there is a value ---- */

typedef int field_fn(struct mount_spec *spec, const struct mount_field *field, struct error *err);

static int set_read_only(struct mount_spec *spec, const struct mount_field *field,
			 struct error *err)
{
	return field_bool(field, &spec->read_only, err);
}

static int set_writable(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	bool writable;
	int r = field_bool(field, &writable, err);

	if (r >= 0)
		spec->read_only = !writable;
	return r;
}

static int set_source(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	(void)err;
	free(spec->source);
	spec->source = xstrdup(field->value);
	return 0;
}

static int set_target(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	return mount_set_target(spec, field->value, field->text, err);
}

static int set_consistency(struct mount_spec *spec, const struct mount_field *field,
			   struct error *err)
{
	(void)spec;
	return mount_is_consistency(field->value) ? 0 : field_refuse(field, err);
}

static int set_propagation(struct mount_spec *spec, const struct mount_field *field,
			   struct error *err)
{
	if (!mount_is_propagation(field->value))
		return field_refuse(field, err);
	free(spec->propagation);
	spec->propagation = xstrdup(field->value);
	return 0;
}

static int set_non_recursive(struct mount_spec *spec, const struct mount_field *field,
			     struct error *err)
{
	return field_bool(field, &spec->non_recursive, err);
}

static int set_recursive(struct mount_spec *spec, const struct mount_field *field,
			 struct error *err)
{
	const char *value = field->value;
	bool disabled = strcmp(value, "disabled") == 0, writable = strcmp(value, "writable") == 0;
	bool readonly = strcmp(value, "readonly") == 0;

	if (!disabled && !writable && !readonly && strcmp(value, "enabled") != 0)
		return field_refuse(field, err);
	spec->non_recursive = disabled;
	spec->read_only_writable_below = writable;
	spec->read_only_recursive = readonly;
	return 0;
}

static int set_create_source(struct mount_spec *spec, const struct mount_field *field,
			     struct error *err)
{
	return field_bool(field, &spec->create_source, err);
}

static int set_no_copy(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	return field_bool(field, &spec->no_copy, err);
}

static int set_driver(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	(void)spec;
	return strcmp(field->value, "local") == 0 ? 0 : field_refuse(field, err);
}

static int set_label(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	if (!*field->value || *field->value == '=')
		return field_refuse(field, err);
	strv_addf(&spec->labels, "%s%s", field->value, strchr(field->value, '=') ? "" : "=");
	return 0;
}

static int set_driver_option(struct mount_spec *spec, const struct mount_field *field,
			     struct error *err)
{
	if (!*field->value || *field->value == '=')
		return field_refuse(field, err);
	strv_addf(&spec->driver_options, "%s%s", field->value,
		  strchr(field->value, '=') ? "" : "=");
	return 0;
}

static int set_subpath(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	return mount_set_subpath(spec, field->value, err);
}

static int set_tmpfs_size(struct mount_spec *spec, const struct mount_field *field,
			  struct error *err)
{
	return mount_tmpfs_size(spec, field->value, field->text, err);
}

static int set_tmpfs_mode(struct mount_spec *spec, const struct mount_field *field,
			  struct error *err)
{
	return mount_tmpfs_mode(spec, field->value, field->text, err);
}

static int set_chown(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	return field_bool(field, &spec->chown, err);
}

static int set_id_map(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	return mount_set_id_map(spec, field->value, err);
}

/* Without effect where there is no SELinux, as :z. */
static int set_relabel(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	(void)spec;
	if (strcmp(field->value, "shared") == 0 || strcmp(field->value, "private") == 0)
		return 0;
	return field_refuse(field, err);
}

#define OF(kind) (1U << (kind))
#define OF_ALL                                                                                     \
	(OF(MOUNT_KIND_BIND) | OF(MOUNT_KIND_VOLUME) | OF(MOUNT_KIND_TMPFS) | OF(MOUNT_KIND_IMAGE))
#define OF_FILES (OF(MOUNT_KIND_BIND) | OF(MOUNT_KIND_VOLUME))

static const struct mount_key {
	const char *key;
	unsigned int kinds;
	bool is_flag; /* may stand alone */
	field_fn *set;
} mount_keys[] = {
	{"source", OF_ALL, false, set_source},
	{"src", OF_ALL, false, set_source},
	{"target", OF_ALL, false, set_target},
	{"destination", OF_ALL, false, set_target},
	{"dst", OF_ALL, false, set_target},
	{"readonly", OF_ALL, true, set_read_only},
	{"ro", OF_ALL, true, set_read_only},
	{"consistency", OF_ALL, false, set_consistency},
	{"bind-propagation", OF(MOUNT_KIND_BIND), false, set_propagation},
	{"bind-nonrecursive", OF(MOUNT_KIND_BIND), true, set_non_recursive},
	{"bind-recursive", OF(MOUNT_KIND_BIND), false, set_recursive},
	{"bind-create-src", OF(MOUNT_KIND_BIND), true, set_create_source},
	{"volume-nocopy", OF(MOUNT_KIND_VOLUME), true, set_no_copy},
	{"volume-label", OF(MOUNT_KIND_VOLUME), false, set_label},
	{"volume-driver", OF(MOUNT_KIND_VOLUME), false, set_driver},
	{"volume-opt", OF(MOUNT_KIND_VOLUME), false, set_driver_option},
	{"volume-subpath", OF(MOUNT_KIND_VOLUME), false, set_subpath},
	{"tmpfs-size", OF(MOUNT_KIND_TMPFS), false, set_tmpfs_size},
	{"tmpfs-mode", OF(MOUNT_KIND_TMPFS), false, set_tmpfs_mode},
	{"image-subpath", OF(MOUNT_KIND_IMAGE), false, set_subpath},
	{"rw", OF_ALL, true, set_writable},
	{"readwrite", OF_ALL, true, set_writable},
	{"subpath", OF(MOUNT_KIND_VOLUME) | OF(MOUNT_KIND_IMAGE), false, set_subpath},
	{"U", OF_FILES, true, set_chown},
	{"chown", OF_FILES, true, set_chown},
	{"idmap", OF_FILES, true, set_id_map},
	{"relabel", OF(MOUNT_KIND_BIND), false, set_relabel},
};

/* ---- reading ---- */

static int take_type(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	int kind;

	if (!field->value)
		return field_refuse(field, err);
	kind = mount_kind_find(field->value);
	if (kind < 0)
		return err_set(err, ERR_INVALID, 0,
			       "mount type '%s' is not supported (in mount '%s'); bind, image, "
			       "tmpfs and volume are",
			       field->value, field->text);
	spec->kind = (enum mount_kind)kind;
	return 0;
}

/* "volume-nocopy" of a bind: docker's words. */
static int refuse_kind(const struct mount_spec *spec, const struct mount_field *field,
		       struct error *err)
{
	size_t len = strcspn(field->key, "-");
	auto_free char *prefix = xstrndup(field->key, len);

	if (field->key[len] == '-' && mount_kind_find(prefix) >= 0)
		return err_set(
			err, ERR_INVALID, 0,
			"cannot mix '%s-*' options with mount type '%s' ('%s' in mount '%s')",
			prefix, mount_kind_name(spec->kind), field->key, field->text);
	return err_set(err, ERR_INVALID, 0, "unexpected key '%s' in mount '%s' of type %s",
		       field->key, field->text, mount_kind_name(spec->kind));
}

static int take_field(struct mount_spec *spec, const struct mount_field *field, struct error *err)
{
	if (strcmp(field->key, "type") == 0)
		return 0; /* seen first: take_type() */
	for (size_t i = 0; i < ARRAY_SIZE(mount_keys); i++) {
		const struct mount_key *key = &mount_keys[i];

		if (strcmp(key->key, field->key) != 0)
			continue;
		if (!(key->kinds & OF(spec->kind)))
			return refuse_kind(spec, field, err);
		if (!field->value && !key->is_flag)
			return field_refuse(field, err);
		return key->set(spec, field, err);
	}
	return err_set(err, ERR_INVALID, 0, "unexpected key '%s' in mount '%s' of type %s",
		       field->key, field->text, mount_kind_name(spec->kind));
}

static int check_bind(struct mount_spec *spec, const char *text, struct error *err)
{
	auto_free char *source = TAKE_PTR(spec->source);
	const char *rest = source ? source + strspn(source, ".") : "";
	size_t dots = source ? (size_t)(rest - source) : 0;
	bool relative = (dots == 1 || dots == 2) && (!*rest || *rest == '/');

	if (!source)
		return err_set(err, ERR_INVALID, 0,
			       "invalid mount '%s': field Source must not be empty", text);
	if (source[0] != '/' && !relative)
		return err_set(err, ERR_INVALID, 0,
			       "invalid mount path: '%s' mount path must be absolute", source);
	if (spec->read_only_recursive && !spec->read_only)
		return err_set(err, ERR_INVALID, 0,
			       "option 'bind-recursive=readonly' requires 'readonly' to be "
			       "specified in conjunction");
	if (spec->read_only_writable_below && !spec->read_only)
		return err_set(err, ERR_INVALID, 0,
			       "option 'bind-recursive=writable' requires 'readonly' to be "
			       "specified in conjunction");
	if (spec->read_only_recursive &&
	    (!spec->propagation || strcmp(spec->propagation, "rprivate") != 0))
		return err_set(err, ERR_INVALID, 0,
			       "option 'bind-recursive=readonly' requires "
			       "'bind-propagation=rprivate' to be specified in conjunction");
	return mount_set_bind_source(spec, source, text, err);
}

static int check_volume(struct mount_spec *spec, const char *text, struct error *err)
{
	spec->anonymous = !spec->source;
	if (spec->anonymous && spec->subpath)
		return err_set(
			err, ERR_INVALID, 0,
			"invalid mount '%s': must not set Subpath when using anonymous volumes",
			text);
	if (spec->source && !mount_is_volume_name(spec->source))
		return err_set(err, ERR_INVALID, 0,
			       "%s includes invalid characters for a local volume name, only "
			       "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
			       spec->source);
	return 0;
}

static int check_mount(struct mount_spec *spec, const char *text, struct error *err)
{
	int r = 0;

	if (!spec->target)
		return err_set(err, ERR_INVALID, 0, "invalid mount '%s': target is required", text);
	if (spec->source && !*spec->source) {
		free(spec->source);
		spec->source = NULL;
	}
	switch (spec->kind) {
	case MOUNT_KIND_BIND:
		r = check_bind(spec, text, err);
		break;
	case MOUNT_KIND_VOLUME:
		r = check_volume(spec, text, err);
		break;
	case MOUNT_KIND_TMPFS:
		if (spec->source)
			r = err_set(err, ERR_INVALID, 0,
				    "invalid mount '%s': a tmpfs has no source", text);
		break;
	case MOUNT_KIND_IMAGE:
		if (!spec->source)
			r = err_set(err, ERR_INVALID, 0,
				    "invalid mount '%s': field Source must not be empty", text);
		break;
	}
	return r < 0 ? r : mount_check_chown(spec, err);
}

/* Calls `take` for each field. */
static int each_field(struct mount_spec *spec, const char *text, field_fn *take, const char *only,
		      struct error *err)
{
	auto_(strv_release) struct strv fields = {0};
	const char *problem;
	size_t column;
	int r;

	if (csv_split(text, &fields, &problem, &column) < 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid mount '%s': parse error on line 1, column %zu: %s", text,
			       column, problem);
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

	r = mount_check_text(text, "--mount", err);
	if (r < 0)
		return r;
	if (!*text)
		return err_set(err, ERR_INVALID, 0, "value is required for --mount");
	/* The type decides which other fields there are, wherever it stands. */
	r = each_field(&spec, text, take_type, "type", err);
	if (r < 0)
		return r;
	if (spec.kind == MOUNT_KIND_TMPFS)
		mount_tmpfs_defaults(&spec);
	spec.read_only = spec.kind == MOUNT_KIND_IMAGE;
	r = each_field(&spec, text, take_field, NULL, err);
	if (r < 0)
		return r;
	r = check_mount(&spec, text, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct mount_spec){0};
	return 0;
}
