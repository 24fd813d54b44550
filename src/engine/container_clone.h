/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_clone.h - another container like this one
 *
 * The clone is made of the same image with everything that create was told, and nothing of what the
 * container has written. What only one container can have is its own: id, name, addresses, the host
 * name when nobody chose it, and volumes without a name, which begin empty. A clone that takes the
 * container's place (`destroy`) takes over those volumes.
 */
#ifndef SKIFF_ENGINE_CONTAINER_CLONE_H
#define SKIFF_ENGINE_CONTAINER_CLONE_H

#include <stdbool.h>

#include "base/error.h"

struct create_result;
struct engine;
struct limit_request;

struct clone_request {
	const char *name; /* NULL: the container's with "-clone", and a number when that is taken */
	const struct limit_request *limits; /* instead of the container's */
	bool destroy;                       /* removes the container: both happen, or neither */
	bool force;                         /* also one that runs */
};

int container_clone(struct engine *engine, const char *selector,
		    const struct clone_request *request, struct create_result *ret_result,
		    struct error *err);

#endif
