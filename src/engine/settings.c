/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/strv.h"

#define SETTINGS_FILE "/etc/skiff/skiff.conf"
#define SETTINGS_VARIABLE "SKIFF_CONFIG"
#define FILE_MAX_BYTES 65536

void settings_release(struct settings *settings)
{
	free(settings->network);
	*settings = (struct settings){0};
}

/* Without the spaces around it, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int set_value(const char *key, const char *value, struct settings *settings)
{
	if (strcmp(key, "network") == 0 && *value) {
		free(settings->network);
		settings->network = xstrdup(value);
		return 0;
	}
	if (strcmp(key, "publish_address") == 0)
		return ip_address_parse(value, &settings->publish_address);
	return -EINVAL;
}

int settings_parse(const char *text, const char *name, struct settings *ret_settings,
		   struct error *err)
{
	auto_(settings_release) struct settings settings = {0};
	auto_(strv_release) struct strv lines = {0};

	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		char *line = trim(lines.items[i]);
		char *equals = strchr(line, '=');

		if (*line == '\0' || *line == '#')
			continue;
		if (equals)
			*equals = '\0';
		if (!equals || set_value(trim(line), trim(equals + 1), &settings) < 0)
			return err_set(err, ERR_INVALID, 0, "%s, line %zu: '%s' is not understood",
				       name, i + 1, line);
	}
	*ret_settings = settings;
	settings = (struct settings){0};
	return 0;
}

/* Cached: the file is read at most once. */
static int load(const struct settings **ret_settings, struct error *err)
{
	static struct settings settings;
	static bool is_loaded;
	const char *path = getenv(SETTINGS_VARIABLE);
	auto_close int fd = NO_FD;
	auto_free char *text = NULL;
	int r;

	*ret_settings = &settings;
	if (is_loaded)
		return 0;
	path = path && *path ? path : SETTINGS_FILE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	if (fd >= 0) {
		r = fd_read_text(fd, FILE_MAX_BYTES, &text, NULL);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "read '%s'", path);
		r = settings_parse(text, path, &settings, err);
		if (r < 0)
			return r;
	}
	is_loaded = true;
	return 0;
}

int settings_network(const char **ret_name, struct error *err)
{
	const struct settings *settings;
	int r = load(&settings, err);

	if (r == 0)
		*ret_name = settings->network ? settings->network : "bridge";
	return r;
}

int settings_publish_address(struct ip_address *ret_address, struct error *err)
{
	const struct settings *settings;
	int r = load(&settings, err);

	if (r == 0 && settings->publish_address.family)
		*ret_address = settings->publish_address;
	return r;
}
