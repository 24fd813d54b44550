/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_map.h - which user (or group) of the host one of a user namespace is
 *
 * A map is a list of ranges, as /proc/PID/uid_map has it (user_namespaces(7)): `count` numbers from
 * `inside` up are `outside` and the next ones of the host. Ranges never overlap on either side. What is
 * in no range does not exist inside: the kernel shows it as 65534.
 *
 * As text a range is "INSIDE:OUTSIDE:COUNT"; a map is one or several, with commas between.
 */
#ifndef SKIFF_BASE_ID_MAP_H
#define SKIFF_BASE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define ID_MAP_MAX 340 /* UID_GID_MAP_MAX_EXTENTS of the kernel */

struct id_range {
	uint32_t inside, outside, count;
};

struct id_map {
	struct id_range *items; /* owned */
	size_t count;
};

void id_map_release(struct id_map *map);
void id_map_copy(struct id_map *to, const struct id_map *from);

/*
 * -EINVAL: no numbers, an empty range, one that leaves the 32 bits (4294967295 is nobody's number);
 * -EEXIST: it overlaps another one; -E2BIG: too many.
 */
int id_map_add(struct id_map *map, struct id_range range);
int id_map_parse(const char *text, struct id_map *ret_map);

/*
 * As id_map_add(), but what the map has of the same numbers, inside or outside, gives way. Used to
 * lay single numbers into a large range.
 */
int id_map_override(struct id_map *map, struct id_range range);

/* "0:100000:65536,…"; or a line of the kernel's for each. Caller frees. */
char *id_map_format(const struct id_map *map);
char *id_map_proc_text(const struct id_map *map);

/* Of the kernel's text (/proc/PID/uid_map). */
int id_map_parse_proc(const char *text, struct id_map *ret_map);

/* False when it has no counterpart. */
bool id_map_outside(const struct id_map *map, uint32_t inside, uint32_t *ret_outside);
bool id_map_inside(const struct id_map *map, uint32_t outside, uint32_t *ret_inside);

/* Everybody is who he is outside. */
bool id_map_is_identity(const struct id_map *map);

DEFINE_CLEANUP_VALUE(struct id_map, id_map_release);

#endif
