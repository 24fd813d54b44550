/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capability_list.h - --cap-add, --cap-drop and --privileged
 *
 * A set of capabilities is a number: bit n is capability n. What comes out is never more than the
 * bounding set of this process, so asking for what this machine does not give is an error at
 * create rather than a surprise at start.
 */
#ifndef SKIFF_ENGINE_CAPABILITY_LIST_H
#define SKIFF_ENGINE_CAPABILITY_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

/* What docker gives to every container. */
uint64_t capability_default_set(void);

/* The bounding set of this process. */
uint64_t capability_bounding_set(void);

/*
 * Names with or without "CAP_", in any case, and "ALL". Dropping wins over adding, except that
 * "--cap-drop ALL --cap-add X" leaves X.
 */
int capability_compute(const struct strv *add, const struct strv *drop, bool privileged,
		       uint64_t bounding, uint64_t *ret_set, struct error *err);

/* "cap_net_raw" or "NET_RAW" becomes "CAP_NET_RAW", "all" becomes "ALL": what inspect shows. */
int capability_normalize(const struct strv *names, const char *option, struct strv *ret_names,
			 struct error *err);

/* A new array of "CAP_…" in order of their numbers, as OCI writes them. */
json_t *capability_set_to_json(uint64_t set);

#endif
