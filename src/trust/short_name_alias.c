/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/short_name_alias.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "base/toml.h"
#include "image/reference.h"
#include "trust/host_file.h"
#include "trust/trust_paths.h"

#define ALIASES_FILE "short-name-aliases.conf"

/* The file as it is; nothing is an empty table. */
static int read_aliases(const char *path, json_t **ret_root, struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = host_file_read(path, TOML_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return r;
	return toml_parse(r > 0 ? text : "", len, path, ret_root, err);
}

/* Neither a short name nor a repository has a character that must be escaped in quotes. */
static char *format_aliases(json_t *aliases)
{
	auto_(strbuf_release) struct strbuf text = {0};
	const char *name;
	json_t *value;

	strbuf_adds(&text, "[aliases]\n");
	json_object_foreach (aliases, name, value)
		strbuf_addf(&text, "  \"%s\" = \"%s\"\n", name, json_string_value(value));
	return strbuf_take(&text);
}

/* 1 when there is something to write. */
static int add_alias(json_t *root, const char *name, const char *repository, const char *path,
		     struct error *err)
{
	json_t *aliases = json_object_get(root, "aliases");
	const char *other;
	json_t *value;

	if (!aliases) {
		aliases = json_object();
		(void)json_object_set_new(root, "aliases", aliases);
	}
	json_object_foreach (aliases, other, value)
		if (!json_is_string(value))
			return err_set(err, ERR_INVALID, 0, "%s: alias '%s' is no text", path,
				       other);
	if (strcmp(json_get_string(aliases, name, ""), repository) == 0)
		return 0;
	json_set_string(aliases, name, repository);
	return 1;
}

static int update(int dir_fd, const char *path, const char *name, const char *repository,
		  struct error *err)
{
	auto_(json_decref) json_t *root = NULL;
	auto_free char *text = NULL;
	int r;

	r = lock_fd(dir_fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock the directory of '%s'", path);
	r = read_aliases(path, &root, err);
	if (r >= 0)
		r = add_alias(root, name, repository, path, err);
	if (r <= 0)
		return r;
	text = format_aliases(json_object_get(root, "aliases"));
	r = atomic_file_write(dir_fd, ALIASES_FILE, text, strlen(text), 0600, /* sync= */ true);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write '%s'", path) : 0;
}

int short_name_alias_record(const struct trust_paths *paths, const char *text, const char *chosen,
			    struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_free char *directory = NULL, *path = NULL, *name = NULL, *repository = NULL;
	auto_close int dir_fd = NO_FD;
	int r;

	if (!paths->cache_home)
		return err_set(err, ERR_NOT_FOUND, 0, "there is no cache directory");
	r = reference_parse(chosen, &reference, err);
	if (r < 0)
		return r;
	repository = reference_repository(&reference);
	name = xstrndup(text, strcspn(text, ":@"));
	directory = xasprintf("%s/containers", paths->cache_home);
	path = xasprintf("%s/" ALIASES_FILE, directory);
	r = path_mkdir_private(directory);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the directory '%s'", directory);
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the directory '%s'", directory);
	return update(dir_fd, path, name, repository, err);
}
