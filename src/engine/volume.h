/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume.h - use cases of volumes
 *
 * A volume is a directory of the store that outlives containers. It is made by `volume create` or by the
 * first container that names it; one without a name is anonymous and goes with its container (--rm,
 * rm -v) or with `volume prune`.
 */
#ifndef SKIFF_ENGINE_VOLUME_H
#define SKIFF_ENGINE_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"

struct volume_create_request {
	const char *name;           /* NULL: an anonymous one */
	const struct strv *labels;  /* key=value */
	const struct strv *options; /* of the driver: volume_options.h */
};

/* *ret_name is the caller's. One that exists is success, and is left as it is. */
int volumes_create(struct engine *engine, const struct volume_create_request *request,
		   char **ret_name, struct error *err);

struct volume_summary {
	char *name, *mountpoint;
	struct strv labels;
	uint64_t user_count; /* containers that refer to it */
};

struct volume_summaries {
	struct volume_summary *items;
	size_t count;
};

/* By name. Filters: dangling, driver, label, name. */
int volumes_list(struct engine *engine, const struct strv *filters,
		 struct volume_summaries *ret_list, struct error *err);
void volume_summaries_release(struct volume_summaries *list);

/* The object of docker's volume inspect; a new reference. */
int volumes_inspect(struct engine *engine, const char *name, json_t **ret_object,
		    struct error *err);

/* There are no cluster volumes, which alone could be updated: ERR_INVALID, or ERR_NOT_FOUND. */
int volumes_update(struct engine *engine, const char *name, struct error *err);

int volumes_remove(struct engine *engine, const char *name, struct error *err);

struct volume_prune_result {
	struct strv names;
	uint64_t bytes;
};

/*
 * Those that no container refers to: anonymous ones, or with `all` named ones too. Filters: label,
 * label!, all.
 */
int volumes_prune(struct engine *engine, bool all, const struct strv *filters,
		  struct volume_prune_result *ret_result, struct error *err);
void volume_prune_result_release(struct volume_prune_result *result);

DEFINE_CLEANUP_VALUE(struct volume_summaries, volume_summaries_release);
DEFINE_CLEANUP_VALUE(struct volume_prune_result, volume_prune_result_release);

#endif
