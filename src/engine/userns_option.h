/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userns_option.h - --userns and its kin, from what is typed to the maps of a start
 *
 *	host                  the host's own: the default
 *	auto[:OPTIONS]        a range that no other container has: size=N (65536), and single ids laid over
 *	                      it: uidmapping=C:H:N, gidmapping=C:H:N
 *	keep-id               a namespace in which everybody is who he is on the host
 *	container:NAME        that of another container
 *	C:H:N[,C:H:N…]        these ids; also --uidmap and --gidmap, and --subuidname for all that
 *	                      /etc/subuid gives a user
 *
 * The record keeps the mode and the chosen maps; what is given out is in the database
 * (storage/id_range.h), and comes from userns_range in skiff.conf, else from what /etc/subuid and
 * /etc/subgid give the user "containers", else from USERNS_POOL_FIRST up.
 */
#ifndef SKIFF_ENGINE_USERNS_OPTION_H
#define SKIFF_ENGINE_USERNS_OPTION_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id_map.h"
#include "storage/id_range.h"

struct container;
struct container_config;
struct create_request;
struct engine;

/* The upper part of what systemd keeps for containers (its UIDS-GIDS document). */
#define USERNS_POOL_FIRST 1073741824U
#define USERNS_POOL_LAST 1879048191U
#define USERNS_COUNT 65536U

/* Fills userns_mode, uid_map and gid_map. */
int userns_option_apply(struct engine *engine, const struct create_request *request,
			struct container_config *config, struct error *err);

bool userns_is_private(const struct container_config *config);

/* What the record's transaction has to give out and to write down. */
struct userns_ids {
	struct id_range_request request;
	struct id_map uids, gids; /* the request's */
};

int userns_ids_request(const struct container_config *config, struct userns_ids *ret_ids,
		       struct error *err);
void userns_ids_release(struct userns_ids *ids);

/* The maps of a container; empty when it is in the host's namespace. */
int userns_maps(const struct container *container, struct id_map *ret_uids, struct id_map *ret_gids,
		struct error *err);

/* A value of userns_range in skiff.conf: "FIRST-LAST". */
int userns_range_check(const char *value, struct error *err);

DEFINE_CLEANUP_VALUE(struct userns_ids, userns_ids_release);

#endif
