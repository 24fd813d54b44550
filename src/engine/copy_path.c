/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/copy_path.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"

static bool ends_in_slash(const char *path)
{
	size_t len = strlen(path);

	return len > 0 && path[len - 1] == '/';
}

/* Where the last component begins, and its length; slashes after it do not count. */
static const char *last_component(const char *path, size_t *ret_len)
{
	const char *end = path + strlen(path), *start;

	while (end > path && end[-1] == '/')
		end--;
	start = end;
	while (start > path && start[-1] != '/')
		start--;
	*ret_len = (size_t)(end - start);
	return start;
}

static bool ends_in_dot(const char *path)
{
	size_t len;
	const char *last = last_component(path, &len);

	return !*path || (len == 1 && last[0] == '.');
}

char *copy_path_base(const char *path)
{
	size_t len;
	const char *last = last_component(path, &len);

	if (!*path)
		return xstrdup(".");
	return len ? xstrndup(last, len) : xstrdup("/");
}

char *copy_path_parent(const char *path)
{
	char *clean = path_clean(path);
	char *slash;

	if (ends_in_dot(path))
		return clean;
	slash = strrchr(clean, '/');
	slash[slash == clean] = '\0';
	return clean;
}

bool copy_path_is_directory(const char *path)
{
	return ends_in_slash(path) || ends_in_dot(path);
}

char *copy_path_absolute(const char *directory, const char *path)
{
	auto_free char *joined = path[0] == '/' ? xstrdup(path)
						: xasprintf("%s/%s", directory, path);
	auto_free char *clean = path_clean(joined);
	const char *separator = ends_in_slash(clean) ? "" : "/";

	if (ends_in_dot(path))
		return xasprintf("%s%s.", clean, separator);
	return xasprintf("%s%s", clean, ends_in_slash(path) ? separator : "");
}

int copy_path_plan(const char *source_name, bool source_is_dir,
		   const struct copy_destination *destination, char **ret_directory, char **ret_as,
		   struct error *err)
{
	if (destination->exists && destination->is_dir) {
		*ret_directory = xstrdup(destination->path);
		*ret_as = xstrdup(source_name);
		return 0;
	}
	if (destination->exists && source_is_dir)
		return err_set(err, ERR_INVALID, 0, "cannot copy directory");
	if (!destination->exists && !source_is_dir && copy_path_is_directory(destination->path))
		return err_set(err, ERR_INVALID, 0, "no such directory");
	*ret_directory = copy_path_parent(destination->path);
	*ret_as = copy_path_base(destination->path);
	return 0;
}
