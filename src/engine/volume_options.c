/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volume_options.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

#define OPTION_MAX_BYTES 4096 /* a page: what mount(2) takes */

static const char *const known[] = {"type", "o", "device", "size"};

static int check_one(const char *option, struct error *err)
{
	size_t len = strcspn(option, "=");
	uint64_t bytes;

	if (strlen(option) > OPTION_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "volume option is longer than %d bytes",
			       OPTION_MAX_BYTES);
	for (const char *c = option; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(err, ERR_INVALID, 0, "control character in a volume option");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i]) != len || strncmp(known[i], option, len) != 0)
			continue;
		if (strcmp(known[i], "size") == 0 && option[len] &&
		    (parse_size(option + len + 1, &bytes) < 0 || bytes == 0))
			return err_set(err, ERR_INVALID, 0, "invalid size: '%s'", option + len + 1);
		return 0;
	}
	return err_set(err, ERR_INVALID, 0, "invalid option: \"%.*s\"", (int)len, option);
}

static int need(const struct strv *options, const char *has, const char *needs, struct error *err)
{
	if (!strv_env_find(options, has) || strv_env_find(options, needs))
		return 0;
	return err_set(err, ERR_INVALID, 0, "missing required option: \"%s\"", needs);
}

int volume_options_check(const struct strv *options, struct error *err)
{
	static const char *const pairs[][2] = {
		{"device", "type"}, {"type", "device"}, {"o", "device"}, {"o", "type"}};
	struct volume_device device;
	bool relative;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < options->count; i++)
		r = check_one(options->items[i], err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(pairs); i++)
		r = need(options, pairs[i][0], pairs[i][1], err);
	if (r >= 0 && strv_env_find(options, "size"))
		r = err_set(
			err, ERR_UNAVAILABLE, ENOTSUP,
			"quota size requested but no quota support (of a tmpfs, o=size=... is the "
			"limit)");
	if (r < 0 || !volume_options_has_device(options))
		return r;
	volume_options_device(options, &device);
	relative = device.is_bind && device.source[0] != '/';
	volume_device_release(&device);
	return relative ? err_set(err, ERR_INVALID, 0,
				  "invalid device of a bind: it must be an absolute path")
			: 0;
}

bool volume_options_has_device(const struct strv *options)
{
	const char *type = strv_env_find(options, "type");

	return type && *type;
}

/* Docker's mount(2) looks at the flags alone: with "bind" among them, the type does not matter. */
void volume_options_device(const struct strv *options, struct volume_device *ret_device)
{
	struct volume_device device = {
		.type = strv_env_find(options, "type"),
		.source = strv_env_find(options, "device"),
	};
	const char *words = strv_env_find(options, "o");

	if (words)
		strv_split(&device.options, words, ',');
	device.is_bind = strv_has(&device.options, "bind") || strv_has(&device.options, "rbind");
	if (device.is_bind)
		device.type = "bind";
	*ret_device = device;
}

void volume_device_release(struct volume_device *device)
{
	strv_release(&device->options);
	*device = (struct volume_device){0};
}
