/* SPDX-License-Identifier: Apache-2.0 */
/* volume_internal.h - volumes that come and go with containers */
#ifndef SKIFF_ENGINE_VOLUME_INTERNAL_H
#define SKIFF_ENGINE_VOLUME_INTERNAL_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/engine.h"

struct volume_new;

/* As volume_create(); checks the options, limits its size, and says that it was made. */
int volume_make(struct engine *engine, const struct volume_new *new_volume, char **ret_name,
		bool *ret_created, struct error *err);

/* As volume_remove(), and says so. */
int volume_destroy(struct engine *engine, const char *name, struct error *err);

#endif
