/* SPDX-License-Identifier: Apache-2.0 */
/* container_size.h - how much a container has written, for `ps --size` and `inspect --size` */
#ifndef SKIFF_ENGINE_CONTAINER_SIZE_H
#define SKIFF_ENGINE_CONTAINER_SIZE_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"

struct container_size {
	uint64_t
		written_bytes; /* lengths of the files in its own layer; a file with two names is one */
	uint64_t root_bytes; /* with those of its image */
};

/* `id` is whole, `image_id` NULL when it has none. What cannot be read counts nothing. */
void container_size(struct engine *engine, const char *id, const char *image_id,
		    struct container_size *ret_size);

/* Adds SizeRw and SizeRootFs to what container_inspect() gave for that selector. */
int container_add_size(struct engine *engine, const char *selector, json_t *object,
		       struct error *err);

#endif
