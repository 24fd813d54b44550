/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallel.h - the same use case for many containers at once
 *
 * Most of a stop or a removal is waiting: for a process to end, for the kernel. Several are done side
 * by side, each in a process of its own with an engine of its own (nothing here has threads, and a
 * database connection must not cross a fork).
 */
#ifndef SKIFF_ENGINE_PARALLEL_H
#define SKIFF_ENGINE_PARALLEL_H

#include <stddef.h>

#include "base/error.h"
#include "engine/engine.h"

#define PARALLEL_MAX 16

struct parallel_job {
	int (*act)(struct engine *engine, size_t index, const void *context, struct error *err);
	/* In the order of the indices, in the calling process; `err` is not set on success. */
	void (*report)(size_t index, const struct error *err, void *context);
	void *context;
};

/* One alone runs here. Only a failure to make processes is an error of the whole. */
int engine_parallel(struct engine *engine, size_t count, const struct parallel_job *job,
		    struct error *err);

#endif
