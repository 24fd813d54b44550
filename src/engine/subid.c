/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/subid.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/strv.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

/* "name:first:count" */
static bool parse_line(const char *line, const char *name, struct id_range *range)
{
	auto_(strv_release) struct strv fields = {0};

	strv_split(&fields, line, ':');
	return fields.count == 3 && strcmp(fields.items[0], name) == 0 &&
	       parse_u32(fields.items[1], &range->outside) == 0 &&
	       parse_u32(fields.items[2], &range->count) == 0;
}

int subid_parse(const char *text, const char *name, struct id_map *ret_map)
{
	auto_(id_map_release) struct id_map map = {0};
	auto_(strv_release) struct strv lines = {0};
	uint32_t next = 0;

	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct id_range range = {.inside = next};
		int r;

		if (!parse_line(lines.items[i], name, &range))
			continue;
		r = id_map_add(&map, range);
		if (r < 0)
			return r;
		next += range.count;
	}
	*ret_map = map;
	map = (struct id_map){0};
	return 0;
}

int subid_load(const char *path, const char *name, struct id_map *ret_map, struct error *err)
{
	auto_free char *text = NULL;
	int r;

	*ret_map = (struct id_map){0};
	r = fd_read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", path);
	r = subid_parse(text, name, ret_map);
	return r < 0 ? err_set(err, ERR_INVALID, -r, "%s: the ranges of '%s' are not valid", path,
			       name)
		     : 0;
}
