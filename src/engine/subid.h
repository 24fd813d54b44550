/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subid.h - /etc/subuid and /etc/subgid (subuid(5)): ids that somebody may use
 */
#ifndef SKIFF_ENGINE_SUBID_H
#define SKIFF_ENGINE_SUBID_H

#include "base/error.h"
#include "base/id_map.h"

#define SUBUID_FILE "/etc/subuid"
#define SUBGID_FILE "/etc/subgid"

/*
 * All ranges of the name as one map: the first begins at 0 inside, each next one where the one before
 * ended. Lines that are none are passed over, as shadow's own tools do. Empty when it has none.
 */
int subid_parse(const char *text, const char *name, struct id_map *ret_map);

/* The same of a file; one that is missing has no ranges. */
int subid_load(const char *path, const char *name, struct id_map *ret_map, struct error *err);

#endif
