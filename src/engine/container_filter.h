/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_filter.h - `ps --filter key=value`
 *
 * Values of one key are alternatives, different keys must all match; labels must all match. Names
 * and ids are regular expressions, as docker's are.
 */
#ifndef SKIFF_ENGINE_CONTAINER_FILTER_H
#define SKIFF_ENGINE_CONTAINER_FILTER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/container.h"
#include "storage/container_record.h"

struct container_filter;

int container_filter_new(struct engine *engine, const struct strv *texts,
			 struct container_filter **ret_filter, struct error *err);
void container_filter_free(struct container_filter *filter);

/* Whether it asks for a status, which shows containers that do not run too. */
bool container_filter_wants_all(const struct container_filter *filter);

/* What the record alone decides: asked before anybody looks whether it runs. */
bool container_filter_matches_record(const struct container_filter *filter,
				     const struct container_record *record);
bool container_filter_matches(const struct container_filter *filter,
			      const struct container_summary *summary);

DEFINE_CLEANUP(struct container_filter *, container_filter_free);

#endif
