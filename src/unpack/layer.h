/* SPDX-License-Identifier: Apache-2.0 */
/* layer.h - the job "layer": one tar stream into one directory */
#ifndef SKIFF_UNPACK_LAYER_H
#define SKIFF_UNPACK_LAYER_H

#include "base/error.h"
#include "unpack/confine.h"
#include "unpack/options.h"
#include "unpack/pipeline.h"

/* What layer_run() found out. */
struct layer_result {
	struct pipeline_totals totals;
	uint64_t bytes, entries;
};

/* Ends the pipeline when it succeeds. */
int layer_run(const struct options *options, const struct confinement *c, struct pipeline *pipeline,
	      struct layer_result *ret_result, struct error *err);

#endif
