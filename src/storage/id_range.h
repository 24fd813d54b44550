/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_range.h - which ids of the host the containers' user namespaces have
 *
 * A range is given out in the transaction that makes the container's record and goes with the record, so
 * no two overlap and none is lost. Ranges that somebody chose himself are written down too: he may
 * choose the same ones twice, but nobody gets them by chance.
 */
#ifndef SKIFF_STORAGE_ID_RANGE_H
#define SKIFF_STORAGE_ID_RANGE_H

#include <stdint.h>

#include "base/error.h"
#include "base/id_map.h"
#include "storage/store.h"

struct id_range_request {
	uint32_t count;                   /* 0: none is to be given out */
	uint32_t first, last;             /* the pool it comes from */
	const struct id_map *uids, *gids; /* the chosen ones, borrowed; NULL: none */
};

/* What was given out to the container. ERR_NOT_FOUND when nothing was. */
int id_range_load(struct store *store, const char *container, uint32_t *ret_first,
		  uint32_t *ret_count, struct error *err);

#endif
