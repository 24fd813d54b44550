/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/strv.h"

#define ID_INVALID UINT32_MAX

void id_map_release(struct id_map *map)
{
	free(map->items);
	*map = (struct id_map){0};
}

void id_map_copy(struct id_map *to, const struct id_map *from)
{
	*to = (struct id_map){.items = xcalloc(from->count, sizeof(*to->items))};
	for (; to->count < from->count; to->count++)
		to->items[to->count] = from->items[to->count];
}

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static bool is_valid(struct id_range range)
{
	return range.count > 0 && (uint64_t)range.inside + range.count <= ID_INVALID &&
	       (uint64_t)range.outside + range.count <= ID_INVALID;
}

static int append(struct id_map *map, struct id_range range)
{
	if (map->count == ID_MAP_MAX)
		return -E2BIG;
	map->items = xreallocarray(map->items, map->count + 1, sizeof(*map->items));
	map->items[map->count++] = range;
	return 0;
}

int id_map_add(struct id_map *map, struct id_range range)
{
	if (!is_valid(range))
		return -EINVAL;
	for (size_t i = 0; i < map->count; i++) {
		const struct id_range *other = &map->items[i];

		if (overlap(range.inside, range.count, other->inside, other->count) ||
		    overlap(range.outside, range.count, other->outside, other->count))
			return -EEXIST;
	}
	return append(map, range);
}

/* What is left of `from` without the `count` numbers from `offset` on, which may stick out of it. */
static int append_rest(struct id_map *map, struct id_range from, int64_t offset, uint32_t count)
{
	int64_t end = offset + count;
	int r = 0;

	if (offset >= from.count || end <= 0)
		return append(map, from);
	if (offset > 0)
		r = append(map, (struct id_range){from.inside, from.outside, (uint32_t)offset});
	if (r == 0 && end < from.count)
		r = append(map, (struct id_range){from.inside + (uint32_t)end,
						  from.outside + (uint32_t)end,
						  from.count - (uint32_t)end});
	return r;
}

static int cut(struct id_map *map, bool inside, uint32_t first, uint32_t count)
{
	auto_(id_map_release) struct id_map rest = {0};
	struct id_map old;

	for (size_t i = 0; i < map->count; i++) {
		struct id_range from = map->items[i];
		int64_t offset = (int64_t)first - (inside ? from.inside : from.outside);
		int r = append_rest(&rest, from, offset, count);

		if (r < 0)
			return r;
	}
	old = *map;
	*map = rest;
	rest = old;
	return 0;
}

int id_map_override(struct id_map *map, struct id_range range)
{
	int r;

	if (!is_valid(range))
		return -EINVAL;
	r = cut(map, /* inside= */ true, range.inside, range.count);
	if (r == 0)
		r = cut(map, /* inside= */ false, range.outside, range.count);
	return r < 0 ? r : append(map, range);
}

static int parse_range(const char *text, char separator, struct id_range *ret_range)
{
	auto_(strv_release) struct strv parts = {0};
	struct id_range range = {.count = 1};

	strv_split(&parts, text, separator);
	if (parts.count < 2 || parts.count > 3 || parse_u32(parts.items[0], &range.inside) < 0 ||
	    parse_u32(parts.items[1], &range.outside) < 0 ||
	    (parts.count == 3 && parse_u32(parts.items[2], &range.count) < 0))
		return -EINVAL;
	*ret_range = range;
	return 0;
}

int id_map_parse(const char *text, struct id_map *ret_map)
{
	auto_(id_map_release) struct id_map map = {0};
	auto_(strv_release) struct strv items = {0};
	int r;

	strv_split(&items, text, ',');
	if (items.count == 0)
		return -EINVAL;
	for (size_t i = 0; i < items.count; i++) {
		struct id_range range;

		r = parse_range(items.items[i], ':', &range);
		if (r == 0)
			r = id_map_add(&map, range);
		if (r < 0)
			return r;
	}
	*ret_map = map;
	map = (struct id_map){0};
	return 0;
}

static char *format(const struct id_map *map, const char *pattern, const char *between)
{
	struct strbuf text = {0};

	for (size_t i = 0; i < map->count; i++) {
		const struct id_range *range = &map->items[i];

		strbuf_addf(&text, "%s%" PRIu32 "%s%" PRIu32 "%s%" PRIu32, i ? between : "",
			    range->inside, pattern, range->outside, pattern, range->count);
	}
	return strbuf_take(&text);
}

char *id_map_format(const struct id_map *map)
{
	return format(map, ":", ",");
}

char *id_map_proc_text(const struct id_map *map)
{
	return format(map, " ", "\n");
}

/* The kernel pads its columns. */
int id_map_parse_proc(const char *text, struct id_map *ret_map)
{
	auto_(id_map_release) struct id_map map = {0};

	while (*text) {
		uint32_t numbers[3];
		char *end;

		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
			unsigned long long value;

			text += strspn(text, " ");
			if (*text < '0' || *text > '9')
				return -EINVAL;
			for (value = 0; *text >= '0' && *text <= '9' && value <= UINT32_MAX; text++)
				value = value * 10 + (unsigned long long)(*text - '0');
			if (value > UINT32_MAX)
				return -EINVAL;
			numbers[i] = (uint32_t)value;
		}
		end = strchr(text, '\n');
		text = end ? end + 1 : text + strlen(text);
		if (append(&map, (struct id_range){numbers[0], numbers[1], numbers[2]}) < 0)
			return -E2BIG;
	}
	*ret_map = map;
	map = (struct id_map){0};
	return 0;
}

bool id_map_outside(const struct id_map *map, uint32_t inside, uint32_t *ret_outside)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct id_range *range = &map->items[i];

		if (inside < range->inside || inside - range->inside >= range->count)
			continue;
		*ret_outside = range->outside + (inside - range->inside);
		return true;
	}
	return false;
}

bool id_map_inside(const struct id_map *map, uint32_t outside, uint32_t *ret_inside)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct id_range *range = &map->items[i];

		if (outside < range->outside || outside - range->outside >= range->count)
			continue;
		*ret_inside = range->inside + (outside - range->outside);
		return true;
	}
	return false;
}

bool id_map_is_identity(const struct id_map *map)
{
	return map->count == 1 && map->items[0].inside == 0 && map->items[0].outside == 0 &&
	       map->items[0].count == ID_INVALID;
}
