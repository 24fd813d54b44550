/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_mount_spec.c - -v, --mount, --tmpfs, --device, --ulimit, --add-host; the first byte chooses */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "engine/device_spec.h"
#include "engine/host_files.h"
#include "engine/mount_spec.h"
#include "engine/ulimit_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever was typed: an absolute clean target below "/", and the record gives back the same. */
static void check_mount(const struct mount_spec *spec)
{
	auto_(mount_spec_release) struct mount_spec again = {0};
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *object = mount_spec_to_json(spec);
	auto_(json_decref) json_t *second = NULL;
	auto_free char *clean = path_clean(spec->target);

	if (spec->target[0] != '/' || !spec->target[1] || strcmp(clean, spec->target) != 0)
		abort();
	if (spec->kind == MOUNT_KIND_BIND && spec->source[0] != '/')
		abort();
	if (spec->kind == MOUNT_KIND_VOLUME && spec->source && strchr(spec->source, '/'))
		abort();
	if (mount_spec_from_json(object, &again, &err) < 0)
		abort();
	second = mount_spec_to_json(&again);
	if (!json_equal(object, second))
		abort();
}

static void try_mount(int (*parse)(const char *, struct mount_spec *, struct error *),
		      const char *text)
{
	auto_(mount_spec_release) struct mount_spec spec = {0};
	auto_(error_release) struct error err = {0};

	if (parse(text, &spec, &err) >= 0)
		check_mount(&spec);
}

static void try_device(const char *text)
{
	auto_(device_spec_release) struct device_spec spec = {0};
	auto_(error_release) struct error err = {0};

	if (device_spec_parse(text, &spec, &err) >= 0 &&
	    (spec.host_path[0] != '/' || spec.container_path[0] != '/' || !spec.permissions[0]))
		abort();
}

static void try_others(const char *text)
{
	auto_(error_release) struct error err = {0};
	auto_free char *entry = NULL;
	struct ulimit_spec limit;

	if (ulimit_spec_parse(text, &limit, &err) >= 0 && limit.soft > limit.hard)
		abort();
	if (add_host_parse(text, &entry, &err) >= 0 && strpbrk(entry, " \t\r\n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = size ? xstrndup((const char *)data + 1, size - 1) : xstrdup("");

	switch (size ? data[0] % 6 : 0) {
	case 0:
		try_mount(mount_spec_parse_volume, text);
		break;
	case 1:
		try_mount(mount_spec_parse_mount, text);
		break;
	case 2:
		try_mount(mount_spec_parse_tmpfs, text);
		break;
	case 3:
		try_mount(mount_spec_from_image, text);
		break;
	case 4:
		try_device(text);
		break;
	case 5:
		try_others(text);
		break;
	}
	return 0;
}
