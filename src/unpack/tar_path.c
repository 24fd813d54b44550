/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/tar_path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PREFIX ".wh."
#define META_PREFIX ".wh..wh."
#define OPAQUE_NAME ".wh..wh..opq"

/* Where the last component of the first `len` bytes begins. */
static size_t last_component(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] != '/')
		len--;
	return len;
}

int tar_path_clean(const char *raw, struct tar_path *ret_path)
{
	struct tar_path clean;
	size_t len = 0, n;

	for (const char *p = raw; *p; p += n) {
		n = strcspn(p, "/");
		if (n == 0) {
			n = 1;
			continue;
		}
		if (n == 1 && p[0] == '.')
			continue;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			if (len == 0)
				return -EXDEV;
			len = last_component(clean.text, len);
			len -= len > 0;
			continue;
		}
		if (n > NAME_MAX || len + (len > 0) + n >= sizeof(clean.text))
			return -ENAMETOOLONG;
		if (len > 0)
			clean.text[len++] = '/';
		memcpy(clean.text + len, p, n);
		len += n;
	}
	memcpy(ret_path->text, clean.text, len);
	ret_path->text[len] = '\0';
	ret_path->len = len;
	return 0;
}

const char *tar_path_split(const struct tar_path *path, struct tar_path *ret_parent)
{
	size_t base = last_component(path->text, path->len);

	ret_parent->len = base > 0 ? base - 1 : 0;
	memcpy(ret_parent->text, path->text, ret_parent->len);
	ret_parent->text[ret_parent->len] = '\0';
	return path->text + base;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Of the components that begin before `end`. */
static bool has_meta_component(const char *text, const char *end)
{
	for (const char *p = text; p && p < end; p = strchr(p, '/')) {
		p += *p == '/';
		if (p < end && has_prefix(p, META_PREFIX))
			return true;
	}
	return false;
}

enum whiteout tar_path_whiteout(const struct tar_path *path, const char **ret_hidden)
{
	const char *base = path->text + last_component(path->text, path->len);
	const char *hidden;

	if (!strstr(path->text, PREFIX))
		return WHITEOUT_NONE;
	if (has_meta_component(path->text, base))
		return WHITEOUT_META;
	if (strcmp(base, OPAQUE_NAME) == 0)
		return WHITEOUT_OPAQUE;
	if (has_prefix(base, META_PREFIX))
		return WHITEOUT_META;
	if (!has_prefix(base, PREFIX))
		return WHITEOUT_NONE;
	hidden = base + strlen(PREFIX);
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return WHITEOUT_INVALID;
	*ret_hidden = hidden;
	return WHITEOUT_FILE;
}

/* Length of the printable character at `p`: 0 when the byte there is not the start of one. */
static size_t character_length(const char *p)
{
	const uint8_t *u = (const uint8_t *)p;
	size_t len;

	if (u[0] < 0x80)
		return u[0] >= ' ' && u[0] != 0x7f ? 1 : 0;
	if (u[0] >= 0xc3 && u[0] < 0xe0)
		len = 2;
	else if (u[0] >= 0xe1 && u[0] < 0xf0 && u[0] != 0xed)
		len = 3; /* leaves out some valid ones: they are not worth the special cases */
	else
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

struct shown_name tar_path_show(const char *name)
{
	struct shown_name shown;
	size_t len = 0;

	while (*name && len < sizeof(shown.text) - 8) {
		size_t n = character_length(name);

		if (n == 0) {
			shown.text[len++] = '?';
			name++;
			continue;
		}
		memcpy(shown.text + len, name, n);
		len += n;
		name += n;
	}
	if (*name) {
		memcpy(shown.text + len, "...", 3);
		len += 3;
	}
	shown.text[len] = '\0';
	return shown;
}
