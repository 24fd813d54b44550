/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/mount_spec_internal.h"

int mount_tmpfs_size(struct mount_spec *spec, const char *value, const char *text,
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

int mount_tmpfs_mode(struct mount_spec *spec, const char *value, const char *text,
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

	return mount_word_index(option, flags, ARRAY_SIZE(flags)) >= 0;
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
		return mount_tmpfs_size(spec, equals + 1, text, err);
	if (key_len == 4 && strncmp(option, "mode", 4) == 0)
		return mount_tmpfs_mode(spec, equals + 1, text, err);
	if (key_len == 3 && strncmp(option, "uid", 3) == 0)
		return tmpfs_number(spec, "uid", equals + 1, text, err);
	if (key_len == 3 && strncmp(option, "gid", 3) == 0)
		return tmpfs_number(spec, "gid", equals + 1, text, err);
	if (key_len == 9 && strncmp(option, "nr_inodes", 9) == 0)
		return tmpfs_number(spec, "nr_inodes", equals + 1, text, err);
	return err_set(err, ERR_INVALID, 0, "invalid tmpfs option '%s' in '%s'", option, text);
}

/* Docker's defaults come first, so that "exec" after "noexec" wins. */
void mount_tmpfs_defaults(struct mount_spec *spec)
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

	r = mount_check_text(text, "--tmpfs", err);
	if (r < 0)
		return r;
	target = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	r = mount_set_target(&spec, target, text, err);
	if (r < 0)
		return r;
	mount_tmpfs_defaults(&spec);
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
