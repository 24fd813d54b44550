/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_id_map.h - the ids of a mount's files, as the container sees them
 *
 * "uids=FROM-TO-COUNT[#…][;gids=…]", podman's notation: what belongs to FROM on the filesystem belongs
 * to TO in the container. Uids or gids that are left out stay as they are.
 */
#ifndef SKIFF_ENGINE_MOUNT_ID_MAP_H
#define SKIFF_ENGINE_MOUNT_ID_MAP_H

#include "base/error.h"
#include "base/json.h"

/* The uidMappings and gidMappings of an OCI mount; both are the caller's. ERR_INVALID. */
int mount_id_map_parse(const char *map, json_t **ret_uids, json_t **ret_gids, struct error *err);

#endif
