/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_json.h - a YAML document as a JSON value
 *
 * All scalars become strings: what "yes" or 1 means is for the reader to say. Aliases, by which a
 * little text could mean much, are refused, and so are keys that are not scalars, duplicate keys,
 * and more than one document. Levels are bounded.
 */
#ifndef SKIFF_TRUST_YAML_JSON_H
#define SKIFF_TRUST_YAML_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

#define YAML_MAX_BYTES ((size_t)1 << 20)
#define YAML_MAX_LEVELS 16

/* *ret_root is a new reference; an empty text is an empty object. */
int yaml_json_parse(const char *text, size_t len, const char *what, json_t **ret_root,
		    struct error *err);

#endif
