/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/env_file.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"

/* "KEY=value" of `environment`; borrowed; NULL when there is none. */
static const char *find_entry(char *const *environment, const char *key)
{
	size_t len = strlen(key);

	for (; *environment; environment++)
		if (strncmp(*environment, key, len) == 0 && (*environment)[len] == '=')
			return *environment;
	return NULL;
}

static void add_entry(struct strv *list, const char *entry, char *const *environment)
{
	const char *own;

	if (strchr(entry, '=') || !environment) {
		strv_add(list, entry);
		return;
	}
	own = find_entry(environment, entry);
	if (own)
		strv_add(list, own);
}

static int check_key(const char *line, const char *name, struct error *err)
{
	size_t len = strcspn(line, "=");

	if (len == 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid env file (%s): no variable name on line '%s'", name, line);
	if (strcspn(line, " \t\v\f\r") < len)
		return err_set(err, ERR_INVALID, 0,
			       "invalid env file (%s): variable '%.*s' contains whitespaces", name,
			       (int)len, line);
	return 0;
}

/* `line` is a copy without its line end. */
static int parse_line(char *line, size_t len, const char *name, char *const *environment,
		      struct strv *list, struct error *err)
{
	int r;

	if (memchr(line, '\0', len))
		return err_set(err, ERR_INVALID, 0, "invalid env file (%s): contains a NUL byte",
			       name);
	if (len > 0 && line[len - 1] == '\r')
		line[len - 1] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	if (*line == '\0' || *line == '#')
		return 0;
	r = check_key(line, name, err);
	if (r < 0)
		return r;
	add_entry(list, line, environment);
	return 0;
}

int env_text_parse(const char *text, size_t len, const char *name, char *const *environment,
		   struct strv *ret_list, struct error *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *end = text + len;
	int r;

	if (len >= 3 && memcmp(text, bom, 3) == 0)
		text += 3;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);
		auto_free char *line = xmalloc(line_len + 1);

		memcpy(line, text, line_len);
		line[line_len] = '\0';
		r = parse_line(line, line_len, name, environment, ret_list, err);
		if (r < 0)
			return r;
		text += line_len + (newline ? 1 : 0);
	}
	return 0;
}

int env_file_read(const char *path, char *const *environment, struct strv *ret_list,
		  struct error *err)
{
	auto_close int fd = NO_FD;
	auto_free char *text = NULL;
	size_t len;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open %s", path);
	r = fd_read_text(fd, ENV_FILE_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read %s", path);
	return env_text_parse(text, len, path, environment, ret_list, err);
}

void env_args_resolve(const struct strv *args, char *const *environment, struct strv *ret_list)
{
	for (size_t i = 0; i < args->count; i++)
		add_entry(ret_list, args->items[i], environment);
}

int env_arg_check(const char *value, struct error *err)
{
	if (*value == '\0' || *value == '=')
		return err_set(err, ERR_INVALID, 0, "invalid environment variable: %s", value);
	return 0;
}
