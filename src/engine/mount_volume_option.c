/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/mount_spec_internal.h"

static int volume_option(struct mount_spec *spec, const char *option, const char *text,
			 struct error *err)
{
	bool bind = spec->kind == MOUNT_KIND_BIND;

	if (strcmp(option, "ro") == 0 || strcmp(option, "readonly") == 0) {
		spec->read_only = true;
	} else if (strcmp(option, "nocopy") == 0 && !bind) {
		spec->no_copy = true;
	} else if (mount_is_propagation(option) && bind) {
		free(spec->propagation);
		spec->propagation = xstrdup(option);
	} else if (strcmp(option, "U") == 0) {
		spec->chown = true;
	} else if (strcmp(option, "idmap") == 0 || strncmp(option, "idmap=", 6) == 0) {
		return mount_set_id_map(spec, option[5] ? option + 6 : NULL, err);
	} else if (strcmp(option, "rw") != 0 && strcmp(option, "z") != 0 &&
		   strcmp(option, "Z") != 0 && !mount_is_consistency(option)) {
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
	return mount_check_chown(spec, err);
}

static int volume_source(struct mount_spec *spec, const char *source, const char *text,
			 struct error *err)
{
	if (source[0] == '/' || source[0] == '.') {
		spec->kind = MOUNT_KIND_BIND;
		spec->create_source = true;
		return mount_set_bind_source(spec, source, text, err);
	}
	if (!*source)
		return err_set(err, ERR_INVALID, 0,
			       "invalid volume specification: '%s': empty section between colons",
			       text);
	spec->kind = MOUNT_KIND_VOLUME;
	if (!mount_is_volume_name(source))
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

	r = mount_check_text(text, "--volume", err);
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
	r = mount_set_target(&spec, parts.items[parts.count == 1 ? 0 : 1], text, err);
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
